package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// An ending is a way in which an entry ends.
type ending struct {
	how string

	// reach adds an entry of q and brings it to where it can end, and returns what
	// ends it.
	reach func(x *trial, e broker.Entry) (end func())
}

// endings are all ways in which an entry ends.
func endings() []ending {
	all := []ending{
		{"done", settlingAs(broker.Done, 0)},
		{"completed", settlingAs(broker.Completed, 0)},
		{"archived", settlingAs(broker.Archived, 0)},
		{"cancelled by its settlement", settlingAs(broker.Archived, broker.Cancelled)},
		{"expired", settlingAs(broker.Archived, broker.Expired)},
		{"poison", settlingAs(broker.Archived, broker.Poison)},
		{"watched and done", settlingWatched},
		{"cancelled and retried", settlingCancelled(broker.Retry)},
		{"cancelled and released", settlingCancelled(broker.Released)},
		{"cancelled, and its lease ran out", cancelledAndLate},
		{"archived after its lease ran out", archivedLate},
		{"done in a batch", settlingInBatch(broker.Done)},
		{"archived in a batch", settlingInBatch(broker.Archived)},
	}
	for _, state := range []task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating} {
		for _, do := range []broker.Act{broker.Delete, broker.Archive, broker.Cancel} {
			all = append(all,
				ending{name(do, state), movedIn(state, func(x *trial, id string) { x.must(moving(do, id)) })},
				ending{"sweep-" + name(do, state), movedIn(state, func(x *trial, _ string) { x.sweep(state, do, 10) })})
		}
	}
	return all
}

// inState returns e as it is to be added to be brought into state.
func inState(e broker.Entry, state task.State) broker.Entry {
	switch state {
	case task.Scheduled:
		e.DueAt = time.Now().Add(2 * time.Hour)
	case task.Aggregating:
		e.Group = "g"
	}
	return e
}

func movedIn(state task.State, move func(x *trial, id string)) func(*trial, broker.Entry) func() {
	return func(x *trial, e broker.Entry) func() {
		x.broughtAs(inState(e, state), state)
		return func() { move(x, e.ID) }
	}
}

func settlingAs(to broker.Outcome, end broker.End) func(*trial, broker.Entry) func() {
	return func(x *trial, e broker.Entry) func() {
		s := settled(x.broughtAs(e, task.Active), to)
		s.End = end
		return func() { x.must(broker.Change{Settle: []broker.Settlement{s}}) }
	}
}

func settlingWatched(x *trial, e broker.Entry) func() {
	l := x.broughtAs(e, task.Active)
	x.must(watching(e.ID))
	return func() { x.must(settling(l, broker.Done)) }
}

func settlingCancelled(to broker.Outcome) func(*trial, broker.Entry) func() {
	return func(x *trial, e broker.Entry) func() {
		l := x.broughtAs(e, task.Active)
		x.must(moving(broker.Cancel, e.ID))
		return func() { x.must(settling(l, to)) }
	}
}

// lapsed adds e to q, which is empty of what is pending, leases it and lets its
// lease run out.
func lapsed(x *trial, e broker.Entry) {
	x.must(broker.Change{Enqueue: []broker.Entry{e}})
	if l := x.leaseFor(e.Queue, time.Second); l.Entry.ID != e.ID {
		x.Fatalf("leased %s, want %s", l.Entry.ID, e.ID)
	}
	x.pass(time.Second)
}

func cancelledAndLate(x *trial, e broker.Entry) func() {
	lapsed(x, e)
	x.must(moving(broker.Cancel, e.ID))
	return func() { equal(x, "cancelled", x.advance(e.Queue).Cancelled, 1) }
}

func archivedLate(x *trial, e broker.Entry) func() {
	lapsed(x, e)
	return func() { x.must(moving(broker.Archive, e.ID)) }
}

func settlingInBatch(to broker.Outcome) func(*trial, broker.Entry) func() {
	return func(x *trial, e broker.Entry) func() {
		x.enqueue(inState(e, task.Aggregating))
		members := x.gather("g", "batch-"+to.String(), 1).Members
		if len(members) != 1 {
			x.Fatalf("gathered %d entries, want 1", len(members))
		}
		return func() { x.must(settling(members[0], to)) }
	}
}
