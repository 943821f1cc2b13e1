package brokertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What operators do to entries and batches, as a case does it on its way.

// acts are all that there are.
var acts = []broker.Act{broker.Run, broker.Archive, broker.Delete, broker.Reschedule, broker.Cancel}

// moving returns a change that does something to entries of queue q.
func moving(do broker.Act, ids ...string) broker.Change {
	var c broker.Change
	for _, id := range ids {
		m := broker.Move{EntryRef: broker.EntryRef{Queue: "q", ID: id}, Do: do}
		if do == broker.Reschedule {
			m.At = time.Now().Add(time.Hour)
		}
		c.Move = append(c.Move, m)
	}
	return c
}

// wrongState demands that c is refused because q/id is in a state.
func (x *trial) wrongState(what string, c broker.Change, id string, state task.State) {
	x.Helper()
	err := x.apply(c)[0]
	found, ok := errors.AsType[*broker.StateError](err)
	if !ok || !errors.Is(err, broker.ErrState) {
		x.Errorf("%s: outcome = %v, want a StateError", what, err)
		return
	}
	want := broker.StateError{Entry: broker.EntryRef{Queue: "q", ID: id}, State: state, Frozen: found.Frozen && state == task.Aggregating}
	equal(x, what, *found, want)
}

// brought brings an entry q/id into a state, in which it stays for an hour, and
// returns its lease if it has one.
func (x *trial) brought(id string, state task.State) (l broker.Lease) {
	x.Helper()
	e := entry("q", id)
	switch state {
	case task.Scheduled:
		e.DueAt = time.Now().Add(2 * time.Hour)
	case task.Aggregating:
		e.Group = "g"
	}
	return x.broughtAs(e, state)
}

// broughtAs adds e, which is to wait in its state if that is scheduled or
// aggregating, and brings it into any other.
func (x *trial) broughtAs(e broker.Entry, state task.State) (l broker.Lease) {
	x.Helper()
	x.enqueue(e)
	to, settles := map[task.State]broker.Outcome{
		task.Retry: broker.Retry, task.Archived: broker.Archived, task.Completed: broker.Completed,
	}[state]
	if !settles && state != task.Active {
		return l
	}
	for _, leased := range x.applyAnd(wantedFor(e.Queue, broker.MaxParts, 2*time.Hour)).Leases {
		if leased.Entry.ID != e.ID {
			defer x.must(settling(leased, broker.Released))
			continue
		}
		l = leased
	}
	if settles {
		s := settled(l, to)
		s.At = time.Now().Add(2 * time.Hour)
		x.must(broker.Change{Settle: []broker.Settlement{s}})
	}
	return l
}

// wantedFor asks for at most most entries of queue for d.
func wantedFor(queue string, most int, d time.Duration) broker.LeaseRequest {
	want := wanted(queue, most)
	want.Until = time.Now().Add(d)
	return want
}

// grouped returns an entry of queue q in a group.
func grouped(id, group string) broker.Entry {
	e := entry("q", id)
	e.Group = group
	return e
}

// gather asks for a batch of at most most entries of a group of q, whenever
// there is one, for ten seconds.
func (x *trial) gather(group, token string, most int) broker.Batch {
	x.Helper()
	return x.gatherAs(broker.GatherRequest{Queue: "q", Group: group, Token: token, MaxSize: most, Until: time.Now().Add(10 * time.Second)})
}

func (x *trial) gatherAs(r broker.GatherRequest) broker.Batch {
	x.Helper()
	b, err := x.b.Gather(x.Context(), time.Now(), r)
	if err != nil {
		x.Fatalf("Gather(%s) = %v, want nil", brief(r), err)
	}
	return b
}

// waiting returns the ids of the entries that wait in a group of q, in order.
func (x *trial) waiting(group string) []string {
	x.Helper()
	return storedIDs(x.page(broker.ListRequest{Queue: "q", State: task.Aggregating, Group: group, Limit: broker.MaxParts}))
}

