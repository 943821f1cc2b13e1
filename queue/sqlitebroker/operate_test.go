package sqlitebroker_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestMemoryIsAboutWhatTheFileHasGrownBy(t *testing.T) {
	for _, size := range []int{20, 1000, 20_000} {
		b := open(t, ":memory:")
		defer b.Close()
		empty := b.Pages(t)
		for i := range 10 {
			c := broker.Change{}
			for j := range 200 {
				e := entries("q", fmt.Sprintf("entry-%d-%d", i, j))[0]
				e.Payload = make([]byte, size)
				c.Enqueue = append(c.Enqueue, e)
			}
			must(t, b, c)
		}
		lease(t, b, "q", 500)
		grown := int64(b.Pages(t)-empty) * 4096
		if got, err := b.Memory(t.Context(), "q"); err != nil || got < grown/2 || got > 2*grown {
			t.Errorf("Memory() with payloads of %d bytes = %d, %v, want about %d", size, got, err, grown)
		}
	}
}

// Rule 9 is about the storage: whoever advances next sees that nobody did.
func TestLeasesOfAFileThatNobodyAdvancedAreNotTakenBackAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leat.db")
	b := open(t, path)
	must(t, b, enqueue("q", "a"))
	lease(t, b, "q", 1)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, path)
	defer b.Close()
	late := time.Now().Add(time.Minute)
	for _, after := range []time.Duration{0, 4 * time.Second} {
		a, err := b.Advance(t.Context(), late.Add(after), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 9})
		if err != nil || a.Recovered != 0 {
			t.Errorf("Advance() %v after the silence = %+v, %v, want none recovered", after, a, err)
		}
	}
	a, err := b.Advance(t.Context(), late.Add(9*time.Second), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 9})
	if err != nil || a.Recovered != 1 {
		t.Errorf("Advance() after the grace = %+v, %v, want the lease taken back", a, err)
	}
	sound(t, b)
}

// What a parked entry has is kept until it is deleted: its claim and its exit.
func TestWhatIsParkedHasNotEnded(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	c := claimed("a", "key")
	exit := entries("q", "exit")[0]
	c.Enqueue[0].Exit = &exit
	must(t, b, c)
	b.Exec(t, `UPDATE leat_entry SET headers = '{"cut' WHERE id = 'a'`)
	if parked := lease(t, b, "q", 1).Parked; len(parked) != 1 {
		t.Fatalf("parked %v, want one", parked)
	}
	sound(t, b)
	ref := broker.EntryRef{Queue: "q", ID: "a"}
	if s, err := b.Entry(t.Context(), ref); err != nil || s.End != broker.Undecodable || s.State != task.Archived {
		t.Errorf("Entry() = %+v, %v, want it archived as undecodable", s, err)
	}
	if err := outcomes(t, b, time.Now(), claimed("b", "key"))[0]; err == nil {
		t.Error("the claim of a parked entry is free, want it held")
	}
	late := broker.AdvanceRequest{Queues: []string{"q"}, Limit: 9, Keep: broker.ArchiveLimits{Count: 1, Age: time.Second, Bytes: 1}}
	if a, err := b.Advance(t.Context(), time.Now().Add(time.Hour), late); err != nil || a.Trimmed != 0 {
		t.Errorf("Advance() = %+v, %v, want nothing trimmed", a, err)
	}
	must(t, b, broker.Change{Move: []broker.Move{{EntryRef: ref, Do: broker.Delete}}}, claimed("b", "key"))
	if s, err := b.Entry(t.Context(), exit.EntryRef); err != nil || s.State != task.Pending {
		t.Errorf("the exit = %+v, %v, want it pending", s, err)
	}
	sound(t, b)
}

// An exit that cannot be read does not keep its entry from being deleted.
func TestAnExitThatCannotBeReadIsInNobodysWay(t *testing.T) {
	b := open(t, ":memory:")
	defer b.Close()
	c := enqueue("q", "a")
	exit := entries("q", "exit")[0]
	c.Enqueue[0].Exit = &exit
	must(t, b, c)
	b.Exec(t, `UPDATE leat_entry SET leaves = '{"cut'`)
	must(t, b, broker.Change{Move: []broker.Move{{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Do: broker.Delete}}})
	if n := b.Rows(t, "leat_entry"); n != 0 {
		t.Errorf("%d entries are left, want none", n)
	}
}
