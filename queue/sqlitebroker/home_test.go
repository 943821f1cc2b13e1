package sqlitebroker_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// ofRun returns entries of queue q that belong to run.
func ofRun(ids ...string) []broker.Entry {
	all := entries("q", ids...)
	for i := range all {
		all[i].Home = run
	}
	return all
}

// openOf demands which entries of run are open.
func openOf(t testing.TB, b *sqlitebroker.Broker, want ...string) {
	t.Helper()
	page, err := b.OpenEntries(t.Context(), broker.OpenRequest{Home: run, Limit: broker.MaxParts})
	var got []string
	for _, ref := range page.Entries {
		got = append(got, ref.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || page.Next != "" {
		t.Errorf("OpenEntries() (-want +got):\n%s%q, %v", diff, page.Next, err)
	}
}

func TestVerifyFindsWhatContradictsTheRulesOfHomes(t *testing.T) {
	for _, c := range []struct{ sabotage, sentence string }{
		{`UPDATE leat_home SET bytes = 8`, "home q/run counts 8 bytes of documents, there are 7"},
		{`UPDATE leat_drain SET home = 9`, "rows belong to home number 9, which does not exist"},
		{`DELETE FROM leat_home`, "rows belong to home number 1, which does not exist"},
		{`UPDATE leat_entry SET home_id = 'other'`, "nothing of home q/run is open, and it was not drained"},
		{`UPDATE leat_term SET at = 5 WHERE term = 'kind=a'`, "term kind=a of home q/run is at another place than the home"},
		{`UPDATE leat_term SET id = 'other' WHERE term = 'kind=a'`, "term kind=a of home q/run is at another place than the home"},
		{`DELETE FROM leat_term WHERE term = ''`, "term kind=a of home q/run is at another place than the home"},
	} {
		b := open(t, ":memory:")
		must(t, b, broker.Change{
			Home: run, Put: []broker.Put{{Key: "a", Body: []byte("running")}, {Key: "b"}},
			Enqueue: ofRun("a"), Drain: ofRun("last"), List: &broker.Listing{At: time.Now(), Terms: []string{"kind=a"}},
		})
		sound(t, b)
		finds(t, b, c.sabotage, c.sentence)
		b.Close()
	}
}

func TestWhatIsParkedOfAHomeIsOpenUntilItIsDeleted(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	must(t, b, broker.Change{Home: run, Enqueue: ofRun("a", "b"), Drain: ofRun("last")})
	b.Exec(t, `UPDATE leat_entry SET headers = '{"cut' WHERE id = 'a'`)
	l := lease(t, b, "q", 2)
	if len(l.Parked) != 1 {
		t.Fatalf("parked %+v, want one", l.Parked)
	}
	must(t, b, broker.Change{Settle: []broker.Settlement{{Token: l.Leases[0].Token, Entry: l.Leases[0].Entry, To: broker.Done}}})
	openOf(t, b, "a")
	must(t, b, broker.Change{Move: []broker.Move{{EntryRef: l.Parked[0].EntryRef, Do: broker.Delete}}})
	openOf(t, b, "last")
	sound(t, b)
}

func TestWhatAHomeIsFoundByAndItsDrainGoWithIt(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	c := broker.Change{Home: run, Enqueue: ofRun("a"), Drain: ofRun("last"), List: &broker.Listing{At: time.Now(), Terms: []string{"x", "y"}}}
	must(t, b, c, broker.Change{Home: run, Close: time.Now()})
	if _, err := b.Advance(t.Context(), time.Now().Add(time.Second), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10}); err != nil {
		t.Fatal(err)
	}
	openOf(t, b, "a")
	must(t, b, broker.Change{Move: []broker.Move{{EntryRef: c.Enqueue[0].EntryRef, Do: broker.Delete}}})
	openOf(t, b)
	if left := b.Leftovers(t); left != nil {
		t.Errorf("left over: %q", left)
	}
}

func TestATransactionThatEndsTheLastOfAHomeDrainsIt(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) {
		orders(t, b)
		must(t, b, broker.Change{Home: run, Enqueue: ofRun("a"), Drain: ofRun("last")})
		tx, made := order(t, b, "1", broker.Change{Move: []broker.Move{{EntryRef: ofRun("a")[0].EntryRef, Do: broker.Delete}}})
		if err := tx.Rollback(); err != nil || made[0] != nil {
			t.Fatalf("ApplyTx() = %v, Rollback() = %v, want nil", made, err)
		}
		openOf(t, b, "a")
		tx, made = order(t, b, "2", broker.Change{Move: []broker.Move{{EntryRef: ofRun("a")[0].EntryRef, Do: broker.Delete}}})
		if err := tx.Commit(); err != nil || made[0] != nil {
			t.Fatalf("ApplyTx() = %v, Commit() = %v, want nil", made, err)
		}
		openOf(t, b, "last")
		sound(t, b)
	})
}
