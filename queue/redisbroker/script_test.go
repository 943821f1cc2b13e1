package redisbroker

import (
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// TestScriptsRunUndeclared runs the builds for Redis 6.2, which newer servers
// also take.
func TestScriptsRunUndeclared(t *testing.T) {
	b := opened(t, Options{LocalClock: true})
	if b.plainScripts {
		t.Errorf("this server is taken to be older than 7")
	}
	b.plainScripts = true

	now, ctx := time.UnixMilli(1900000000500), t.Context()
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "a"}, Type: "t"}
	applied, err := b.Apply(ctx, now, []broker.Change{{Enqueue: []broker.Entry{e}}},
		broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: 1, Until: now.Add(time.Minute)})
	if err != nil || len(applied.Leases) != 1 {
		t.Fatalf("Apply() = %+v, %v, want a lease", applied, err)
	}
	if held, err := b.Extend(ctx, now, now.Add(time.Hour), applied.Leases[0].Ref()); err != nil || held[0] != broker.Kept {
		t.Errorf("Extend() = %v, %v, want kept", held, err)
	}
	late := now.Add(2 * time.Hour)
	if _, err := b.Advance(ctx, late, broker.AdvanceRequest{Queues: []string{"q"}, Limit: 1}); err != nil { // nobody has, for two hours
		t.Error(err)
	}
	if a, err := b.Advance(ctx, late.Add(5*time.Second), broker.AdvanceRequest{Queues: []string{"q"}, Limit: 1}); err != nil || a.Recovered != 1 {
		t.Errorf("Advance() = %+v, %v, want one recovered", a, err)
	}
	if s, err := b.Entry(ctx, e.EntryRef); err != nil || s.ID != "a" {
		t.Errorf("Entry() = %+v, %v, want a", s, err)
	}
	if c, err := b.Counts(ctx, now); err != nil || len(c) != 1 || c[0].Pending != 1 {
		t.Errorf("Counts() = %+v, %v, want one pending", c, err)
	}
	if _, err := b.Gather(ctx, late, broker.GatherRequest{Queue: "q", Group: "g", Token: "t", MaxSize: 1, Until: late}); err != nil {
		t.Errorf("Gather() = %v, want nil", err)
	}
	if held, err := b.Report(ctx, late, broker.Progress{LeaseRef: applied.Leases[0].Ref()}); err != nil || held[0] != broker.Lost {
		t.Errorf("Report() = %v, %v, want lost", held, err)
	}
	if l, err := b.List(ctx, broker.ListRequest{Queue: "q", State: task.Pending, Limit: 1}); err != nil || len(l) != 1 {
		t.Errorf("List() = %v, %v, want one", l, err)
	}
	move := broker.Change{Move: []broker.Move{{EntryRef: e.EntryRef, Do: broker.Archive}}}
	if applied, err := b.Apply(ctx, late, []broker.Change{move}, broker.LeaseRequest{}); err != nil || applied.Outcomes[0] != nil {
		t.Errorf("Apply(move) = %v, %v, want nil", applied.Outcomes, err)
	}
	if n, err := b.Sweep(ctx, late, broker.SweepRequest{Queue: "q", State: task.Archived, Do: broker.Delete, Limit: 1}); err != nil || n != 1 {
		t.Errorf("Sweep() = %d, %v, want one", n, err)
	}
	if err := b.Remove(ctx, late, "q", false); err != nil {
		t.Errorf("Remove() = %v, want nil", err)
	}
	if err := b.Beat(ctx, now, broker.Server{ID: "s"}); err != nil {
		t.Errorf("Beat() = %v, want nil", err)
	}
	if err := b.BeatScheduler(ctx, now, broker.Scheduler{ID: "s"}); err != nil {
		t.Errorf("BeatScheduler() = %v, want nil", err)
	}
}

// TestACallOfAnySizeIsTaken makes one call that takes several scripts, and
// leases after the last.
func TestACallOfAnySizeIsTaken(t *testing.T) {
	b := opened(t, Options{LocalClock: true})
	const each, changes = 900, 4
	now := time.UnixMilli(1900000000500)
	var all []broker.Change
	for i := range changes {
		var c broker.Change
		for j := range each {
			e := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: fmt.Sprintf("%d-%d", i, j)}, Type: "t"}
			c.Enqueue = append(c.Enqueue, e)
		}
		all = append(all, c)
	}
	all[2].Enqueue[each-1].ID = "0-0" // exists by then
	large := broker.Entry{EntryRef: broker.EntryRef{Queue: "q", ID: "large"}, Type: "t", Payload: make([]byte, scriptBytes+1)}
	all = append(all, broker.Change{Enqueue: []broker.Entry{large}})

	applied, err := b.Apply(t.Context(), now, all, broker.LeaseRequest{Queues: []broker.Share{{Queue: "q"}}, Max: 1000, Until: now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	for i, outcome := range applied.Outcomes {
		if refused := outcome != nil; refused != (i == 2) {
			t.Errorf("outcome of change %d = %v", i, outcome)
		}
	}
	if len(applied.Leases) != 1000 || applied.Leases[999].Entry.ID != "1-99" {
		t.Errorf("leased %d entries, want 1000 up to 1-99", len(applied.Leases))
	}
	c, err := b.Counts(t.Context(), now, "q")
	if err != nil || c[0].Pending != 3*each+1-1000 {
		t.Errorf("Counts() = %+v, %v, want %d pending", c, err, 3*each+1-1000)
	}
	if faults, err := b.Verify(t.Context(), now); err != nil || len(faults) > 0 {
		t.Errorf("Verify() = %v, %v, want nothing", faults, err)
	}
}
