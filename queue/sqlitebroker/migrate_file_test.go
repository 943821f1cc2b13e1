package sqlitebroker_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// TestAFileOfVersionOneGoesOn takes what a program with the first schema left: an
// archived entry, a leased one, a claim, one that is due later in a group, and a
// run with latches.
func TestAFileOfVersionOneGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	dump, err := os.ReadFile("testdata/version1.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite3.Open(path)
	if err == nil {
		err = errors.Join(db.Exec(string(dump)), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, path)
	defer b.Close()
	sound(t, b)
	openOf(t, b, "item0")

	then := time.UnixMilli(1795532035776).UTC() // when it was written
	second := broker.EntryRef{Queue: "q", ID: "second"}
	s, err := b.Entry(t.Context(), second)
	if err != nil || s.State != task.Active || string(s.Payload) != "payload of second" || s.Crashes != 0 || s.Attempts != nil {
		t.Errorf("Entry() = %+v, %v, want it as it was", s, err)
	}
	mustAt(t, b, then, broker.Change{
		Settle: []broker.Settlement{{Token: "QPMGLNX4AGT6RTDXJV46D4AUTD", Entry: s.Entry, To: broker.Done}},
		Home:   run,
		Arrive: []broker.Arrival{{Latch: "join", Member: 0}, {Latch: "map", Member: 0}},
	})
	again := enqueue("q", "again")
	again.Enqueue[0].Claim = broker.Claim{Key: "once", Behind: true}
	if err := outcomes(t, b, then, again)[0]; !errors.Is(err, broker.ErrClaimed) {
		t.Errorf("outcome with a claim that is held = %v, want %v", err, broker.ErrClaimed)
	}
	a, err := b.Advance(t.Context(), then.Add(2*time.Hour), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10})
	if err != nil || a.Due != 2 {
		t.Errorf("Advance() = %+v, %v, want two that are due", a, err)
	}
	counts, err := b.Counts(t.Context(), then, "q")
	want := broker.Counts{
		Queue: "q", Pending: 5, Archived: 1, Aggregating: 1, Groups: 1,
		Processed: 2, Failed: 1, ProcessedTotal: 2, FailedTotal: 1, ReadySince: then,
	}
	if diff := cmp.Diff([]broker.Counts{want}, counts); diff != "" || err != nil {
		t.Errorf("Counts() (-want +got):\n%s%v", diff, err)
	}
	sound(t, b)
}
