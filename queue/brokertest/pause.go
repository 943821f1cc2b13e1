package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var pausePromises = []promise{
	{"nothing is leased from a queue that is paused, until it is resumed", pauseLease},
	{"pausing says whether it was new", pauseNew},
	{"a queue that is paused need not exist, and does not begin to by that", pauseUnknown},
	{"everything else goes on in a queue that is paused", pauseRest},
	{"a request takes from the other queues what a paused one does not give", pauseOthers},
}

func pauseLease(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	x.pause("q", true)
	equal(x, "leased", leasedIDs(x.lease("q", 5)), nil)
	equal(x, "leased with a change", leasedIDs(x.applyAnd(wanted("q", 5), broker.Change{Enqueue: entries("q", "c")}).Leases), nil)
	equal(x, "paused", x.counts("q").Paused, true)
	x.pass(hours)
	equal(x, "leased later", leasedIDs(x.lease("q", 5)), nil)
	other := x.open()
	applied, err := other.Apply(x.Context(), time.Now(), nil, wanted("q", 5))
	if err != nil || len(applied.Leases) != 0 {
		x.Errorf("another broker leased %v, %v, want none and nil", leasedIDs(applied.Leases), err)
	}
	x.pause("q", false)
	equal(x, "leased when it was resumed", leasedIDs(x.lease("q", 5)), []string{"a", "b", "c"})
	equal(x, "paused", x.counts("q").Paused, false)
}

func pauseNew(x *trial) {
	for _, c := range []struct{ paused, fresh bool }{{false, false}, {true, true}, {true, false}, {false, true}, {false, false}} {
		if got := x.pause("q", c.paused); got != c.fresh {
			x.Errorf("Pause(%t) = %t, want %t", c.paused, got, c.fresh)
		}
	}
}

func pauseUnknown(x *trial) {
	x.pause("q", true)
	equal(x, "queues", x.queues(), nil)
	equal(x, "names", x.names(), nil)
	equal(x, "counts", x.counts("q"), broker.Counts{Queue: "q", Paused: true})
	x.enqueue(entry("q", "a"))
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
}

func pauseRest(x *trial) {
	x.enqueue(entries("q", "a", "b")...)
	leases := x.applyAnd(wantedFor("q", 2, 4*time.Second)).Leases
	x.pause("q", true)
	x.enqueue(scheduled("q", "due", time.Second), grouped("c", "g"))
	x.must(settling(leases[0], broker.Completed))
	equal(x, "gathered", len(x.gather("g", "t", 1).Members), 1)
	equal(x, "held", x.extend(4*time.Second, leases[1].Ref()), []broker.Held{broker.Kept})
	x.pass(4 * time.Second)
	a := x.advance("q")
	equal(x, "due and recovered", []int{a.Due, a.Recovered}, []int{1, 1})
	x.pending("", "b", "due")
	x.must(moving(broker.Run, "a"))
	x.in("run", task.Pending, "a")
}

func pauseOthers(x *trial) {
	x.enqueue(entries("p", "p1", "p2", "p3")...)
	x.enqueue(entries("q", "q1")...)
	x.pause("q", true)
	want := wanted("q", 3)
	want.Queues = append(want.Queues, broker.Share{Queue: "p", First: 1})
	equal(x, "leased", leasedIDs(x.applyAnd(want).Leases), []string{"p1", "p2", "p3"})
}
