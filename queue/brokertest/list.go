package brokertest

import (
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var listPromises = []promise{
	{"entries of each state come in the order in which they are next touched", listOrder},
	{"archived entries come by the second in which they were archived", listArchived},
	{"a page begins at its offset and ends at its limit", listPages},
	{"a listed entry is whole", listWhole},
	{"a queue or state without entries lists none", listNone},
	{"an entry that does not exist is not found", listNotFound},
	{"counts say how many entries are in each state", listCounts},
	{"counts come in the order asked for, of all queues in order of their names", listCountsOrder},
	{"counts say since when the next entry has been ready", listReadySince},
}

func listOrder(x *trial) {
	at := func(ms time.Duration) time.Time { return time.Now().Add(ms * time.Millisecond) }
	settle := func(id string, to broker.Outcome, ms time.Duration) {
		x.enqueue(entry("q", id))
		s := settled(x.leaseOne("q"), to)
		s.At = at(ms)
		x.must(broker.Change{Settle: []broker.Settlement{s}})
	}
	settle("c2", broker.Completed, 2000)
	settle("c1", broker.Completed, 1999)
	settle("c3", broker.Completed, 2001)
	settle("r2", broker.Retry, 3001)
	settle("r3", broker.Retry, 3002)
	settle("r1", broker.Retry, 3001)
	for _, e := range []broker.Entry{scheduled("q", "s2", 1002*time.Millisecond), scheduled("q", "s3", 5*time.Second), scheduled("q", "s1", 1001*time.Millisecond)} {
		x.enqueue(e)
	}
	for id, d := range map[string]time.Duration{"a3": 9000, "a1": 7001, "a2": 8000} {
		x.enqueue(entry("q", id))
		x.leaseFor("q", d*time.Millisecond)
	}
	x.enqueue(entries("q", "p3", "p1", "p2")...)
	for state, want := range map[task.State][]string{
		task.Pending:   {"p3", "p1", "p2"},
		task.Active:    {"a1", "a2", "a3"},
		task.Scheduled: {"s1", "s2", "s3"},
		task.Retry:     {"r1", "r2", "r3"},
		task.Completed: {"c1", "c2", "c3"},
	} {
		equal(x, state.String(), x.list("q", state), want)
	}
}

func listArchived(x *trial) {
	x.enqueue(entries("q", "a2", "c1", "a1", "b1", "z0")...)
	leases := x.lease("q", 5)
	for i, wait := range []time.Duration{0, time.Millisecond, 998 * time.Millisecond, time.Millisecond, time.Millisecond} {
		x.pass(wait)
		x.must(settling(leases[4-i], broker.Archived))
	}
	equal(x, "archived", x.list("q", task.Archived), []string{"z0", "a1", "b1", "c1", "a2"})
}

func listPages(x *trial) {
	var all []string
	for i := range 25 {
		all = append(all, fmt.Sprintf("%02d", i))
	}
	x.enqueue(entries("pending", all...)...)
	x.enqueue(entries("active", all...)...)
	x.lease("active", len(all))
	for _, id := range all {
		x.enqueue(scheduled("scheduled", id, time.Hour))
	}
	for queue, state := range map[string]task.State{"pending": task.Pending, "active": task.Active, "scheduled": task.Scheduled} {
		for _, page := range []struct{ offset, limit, from, to int }{
			{0, 10, 0, 10}, {10, 10, 10, 20}, {20, 10, 20, 25}, {24, 1, 24, 25}, {25, 10, 25, 25}, {1000, 10, 25, 25}, {0, 100, 0, 25},
		} {
			found, err := x.b.List(x.Context(), broker.ListRequest{Queue: queue, State: state, Offset: page.offset, Limit: page.limit})
			if err != nil {
				x.Fatalf("List() = %v, want nil", err)
			}
			equal(x, fmt.Sprintf("%d %s from %d on", page.limit, state, page.offset), storedIDs(found), all[page.from:page.to])
		}
	}
}

func listWhole(x *trial) {
	x.enqueue(full("q", "a"))
	s := left(settled(x.leaseOne("q"), broker.Completed))
	s.At = time.Now().Add(time.Hour)
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	x.enqueue(full("q", "b"))
	l := x.leaseOne("q")
	later := full("q", "c")
	later.DueAt = time.Now().Add(1234 * time.Millisecond)
	x.enqueue(later, full("q", "d"))
	for _, want := range []broker.Stored{
		{Entry: s.Entry, State: task.Completed, Result: s.Result, Until: s.At},
		{Entry: full("q", "b"), State: task.Active, Until: l.Until},
		{Entry: later, State: task.Scheduled},
		{Entry: full("q", "d"), State: task.Pending},
	} {
		found, err := x.b.List(x.Context(), broker.ListRequest{Queue: "q", State: want.State, Limit: 5})
		if err != nil {
			x.Fatalf("List() = %v, want nil", err)
		}
		equal(x, want.State.String(), found, []broker.Stored{want})
	}
}

func listNone(x *trial) {
	x.enqueue(entry("q", "a"))
	for _, state := range []task.State{task.Active, task.Scheduled, task.Retry, task.Archived, task.Completed} {
		equal(x, state.String(), x.list("q", state), nil)
	}
	equal(x, "entries of no queue", x.list("none", task.Pending), nil)
}

func listNotFound(x *trial) {
	x.enqueue(entry("q", "a"))
	for _, ref := range []broker.EntryRef{{Queue: "q", ID: "b"}, {Queue: "none", ID: "a"}} {
		if got, err := x.b.Entry(x.Context(), ref); !errors.Is(err, broker.ErrNotFound) {
			x.Errorf("Entry(%s) = %+v, %v, want %v", ref, got, err, broker.ErrNotFound)
		}
	}
}

func listCounts(x *trial) {
	x.enqueue(entries("q", "c1", "c2", "r1", "r2", "r3", "a1", "l1", "l2")...)
	leases := x.lease("q", 8)
	for i, to := range []broker.Outcome{broker.Completed, broker.Completed, broker.Retry, broker.Retry, broker.Retry, broker.Archived} {
		x.must(settling(leases[i], to))
	}
	x.enqueue(entries("q", "p1", "p2", "p3", "p4")...)
	for i := range 5 {
		x.enqueue(scheduled("q", fmt.Sprint("s", i), time.Hour))
	}
	got := x.counts("q")
	want := broker.Counts{
		Queue: "q", Pending: 4, Active: 2, Scheduled: 5, Retry: 3, Archived: 1, Completed: 2,
		Processed: 3, Failed: 1, ProcessedTotal: 3, FailedTotal: 1, ReadySince: time.Now(),
	}
	equal(x, "counts", got, want)
	equal(x, "size", got.Size(), 17)
}

func listCountsOrder(x *trial) {
	x.enqueue(entry("m", "a"), entry("z", "a"), entry("Z", "a"), entry("a:1", "a"), entry("a", "a"))
	names := func(asked ...string) []string {
		all, err := x.b.Counts(x.Context(), time.Now(), asked...)
		if err != nil {
			x.Fatalf("Counts(%v) = %v, want nil", asked, err)
		}
		var names []string
		for _, c := range all {
			names = append(names, fmt.Sprint(c.Queue, " ", c.Pending))
		}
		return names
	}
	equal(x, "all", names(), []string{"Z 1", "a 1", "a:1 1", "m 1", "z 1"})
	equal(x, "some", names("z", "none", "a", "z"), []string{"z 1", "none 0", "a 1", "z 1"})
	equal(x, "of a queue that does not exist", x.counts("none"), broker.Counts{Queue: "none"})
}

func listReadySince(x *trial) {
	start := time.Now()
	since := func(what string, want time.Time) {
		x.Helper()
		equal(x, "ReadySince "+what, x.counts("q").ReadySince, want)
	}
	x.enqueue(entry("q", "a"), scheduled("q", "due", 2*time.Second))
	x.must(open(broker.Latch{ID: "l", Total: 1, Then: then("then")}))
	x.pass(1500 * time.Millisecond)
	since("of the first", start)
	x.pass(time.Second)
	x.advance("q")
	since("does not move", start)
	x.leaseOne("q")
	since("of one that was due", start.Add(2500*time.Millisecond))
	x.pass(time.Second)
	x.must(arrive("l", 0))
	x.leaseOne("q")
	since("of one that a latch made", start.Add(3500*time.Millisecond))
	x.leaseOne("q")
	since("of none", time.Time{})
}