// page returns a page of a list.
func (x *trial) page(r broker.ListRequest) []broker.Stored {
	x.Helper()
	found, err := x.b.List(x.Context(), r)
	if err != nil {
		x.Fatalf("List(%s) = %v, want nil", brief(r), err)
	}
	return found
}

// pause pauses or resumes a queue, and returns whether that was new.
func (x *trial) pause(queue string, paused bool) bool {
	x.Helper()
	fresh, err := x.b.Pause(x.Context(), time.Now(), queue, paused)
	if err != nil {
		x.Fatalf("Pause(%s, %t) = %v, want nil", queue, paused, err)
	}
	return fresh
}

// sweep does one step of a sweep of q and returns to how many it was done.
func (x *trial) sweep(state task.State, do broker.Act, limit int) int {
	x.Helper()
	r := broker.SweepRequest{Queue: "q", State: state, Do: do, Limit: limit}
	if state == task.Aggregating {
		r.Group = "g"
	}
	n, err := x.b.Sweep(x.Context(), time.Now(), r)
	if err != nil {
		x.Fatalf("Sweep(%s) = %v, want nil", brief(r), err)
	}
	return n
}

// report reports progress of leases, and returns what they are.
func (x *trial) report(data string, leases ...broker.Lease) []broker.Held {
	x.Helper()
	var reports []broker.Progress
	for _, l := range leases {
		reports = append(reports, broker.Progress{LeaseRef: l.Ref(), Data: []byte(data)})
	}
	held, err := x.b.Report(x.Context(), time.Now(), reports...)
	if err != nil {
		x.Fatalf("Report() = %v, want nil", err)
	}
	return held
}

// remove removes a queue, in as many steps as that takes, and returns why it is
// not to be.
func (x *trial) remove(queue string, force bool) error {
	var err error
	for range 10 {
		err = x.b.Remove(x.Context(), time.Now(), queue, force)
		if err == nil || errors.Is(err, broker.ErrNotFound) || errors.Is(err, broker.ErrNotEmpty) {
			return err
		}
	}
	x.Errorf("Remove(%s) = %v, ten times", queue, err)
	return err
}

// gone demands that entries of q do not exist.
func (x *trial) missing(what string, ids ...string) {
	x.Helper()
	for _, id := range ids {
		if _, err := x.b.Entry(x.Context(), broker.EntryRef{Queue: "q", ID: id}); !errors.Is(err, broker.ErrNotFound) {
			x.Errorf("%s: Entry(q/%s) = %v, want %v", what, id, err, broker.ErrNotFound)
		}
	}
}

// in demands that entries of q are in a state.
func (x *trial) in(what string, state task.State, ids ...string) {
	x.Helper()
	for _, id := range ids {
		if got := x.get("q", id).State; got != state {
			x.Errorf("%s: q/%s is %s, want %s", what, id, got, state)
		}
	}
}

// figures demands how much was processed and failed in q, today and ever.
func (x *trial) figures(what string, processed, failed int) {
	x.Helper()
	c := x.counts("q")
	equal(x, what+": processed and failed", []int{c.Processed, c.Failed, c.ProcessedTotal, c.FailedTotal}, []int{processed, failed, processed, failed})
}

// movable says in which states an act is done.
func movable(do broker.Act, state task.State) bool {
	states := map[broker.Act][]task.State{
		broker.Run:        {task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
		broker.Archive:    {task.Pending, task.Scheduled, task.Retry, task.Aggregating, task.Completed},
		broker.Delete:     {task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
		broker.Reschedule: {task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating},
		broker.Cancel:     {task.Pending, task.Scheduled, task.Retry, task.Aggregating, task.Active},
	}
	return slices.Contains(states[do], state)
}

// name returns an id for an act in a state.
func name(do broker.Act, state task.State) string { return fmt.Sprintf("%s-%s", do, state) }
