package brokertest

import (
	"errors"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var behindPromises = []promise{
	{"an entry waits as scheduled behind an active one that holds its claim", behindWaits},
	{"it takes the claim and is ready as soon as that is freed, at the back of its queue", behindTakes},
	{"whatever frees the claim lets it go on", behindFreed},
	{"what keeps the claim lets it wait", behindKept},
	{"only one waits, and a second is refused and told of the first", behindOne},
	{"it is refused if the one that holds the claim is not active", behindNotActive},
	{"if the claim is free, Behind says nothing", behindFree},
	{"if its own change frees the claim, it takes it", behindThen},
	{"it waits again if it is due and the claim is held, and that is not counted", behindAgain},
	{"one that is due and whose claim is free takes it", behindHold},
	{"one that is moved goes without the claim, and another may wait", behindMoved},
	{"a refused change lets nothing wait", behindRefused},
}

// behind returns an entry of q that claims k, and waits for it if it has to.
func behind(id string) broker.Entry {
	e := lasting(id)
	e.Claim.Behind = true
	return e
}

// heldBy enqueues an entry of q that claims k, and leases it.
func (x *trial) heldBy(id string) broker.Lease {
	x.Helper()
	x.enqueue(lasting(id))
	return x.leaseOne("q")
}

func behindWaits(x *trial) {
	l := x.heldBy("a")
	e := behind("b")
	e.Claim.Since = time.Now()
	x.enqueue(e)
	want := broker.Stored{Entry: e, State: task.Scheduled}
	want.DueAt = time.Now().Add(broker.BehindRetry)
	equal(x, "stored", x.get("q", "b"), want)
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
	x.must(settling(l, broker.Done))
}

func behindTakes(x *trial) {
	l := x.heldBy("a")
	x.enqueue(behind("b"), entry("q", "c"))
	x.must(settling(l, broker.Done))
	x.pending("", "c", "b")
	want := behind("b")
	want.Claim.Behind = false
	equal(x, "stored", x.get("q", "b"), broker.Stored{Entry: want, State: task.Pending})
	x.claimed("by another", lasting("d"), "b")
	x.pass(time.Hour)
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
	x.must(settling(x.leaseOne("q"), broker.Done), settling(x.leaseOne("q"), broker.Done))
	x.freed("when both are done")
}

func behindFreed(x *trial) {
	for _, to := range []broker.Outcome{broker.Done, broker.Completed, broker.Archived} {
		l := x.heldBy("a-" + to.String())
		x.enqueue(behind("b"))
		x.must(settling(l, to))
		x.pending(to.String(), "b")
		x.must(moving(broker.Delete, "b"))
	}
	for _, do := range []broker.Act{broker.Delete, broker.Archive, broker.Cancel} {
		id := "a-" + do.String()
		l := x.heldBy(id)
		x.enqueue(behind("b"))
		x.must(settling(l, broker.Released), moving(do, id))
		x.pending(do.String(), "b")
		x.must(moving(broker.Delete, "b"))
	}
	x.enqueue(lasting("a"))
	x.leaseFor("q", 4*time.Second)
	x.enqueue(behind("b"))
	x.must(moving(broker.Cancel, "a"))
	x.pass(4 * time.Second)
	equal(x, "cancelled", x.advance("q").Cancelled, 1)
	x.pending("when its lease ran out", "b")
}

func behindKept(x *trial) {
	x.enqueue(lasting("a"))
	l := x.leaseFor("q", 4*time.Second)
	x.enqueue(behind("b"))
	x.must(settling(l, broker.Released))
	x.in("released", task.Scheduled, "b")
	x.leaseFor("q", 3*time.Second)
	x.pass(3 * time.Second)
	equal(x, "recovered", x.advance("q").Recovered, 1)
	x.in("recovered", task.Scheduled, "b")
	x.must(settling(x.leaseOne("q"), broker.Retry))
	x.in("retried", task.Scheduled, "b")
	x.must(moving(broker.Delete, "a"))
	x.in("deleted", task.Pending, "b")
}

func behindOne(x *trial) {
	l := x.heldBy("a")
	x.enqueue(behind("b"))
	x.claimed("a second", behind("c"), "b")
	x.claimed("one that would not wait", lasting("c"), "a")
	x.must(settling(l, broker.Done))
	x.claimed("while the first is ready", behind("c"), "b")
	x.leaseOne("q")
	x.enqueue(behind("c"))
}

func behindNotActive(x *trial) {
	x.enqueue(lasting("a"))
	x.claimed("pending", behind("b"), "a")
	x.must(settling(x.leaseOne("q"), broker.Retry))
	x.claimed("to be retried", behind("b"), "a")
	x.must(moving(broker.Delete, "a"))
	e := lasting("g")
	e.Group = "g"
	x.enqueue(e)
	x.claimed("in a group", behind("b"), "g")
	x.gather("g", "t", 1)
	x.claimed("in a batch", behind("b"), "g")
}

func behindFree(x *trial) {
	x.enqueue(behind("a"))
	want := lasting("a")
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: want, State: task.Pending})
	x.claimed("by another", lasting("b"), "a")
	e := lasting("held")
	e.Claim.Key, e.Claim.Hold = "k2", time.Now().Add(time.Minute)
	x.enqueue(e)
	x.must(moving(broker.Delete, "held"))
	x.pass(time.Minute)
	e = behind("c")
	e.Claim.Key = "k2"
	x.enqueue(e)
	x.in("when its Hold has passed", task.Pending, "c")
}

