package brokertest

import (
	"errors"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var movePromises = []promise{
	{"an act is done from the states that it is for, and refused in all others", moveStates},
	{"an entry that is run is ready at the back of its queue, and counts nothing", moveRun},
	{"an entry that is run leaves its group for good", moveRunLeaves},
	{"to run an entry forgets how it ended and its crashes, not its retries", moveRunForgets},
	{"an entry that is archived or deleted by hand counts nothing", moveCountsNothing},
	{"an archived entry keeps what it was", moveArchiveKeeps},
	{"an entry that is rescheduled waits until its time", moveReschedule},
	{"an entry that is rescheduled for a time that is not after now is ready", moveRescheduleNow},
	{"a lease that has run out may be run, archived and deleted, and is lost", moveRanOut},
	{"a lease that has run out may not be rescheduled", moveRanOutReschedule},
	{"an entry that is frozen in a batch is in no state to be moved", moveFrozen},
	{"an entry that does not exist cannot be moved", moveUnknown},
	{"a move that fails leaves its change undone", moveAllOrNone},
	{"moves are made after settlements and before entries are enqueued", moveOrder},
	{"a thousand entries are moved in one change", moveThousand},
}

func moveStates(x *trial) {
	for _, do := range acts {
		for _, state := range task.States() {
			id := name(do, state)
			x.brought(id, state)
			if !movable(do, state) {
				x.wrongState(id, moving(do, id), id, state)
				x.in(id, state, id)
			} else {
				x.must(moving(do, id))
			}
			x.clear()
		}
	}
}

// clear deletes all entries of q but those that are active, which it settles.
func (x *trial) clear() {
	x.Helper()
	x.advance("q")
	for _, state := range task.States() {
		if state != task.Active {
			x.sweep(state, broker.Delete, broker.MaxSweep)
		}
	}
	for _, e := range x.page(broker.ListRequest{Queue: "q", State: task.Active, Limit: 10}) {
		x.pass(2 * time.Hour)
		x.must(broker.Change{Move: []broker.Move{{EntryRef: e.EntryRef, Do: broker.Delete}}})
	}
	if n := x.counts("q").Size(); n != 0 {
		x.Fatalf("q holds %d entries, want none", n)
	}
}

func moveRun(x *trial) {
	for _, state := range []task.State{task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating} {
		x.brought(state.String(), state)
	}
	before := x.counts("q")
	x.enqueue(entry("q", "first"))
	x.must(moving(broker.Run, "retry", "completed"), moving(broker.Run, "scheduled", "archived", "aggregating"))
	x.pending("", "first", "retry", "completed", "scheduled", "archived", "aggregating")
	x.figures("after", before.Processed, before.Failed)
	s := x.get("q", "completed")
	equal(x, "times", []time.Time{s.Until, s.DueAt, x.get("q", "scheduled").DueAt}, []time.Time{{}, {}, {}})
	equal(x, "leased", len(x.lease("q", 10)), 6)
	equal(x, "advanced", x.advance("q").Due, 0)
}

func moveRunLeaves(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"))
	x.must(moving(broker.Run, "a"))
	equal(x, "group when run", x.get("q", "a").Group, "")
	x.must(settling(x.leaseOne("q"), broker.Retry))
	x.pass(time.Minute)
	x.advance("q")
	x.pending("when its retry is due", "a")
	equal(x, "waiting", x.waiting("g"), []string{"b"})
}

func moveRunForgets(x *trial) {
	e := entry("q", "a")
	e.MaxCrashes = 5
	x.enqueue(e)
	x.crash("a", 2)
	s := settled(x.leaseOne("q"), broker.Archived)
	s.End, s.Entry.Retried, s.Entry.LastErr = broker.Poison, 3, "failed"
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	equal(x, "end", x.get("q", "a").End, broker.Poison)
	x.must(moving(broker.Run, "a"))
	got := x.get("q", "a")
	equal(x, "end when run", got.End, broker.End(0))
	equal(x, "crashes and retries", []int{got.Crashes, got.Retried}, []int{0, 3})
	equal(x, "last error", got.LastErr, "failed")
	x.crash("a", 1)
	x.leaseFor("q", time.Second)
	x.pass(time.Second)
	x.must(moving(broker.Run, "a"))
	equal(x, "crashes when run after one", x.get("q", "a").Crashes, 0)
	equal(x, "attempts", len(x.get("q", "a").Attempts), 3)
}

// crash has the lease of q/a, which is next, run out as often.
func (x *trial) crash(id string, times int) {
	x.Helper()
	for range times {
		if l := x.leaseFor("q", 4*time.Second); l.Entry.ID != id {
			x.Fatalf("leased %s, want %s", l.Entry, id)
		}
		x.pass(4 * time.Second)
		equal(x, "recovered", x.advance("q").Recovered, 1)
	}
}

func moveCountsNothing(x *trial) {
	for _, do := range []broker.Act{broker.Archive, broker.Delete, broker.Cancel, broker.Reschedule} {
		for _, state := range []task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating} {
			id := name(do, state)
			x.brought(id, state)
			before := x.counts("q")
			x.must(moving(do, id))
			x.figures(id, before.Processed, before.Failed)
		}
	}
}

func moveArchiveKeeps(x *trial) {
	e := full("q", "a")
	x.enqueue(e)
	x.must(moving(broker.Archive, "a"))
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Archived})
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
	e.ID, e.Group, e.DueAt = "b", "g", time.Now().Add(time.Hour)
	x.enqueue(e)
	x.must(moving(broker.Archive, "b"))
	e.DueAt = time.Time{}
	equal(x, "stored", x.get("q", "b"), broker.Stored{Entry: e, State: task.Archived})
	x.pass(2 * time.Hour)
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
}

