package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var cancelPromises = []promise{
	{"an entry that waits is archived as cancelled, and counts nothing", cancelWaiting},
	{"an active one is asked for, and its lease is told so until it ends", cancelAsked},
	{"an active one can be asked for again", cancelAgain},
	{"one that was asked for is settled as done, completed or archived as its holder says", cancelSettled},
	{"one that was asked for and would be retried is archived, with what Retry stores", cancelRetry},
	{"one that was asked for and is released is archived as it was", cancelReleased},
	{"one that was asked for and whose lease runs out is archived by Advance", cancelRanOut},
	{"a cancelled entry that is run is as if it had not been", cancelRun},
	{"an entry is archived with the end that its settlement says", cancelEnds},
}

func cancelWaiting(x *trial) {
	states := []task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating}
	for _, state := range states {
		x.brought(state.String(), state)
		before := x.counts("q")
		x.must(moving(broker.Cancel, state.String()))
		s := x.get("q", state.String())
		equal(x, state.String(), []any{s.State, s.End, s.CancelAsked}, []any{task.Archived, broker.Cancelled, false})
		x.figures(state.String(), before.Processed, before.Failed)
	}
	equal(x, "counts of archived", x.counts("q").Archived, len(states))
}

func cancelAsked(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	l := x.lease("q", 2)
	equal(x, "asked before", x.get("q", "a").CancelAsked, false)
	x.must(moving(broker.Cancel, "a"))
	s := x.get("q", "a")
	equal(x, "state", []any{s.State, s.CancelAsked, s.End}, []any{task.Active, true, broker.End(0)})
	equal(x, "listed", x.page(broker.ListRequest{Queue: "q", State: task.Active, Limit: 1})[0].CancelAsked, true)
	for range 2 {
		equal(x, "held", x.extend(time.Minute, l[0].Ref(), l[1].Ref()), []broker.Held{broker.Asked, broker.Kept})
	}
	equal(x, "lasts until", x.get("q", "a").Until, time.Now().Add(time.Minute))
	equal(x, "held when it reports", x.report("half", l...), []broker.Held{broker.Asked, broker.Kept})
}

func cancelAgain(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.must(moving(broker.Cancel, "a"), moving(broker.Cancel, "a"))
	x.pass(time.Minute)
	x.must(moving(broker.Cancel, "a"))
	equal(x, "held", x.extend(time.Minute, l.Ref()), []broker.Held{broker.Asked})
}

func cancelSettled(x *trial) {
	for _, c := range []struct {
		to                broker.Outcome
		end               broker.End
		state             task.State
		processed, failed int
	}{
		{broker.Done, 0, 0, 1, 0},
		{broker.Completed, 0, task.Completed, 1, 0},
		{broker.Archived, 0, task.Archived, 1, 1},
		{broker.Archived, broker.Cancelled, task.Archived, 1, 0},
	} {
		id := c.to.String() + c.end.String()
		x.enqueue(entry("q", id))
		l := x.leaseOne("q")
		x.must(moving(broker.Cancel, id))
		s := settled(l, c.to)
		s.End = c.end
		before := x.counts("q")
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		x.figures(id, before.Processed+c.processed, before.Failed+c.failed)
		if c.state == 0 {
			x.missing(id, id)
			continue
		}
		got := x.get("q", id)
		equal(x, id, []any{got.State, got.End, got.CancelAsked}, []any{c.state, c.end, false})
	}
}

func cancelRetry(x *trial) {
	x.enqueue(full("q", "a"))
	s := left(settled(x.leaseOne("q"), broker.Retry))
	s.Failed, s.Attempt = true, &broker.Attempt{Started: time.Now(), Ended: time.Now(), Worker: "w", Err: "cancelled"}
	x.must(moving(broker.Cancel, "a"), broker.Change{Settle: []broker.Settlement{s}})
	want := broker.Stored{Entry: s.Entry, State: task.Archived, End: broker.Cancelled, Result: s.Result, Attempts: []broker.Attempt{*s.Attempt}}
	equal(x, "stored", x.get("q", "a"), want)
	x.figures("after", 1, 0)
	x.pass(time.Hour)
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
}

func cancelReleased(x *trial) {
	e := full("q", "a")
	x.enqueue(e)
	s := left(settled(x.leaseOne("q"), broker.Released))
	x.must(moving(broker.Cancel, "a"), broker.Change{Settle: []broker.Settlement{s}})
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Archived, End: broker.Cancelled})
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
	x.figures("after", 1, 0)
}

func cancelRanOut(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	x.leaseFor("q", 4*time.Second)
	l := x.leaseFor("q", 4*time.Second)
	x.must(moving(broker.Cancel, "b"))
	x.pass(4 * time.Second)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Recovered: 1, Cancelled: 1})
	x.pending("", "a")
	s := x.get("q", "b")
	equal(x, "stored", []any{s.State, s.End, s.CancelAsked, s.Crashes}, []any{task.Archived, broker.Cancelled, false, 1})
	equal(x, "attempts", s.Attempts, []broker.Attempt{{Ended: time.Now(), Err: broker.LeaseRanOut}})
	x.lost("the lease", settling(l, broker.Done))
	x.figures("after", 0, 0)
}

func cancelRun(x *trial) {
	x.enqueue(entry("q", "a"))
	x.must(moving(broker.Cancel, "a"), moving(broker.Run, "a"))
	equal(x, "end", x.get("q", "a").End, broker.End(0))
	l := x.leaseOne("q")
	x.must(moving(broker.Cancel, "a"))
	x.must(settling(l, broker.Retry), moving(broker.Run, "a"))
	equal(x, "stored", []any{x.get("q", "a").State, x.get("q", "a").End}, []any{task.Pending, broker.End(0)})
	l = x.leaseOne("q")
	equal(x, "held", x.extend(time.Minute, l.Ref()), []broker.Held{broker.Kept})
	x.must(settling(l, broker.Retry))
	x.in("retried", task.Retry, "a")
	l = x.leaseOf("a")
	x.must(moving(broker.Cancel, "a"))
	x.pass(4 * time.Second)
	x.must(moving(broker.Run, "a"))
	equal(x, "held after it ran out and was run", x.extend(time.Minute, x.leaseOne("q").Ref()), []broker.Held{broker.Kept})
	x.lost("the lease before", settling(l, broker.Done))
}

// leaseOf runs q/id, and leases it for four seconds.
func (x *trial) leaseOf(id string) broker.Lease {
	x.Helper()
	x.must(moving(broker.Run, id))
	l := x.leaseFor("q", 4*time.Second)
	if l.Entry.ID != id {
		x.Fatalf("leased %s, want %s", l.Entry, id)
	}
	return l
}

func cancelEnds(x *trial) {
	for _, c := range []struct {
		end    broker.End
		failed int
	}{{0, 1}, {broker.Cancelled, 0}, {broker.Expired, 0}, {broker.Poison, 1}} {
		id := "id" + c.end.String()
		x.enqueue(entry("q", id))
		s := settled(x.leaseOne("q"), broker.Archived)
		s.End = c.end
		before := x.counts("q")
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		x.figures(id, before.Processed+1, before.Failed+c.failed)
		equal(x, id, x.get("q", id).End, c.end)
		listed := x.page(broker.ListRequest{Queue: "q", State: task.Archived, Newest: true, Limit: 9})
		for _, e := range listed {
			if e.ID == id {
				equal(x, id+" listed", e.End, c.end)
			}
		}
	}
}