func behindThen(x *trial) {
	c := settling(x.heldBy("a"), broker.Done)
	c.Enqueue = []broker.Entry{behind("b")}
	x.must(c)
	x.pending("", "b")
	equal(x, "claim", x.get("q", "b").Claim, broker.Claim{Key: "k"})
	x.claimed("by another", lasting("c"), "b")
}

func behindAgain(x *trial) {
	l := x.heldBy("a")
	x.enqueue(behind("b"))
	x.extend(time.Hour, l.Ref())
	x.awake(broker.BehindRetry-time.Millisecond, "q")
	equal(x, "advanced before", x.advance("q"), broker.Advanced{Next: time.Now().Add(time.Millisecond)})
	x.pass(3 * time.Millisecond)
	until := time.Now().Add(broker.BehindRetry)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Next: until})
	equal(x, "due", x.get("q", "b").DueAt, until)
	x.must(settling(l, broker.Done))
	x.pending("", "b")
}

func behindHold(x *trial) {
	e := lasting("a")
	e.Claim.Hold = time.Now().Add(20 * time.Second)
	x.enqueue(e)
	l := x.leaseOne("q")
	x.enqueue(behind("b"))
	x.must(settling(l, broker.Done))
	x.in("while it is held", task.Scheduled, "b")
	x.pass(broker.BehindRetry)
	x.advance("q")
	x.in("when it was due", task.Scheduled, "b")
	x.pass(broker.BehindRetry)
	equal(x, "due", x.advance("q").Due, 1)
	x.claimed("by another", lasting("c"), "b")
}

func behindMoved(x *trial) {
	l := x.heldBy("a")
	for _, do := range []broker.Act{broker.Delete, broker.Archive, broker.Cancel, broker.Run, broker.Reschedule} {
		id := "id-" + do.String()
		x.enqueue(behind(id))
		x.must(moving(do, id))
		x.claimed(do.String()+": the claim is still held", lasting("other"), "a")
		if do != broker.Delete {
			equal(x, do.String()+": Behind", x.get("q", id).Claim.Behind, false)
		}
	}
	x.pending("run", "id-run")
	x.in("rescheduled", task.Scheduled, "id-reschedule")
	x.must(settling(l, broker.Done))
	x.freed("when the first is done")
	x.pass(time.Hour)
	equal(x, "due", x.advance("q").Due, 1)
	x.freed("when the one that was rescheduled is ready")
}

func behindRefused(x *trial) {
	l := x.heldBy("a")
	c := broker.Change{Enqueue: []broker.Entry{behind("b"), entry("q", "a")}}
	if err := x.refused(c); !errors.Is(err, broker.ErrExists) {
		x.Errorf("outcome = %v, want %v", err, broker.ErrExists)
	}
	x.enqueue(behind("c"))
	x.must(settling(l, broker.Done))
	x.pending("", "c")
}
