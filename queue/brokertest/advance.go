package brokertest

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var advancePromises = []promise{
	{"what becomes due goes to the back in order of its time, ties by id", advanceDue},
	{"nothing is early by a millisecond", advanceNeverEarly},
	{"what is recovered goes to the front in order of its lease's end, ties by id", advanceRecovered},
	{"a recovered entry is as it was leased, but for its crash", advanceRecoveredAsItWas},
	{"only the queues asked for are advanced", advanceOnlyAsked},
	{"at most as much is done as was asked for", advanceLimit},
	{"a limit is used up by the queues in their order", advanceLimitOrder},
	{"a limit is used up by what is due, to be recovered, past, in that order", advanceLimitKinds},
	{"next is the earliest time that anything waits for", advanceNext},
	{"next is not after now when the limit is reached", advanceNextAtLimit},
	{"nothing to do is nothing done, and no next", advanceNothing},
	{"a thousand entries become due in one call", advanceThousand},
}

// scheduled returns an entry that is due d from now.
func scheduled(queue, id string, d time.Duration) broker.Entry {
	e := entry(queue, id)
	e.DueAt = time.Now().Add(d)
	return e
}

func advanceDue(x *trial) {
	x.enqueue(entries("q", "retried", "first")...)
	retry := settled(x.leaseOne("q"), broker.Retry)
	retry.At = time.Now().Add(1501 * time.Millisecond)
	x.must(broker.Change{Settle: []broker.Settlement{retry}})
	x.enqueue(
		scheduled("q", "later", 1502*time.Millisecond),
		scheduled("q", "tie-b", 1500*time.Millisecond),
		scheduled("q", "tie-a", 1500*time.Millisecond),
		scheduled("q", "tie-B", 1500*time.Millisecond),
		scheduled("q", "soon", 1001*time.Millisecond),
		scheduled("q", "much-later", time.Hour),
	)
	x.pass(10 * time.Second)
	equal(x, "due", x.advance("q").Due, 6)
	equal(x, "pending", x.list("q", task.Pending), []string{"first", "soon", "tie-B", "tie-a", "tie-b", "retried", "later"})
	equal(x, "scheduled", x.list("q", task.Scheduled), []string{"much-later"})
}

func advanceNeverEarly(x *trial) {
	x.pass(123 * time.Millisecond)
	for i := range 20 {
		x.enqueue(scheduled("q", fmt.Sprintf("%02d", i), time.Duration(1+i)*time.Millisecond))
	}
	for i := range 20 {
		x.pass(time.Millisecond - 1)
		equal(x, "due a nanosecond before", x.advance("q").Due, 0)
		x.pass(1)
		equal(x, "due", x.advance("q").Due, 1)
		equal(x, "leased", x.leaseOne("q").Entry.ID, fmt.Sprintf("%02d", i))
	}
}

// leaseFor leases the next entry of queue for d.
func (x *trial) leaseFor(queue string, d time.Duration) broker.Lease {
	x.Helper()
	want := wanted(queue, 1)
	want.Until = time.Now().Add(d)
	leases := x.applyAnd(want).Leases
	if len(leases) != 1 {
		x.Fatalf("leased %d entries of %s, want 1", len(leases), queue)
	}
	return leases[0]
}

func advanceRecovered(x *trial) {
	x.enqueue(entries("q", "c", "b", "late", "a", "early", "first", "second")...)
	for _, d := range []time.Duration{3, 3, 4, 3, 2} {
		x.leaseFor("q", d*time.Second)
	}
	x.pass(5 * time.Second)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Recovered: 5})
	equal(x, "pending", x.list("q", task.Pending), []string{"early", "a", "b", "c", "late", "first", "second"})
}

func advanceRecoveredAsItWas(x *trial) {
	e := full("q", "a")
	x.enqueue(e)
	s := settled(x.leaseOne("q"), broker.Retry)
	s.Result = []byte("result")
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	x.pass(time.Minute)
	x.advance("q")
	x.leaseOne("q")
	x.awake(10*time.Second, "q")
	equal(x, "advanced", x.advance("q"), broker.Advanced{Recovered: 1})
	want := broker.Stored{Entry: e, State: task.Pending, Result: s.Result, Attempts: []broker.Attempt{{Ended: time.Now(), Err: broker.LeaseRanOut}}}
	want.Crashes = 1
	equal(x, "stored", x.get("q", "a"), want)
	equal(x, "processed and failed", x.counts("q").ProcessedTotal+x.counts("q").FailedTotal, 0)
}

func advanceOnlyAsked(x *trial) {
	for _, queue := range []string{"p", "q"} {
		x.enqueue(scheduled(queue, "due", time.Second), entry(queue, "leased"))
		x.leaseFor(queue, 4*time.Second)
	}
	x.pass(5 * time.Second)
	equal(x, "advanced of none", x.advance(), broker.Advanced{})
	equal(x, "advanced of unknown", x.advance("none"), broker.Advanced{})
	equal(x, "advanced", x.advance("none", "p"), broker.Advanced{Due: 1, Recovered: 1})
	equal(x, "pending in p", x.list("p", task.Pending), []string{"leased", "due"})
	equal(x, "pending in q", x.list("q", task.Pending), nil)
	equal(x, "advanced q", x.advance("q", "q"), broker.Advanced{Due: 1, Recovered: 1})
}