func moveReschedule(x *trial) {
	at := time.Now().Add(90*time.Minute + 1500*time.Microsecond)
	for _, state := range []task.State{task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating} {
		x.brought(state.String(), state)
		c := moving(broker.Reschedule, state.String())
		c.Move[0].At = at
		x.must(c)
		s := x.get("q", state.String())
		equal(x, "due", s.DueAt, broker.CeilMilli(at))
		equal(x, "state and group", []any{s.State, s.Group, s.End, s.Until}, []any{task.Scheduled, "", broker.End(0), time.Time{}})
	}
	x.pass(90*time.Minute + time.Millisecond)
	equal(x, "advanced before", x.advance("q"), broker.Advanced{Next: broker.CeilMilli(at)})
	x.pass(time.Millisecond)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Due: 6})
	x.pending("", "aggregating", "archived", "completed", "pending", "retry", "scheduled")
}

func moveRescheduleNow(x *trial) {
	x.brought("a", task.Scheduled)
	x.brought("b", task.Aggregating)
	x.enqueue(entries("q", "c", "d")...)
	for id, at := range map[string]time.Time{"a": time.Now(), "b": time.Now().Add(-time.Hour)} {
		c := moving(broker.Reschedule, id)
		c.Move[0].At = at
		x.must(c)
	}
	c := moving(broker.Reschedule, "c")
	c.Move[0].At = time.Now()
	x.must(c)
	got := x.list("q", task.Pending)
	equal(x, "first and last", []string{got[0], got[len(got)-1]}, []string{"d", "c"})
	equal(x, "leased", len(x.lease("q", 9)), 4)
}

func moveRanOut(x *trial) {
	for _, do := range []broker.Act{broker.Archive, broker.Delete, broker.Run} {
		id := do.String()
		x.enqueue(entry("q", id))
		l := x.leaseFor("q", 4*time.Second)
		x.wrongState(id+" while it lasts", moving(do, id), id, task.Active)
		x.pass(4 * time.Second)
		x.must(moving(do, id))
		equal(x, id+": held", x.extend(time.Hour, l.Ref()), []broker.Held{broker.Lost})
		x.lost(id, settling(l, broker.Done))
		equal(x, id+": advanced", x.advance("q"), broker.Advanced{})
	}
	x.in("run", task.Pending, "run")
	x.in("archived", task.Archived, "archive")
	x.missing("deleted", "delete")
	x.figures("after", 0, 0)
	x.must(settling(x.leaseOne("q"), broker.Done))
}

func moveRanOutReschedule(x *trial) {
	x.enqueue(entry("q", "a"))
	x.leaseOne("q")
	x.pass(time.Minute)
	x.wrongState("reschedule", moving(broker.Reschedule, "a"), "a", task.Active)
}

func moveFrozen(x *trial) {
	x.enqueue(grouped("a", "g"))
	x.gather("g", "t", 1)
	for _, do := range acts {
		err := x.refused(moving(do, "a"))
		found, ok := errors.AsType[*broker.StateError](err)
		if !ok || !found.Frozen || found.State != task.Aggregating {
			x.Errorf("%s: outcome = %v, want a StateError of one that is frozen", do, err)
		}
	}
	x.pass(time.Hour)
	x.refused(moving(broker.Delete, "a"))
	equal(x, "frozen", x.get("q", "a").State, task.Aggregating)
}

func moveUnknown(x *trial) {
	x.enqueue(entry("p", "a"))
	for _, do := range acts {
		x.notFound(do.String(), moving(do, "a"))
	}
	equal(x, "queues", x.queues(), []string{"p"})
}

func moveAllOrNone(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	c := moving(broker.Delete, "a", "none")
	c.Enqueue = entries("q", "new")
	x.notFound("the second", c)
	c = moving(broker.Archive, "a")
	c.Move = append(c.Move, moving(broker.Run, "b").Move...)
	x.wrongState("the second", c, "b", task.Pending)
	c = moving(broker.Delete, "a")
	c.Enqueue = entries("q", "b")
	if err := x.refused(c); !errors.Is(err, broker.ErrExists) {
		x.Errorf("outcome = %v, want %v", err, broker.ErrExists)
	}
	x.pending("", "a", "b")
}

func moveOrder(x *trial) {
	x.enqueue(entries("q", "done", "archived")...)
	x.must(settling(x.lease("q", 2)[1], broker.Archived))
	x.pass(10 * time.Second)
	c := moving(broker.Run, "archived")
	c.Enqueue = entries("q", "new")
	x.enqueue(entry("q", "first"))
	x.must(c)
	x.pending("", "first", "archived", "new")
	c = moving(broker.Delete, "first")
	c.Enqueue = entries("q", "first")
	if err := x.refused(c); !errors.Is(err, broker.ErrExists) {
		x.Errorf("outcome = %v, want %v: a check sees nothing of its own change", err, broker.ErrExists)
	}
}

func moveThousand(x *trial) {
	x.must(broker.Change{Enqueue: numbered("e", broker.MaxParts)})
	ids := x.list("q", task.Pending)
	x.must(moving(broker.Archive, ids...))
	x.must(moving(broker.Run, ids...))
	x.pending("", ids...)
	x.must(moving(broker.Delete, ids...))
	equal(x, "size", x.counts("q").Size(), 0)
}