func advanceLimit(x *trial) {
	for i := range 5 {
		x.enqueue(scheduled("q", fmt.Sprint(i), time.Duration(5-i)*time.Millisecond))
	}
	x.pass(time.Second)
	for _, want := range [][]string{{"4", "3"}, {"4", "3", "2", "1"}, {"4", "3", "2", "1", "0"}} {
		x.advanceAtMost(2, "q")
		equal(x, "pending", x.list("q", task.Pending), want)
	}
	leases := x.lease("q", 5)
	equal(x, "number of leases", len(leases), 5)
	x.awake(10*time.Second, "q")
	equal(x, "recovered", x.advanceAtMost(3, "q").Recovered, 3)
	equal(x, "pending", x.list("q", task.Pending), []string{"0", "1", "2"})
	equal(x, "recovered", x.advanceAtMost(3, "q").Recovered, 2)
	equal(x, "pending", x.list("q", task.Pending), []string{"3", "4", "0", "1", "2"})
}

func advanceLimitOrder(x *trial) {
	for i, queue := range []string{"p", "q", "r"} {
		x.enqueue(scheduled(queue, "a", time.Duration(10-i)*time.Millisecond), scheduled(queue, "b", 10*time.Millisecond))
	}
	x.pass(time.Second)
	equal(x, "due", x.advanceAtMost(3, "q", "p", "r").Due, 3)
	for queue, want := range map[string][]string{"q": {"a", "b"}, "p": {"a"}, "r": nil} {
		equal(x, "pending in "+queue, x.list(queue, task.Pending), want)
	}
}

func advanceLimitKinds(x *trial) {
	x.enqueue(entries("q", "completed", "leased")...)
	s := settled(x.leaseOne("q"), broker.Completed)
	s.At = time.Now().Add(time.Second)
	x.must(broker.Change{Settle: []broker.Settlement{s}, Home: broker.Home{Queue: "q", ID: "run"}, Close: time.Now()})
	x.leaseFor("q", 2*time.Second)
	x.enqueue(scheduled("q", "due", 3*time.Second))
	x.pass(5 * time.Second)
	for _, want := range []broker.Advanced{{Due: 1}, {Recovered: 1}, {Expired: 1}, {Closed: 1}} {
		got := x.advanceAtMost(1, "q")
		got.Next = time.Time{}
		equal(x, "advanced", got, want)
	}
	equal(x, "advanced at last", x.advanceAtMost(1, "q"), broker.Advanced{})
}

func advanceNext(x *trial) {
	start := time.Now()
	x.enqueue(entries("q", "completed", "retry", "leased")...)
	completed := settled(x.leaseOne("q"), broker.Completed)
	completed.At = start.Add(2*time.Second - time.Millisecond)
	retry := settled(x.leaseOne("q"), broker.Retry)
	retry.At = start.Add(3001 * time.Millisecond)
	x.must(
		broker.Change{Settle: []broker.Settlement{completed}},
		broker.Change{Settle: []broker.Settlement{retry}},
		broker.Change{Home: broker.Home{Queue: "q", ID: "run"}, Close: start.Add(5005 * time.Millisecond)},
	)
	x.leaseFor("q", 4*time.Second)
	x.enqueue(scheduled("q", "due", 1001*time.Millisecond), scheduled("p", "due", time.Millisecond))
	for _, ms := range []time.Duration{1001, 2000, 3001, 4000, 5005} {
		next := start.Add(ms * time.Millisecond)
		equal(x, "next", x.advance("q").Next, next)
		x.pass(time.Until(next))
	}
	equal(x, "advanced at last", x.advance("q"), broker.Advanced{Closed: 1})
	equal(x, "next of both", x.advanceAtMost(10, "q", "p"), broker.Advanced{Due: 1})
}

func advanceNextAtLimit(x *trial) {
	x.enqueue(scheduled("q", "a", time.Second), scheduled("q", "b", time.Second), scheduled("q", "c", time.Hour))
	x.pass(time.Second)
	for i := range 2 {
		got := x.advanceAtMost(1, "q")
		if got.Due != 1 || got.Next.IsZero() || got.Next.After(time.Now()) {
			x.Errorf("advance %d = %+v, want one due and next not after now", i, got)
		}
	}
	equal(x, "advanced when the rest is for later", x.advanceAtMost(1, "q"), broker.Advanced{Next: time.Now().Add(time.Hour - time.Second)})
}

func advanceNothing(x *trial) {
	x.enqueue(entries("q", "pending", "archived")...)
	x.must(settling(x.leaseOne("q"), broker.Archived))
	x.pass(time.Hour)
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
}

func advanceThousand(x *trial) {
	var c broker.Change
	var ids []string
	for i := range broker.MaxParts {
		ids = append(ids, fmt.Sprint(i))
		c.Enqueue = append(c.Enqueue, scheduled("q", ids[i], time.Second+time.Duration(i)*time.Millisecond))
	}
	x.must(c)
	x.pass(time.Hour)
	equal(x, "due", x.advance("q").Due, broker.MaxParts)
	equal(x, "pending", x.list("q", task.Pending), ids)
	x.lease("q", broker.MaxParts)
	x.awake(10*time.Second, "q")
	equal(x, "recovered", x.advance("q").Recovered, broker.MaxParts)
	equal(x, "pending", len(x.list("q", task.Pending)), broker.MaxParts)
}
