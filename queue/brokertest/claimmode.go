package brokertest

import (
	"errors"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var claimModePromises = []promise{
	{"a claim without a TTL is held until its entry ends, however long that takes", modeLasts},
	{"whatever ends an entry frees its claim, in the same commit", modeFreed},
	{"what does not end an entry keeps its claim", modeKept},
	{"a claim with a TTL is kept while its entry is archived, and freed with it", modeTTL},
	{"a claim until start is freed when its entry is first leased, in a batch or not", modeUntilStart},
	{"a claim until start is held again by nobody when its entry comes back", modeStarted},
	{"a claim is held until its Hold, also if its entry ends before", modeHold},
	{"a claim whose entry ends after its Hold is freed with it", modeHoldPast},
	{"an entry that is run after it ended does not get its claim back", modeRunAgain},
	{"an entry that is read back has how its claim ends", modeReadBack},
	{"a claim without a key is none", modeNoKey},
}

// lasting returns an entry of q that claims k without a TTL.
func lasting(id string) broker.Entry {
	e := entry("q", id)
	e.Claim.Key = "k"
	return e
}

func modeLasts(x *trial) {
	x.enqueue(lasting("a"))
	x.pass(hours)
	x.claimed("after a long time", lasting("b"), "a")
	x.claimed("by one with a TTL", claiming("q", "b", "k"), "a")
}

// freed demands that k is free.
func (x *trial) freed(what string) {
	x.Helper()
	e := lasting("probe")
	if err := x.apply(broker.Change{Enqueue: []broker.Entry{e}})[0]; err != nil {
		x.Errorf("%s: the claim is not free: %v", what, err)
		return
	}
	x.must(moving(broker.Delete, "probe"))
}

func modeFreed(x *trial) {
	for _, to := range []broker.Outcome{broker.Done, broker.Completed, broker.Archived} {
		x.enqueue(lasting(to.String()))
		x.must(settling(x.leaseOne("q"), to))
		x.freed(to.String())
	}
	for _, do := range []broker.Act{broker.Archive, broker.Delete, broker.Cancel} {
		for _, state := range []task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating} {
			id := name(do, state)
			x.broughtAs(claimingIn(id, state), state)
			x.claimed(id, lasting("other"), id)
			x.must(moving(do, id))
			x.freed(id)
		}
	}
	x.enqueue(lasting("asked"))
	x.leaseFor("q", 4*time.Second)
	x.must(moving(broker.Cancel, "asked"))
	x.pass(4 * time.Second)
	equal(x, "cancelled", x.advance("q").Cancelled, 1)
	x.freed("one whose lease ran out and that was cancelled")
	x.enqueue(lasting("swept"))
	equal(x, "swept", x.sweep(task.Pending, broker.Delete, 9), 1)
	x.freed("one that was swept")
}

// claimingIn returns an entry that waits in a state, or is brought there, and
// claims k.
func claimingIn(id string, state task.State) broker.Entry {
	e := lasting(id)
	switch state {
	case task.Scheduled:
		e.DueAt = time.Now().Add(2 * time.Hour)
	case task.Aggregating:
		e.Group = "g"
	}
	return e
}

func modeKept(x *trial) {
	x.enqueue(lasting("a"))
	other := lasting("b")
	x.must(settling(x.leaseOne("q"), broker.Released))
	x.claimed("released", other, "a")
	x.must(settling(x.leaseOne("q"), broker.Retry))
	x.claimed("retried", other, "a")
	x.must(moving(broker.Reschedule, "a"))
	x.claimed("rescheduled", other, "a")
	x.must(moving(broker.Run, "a"))
	x.claimed("run", other, "a")
	x.crash("a", 1)
	x.claimed("recovered", other, "a")
	x.must(settling(x.leaseOne("q"), broker.Done))
	grouped := lasting("g")
	grouped.Group = "g"
	x.enqueue(grouped)
	x.gather("g", "t", 1)
	x.claimed("frozen", other, "g")
	x.awake(10*time.Second, "q")
	equal(x, "returned", x.advance("q").Returned, 1)
	x.claimed("given back", other, "g")
	batch := x.gather("g", "t2", 1)
	x.must(settling(batch.Members[0], broker.Done))
	x.freed("settled in a batch")
}

func modeTTL(x *trial) {
	x.enqueue(claiming("q", "a", "k"))
	x.must(moving(broker.Archive, "a"))
	x.claimed("archived", lasting("b"), "a")
	x.must(moving(broker.Run, "a"), moving(broker.Cancel, "a"))
	x.claimed("cancelled", lasting("b"), "a")
	x.must(moving(broker.Delete, "a"))
	x.freed("deleted")
}

func modeUntilStart(x *trial) {
	e := lasting("a")
	e.Claim.UntilStart = true
	x.enqueue(e)
	x.claimed("while it waits", lasting("b"), "a")
	x.leaseOne("q")
	x.freed("leased")
	e = lasting("g")
	e.Claim.UntilStart, e.Group = true, "g"
	x.enqueue(e)
	x.claimed("while it is in its group", lasting("b"), "g")
	x.gather("g", "t", 1)
	x.freed("gathered")
}

func modeStarted(x *trial) {
	e := lasting("a")
	e.Claim.UntilStart = true
	x.enqueue(e)
	l := x.leaseOne("q")
	x.enqueue(lasting("b"))
	x.must(settling(l, broker.Released))
	x.claimed("released", lasting("c"), "b")
	x.must(settling(x.leaseOne("q"), broker.Retry))
	x.claimed("retried", lasting("c"), "b")
	x.must(moving(broker.Delete, "a"))
	x.claimed("deleted", lasting("c"), "b")
}

func modeHold(x *trial) {
	until := time.Now().Add(90*time.Second + 1500*time.Microsecond)
	e := lasting("a")
	e.Claim.Hold = until
	x.enqueue(e)
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.claimed("done before its Hold", lasting("b"), "a")
	x.pass(90*time.Second + time.Millisecond)
	x.claimed("a moment before its Hold", lasting("b"), "a")
	x.pass(time.Millisecond)
	x.freed("at its Hold")
	for _, do := range []broker.Act{broker.Archive, broker.Delete, broker.Cancel} {
		e := lasting("id-" + do.String())
		e.Claim.Hold = time.Now().Add(time.Minute)
		x.enqueue(e)
		x.must(moving(do, e.ID))
		x.claimed(do.String(), lasting("b"), e.ID)
		x.pass(time.Minute)
		x.freed(do.String() + ", a minute later")
	}
}

func modeHoldPast(x *trial) {
	e := lasting("a")
	e.Claim.Hold = time.Now().Add(time.Second)
	x.enqueue(e)
	x.pass(time.Hour)
	x.claimed("after its Hold", lasting("b"), "a")
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.freed("done")
}

func modeRunAgain(x *trial) {
	x.enqueue(lasting("a"))
	x.must(moving(broker.Archive, "a"))
	x.enqueue(lasting("b"))
	x.must(moving(broker.Run, "a"))
	x.claimed("by another", lasting("c"), "b")
	x.must(moving(broker.Delete, "a"))
	x.claimed("when the one that was run again is gone", lasting("c"), "b")
	x.must(moving(broker.Archive, "b"), moving(broker.Run, "b"))
	x.freed("of one that was run again")
}

func modeReadBack(x *trial) {
	at := time.Now().Add(time.Hour + 1500*time.Microsecond)
	for id, c := range map[string]broker.Claim{
		"lasting": {Key: "k1", Since: at},
		"start":   {Key: "k2", UntilStart: true, Since: at},
		"hold":    {Key: "k3", Hold: at},
	} {
		e := entry("q", id)
		e.Claim = c
		x.enqueue(e)
		c.Since, c.Hold = broker.CeilMilli(c.Since), broker.CeilMilli(c.Hold)
		equal(x, id, x.get("q", id).Claim, c)
		e.ID, e.Group, e.Claim.Key = id+"-grouped", "g", c.Key+"-grouped"
		x.enqueue(e)
		c.Key = e.Claim.Key
		equal(x, e.ID, x.get("q", e.ID).Claim, c)
	}
	e := claiming("q", "ttl", "k4")
	e.Claim.Since = at
	x.enqueue(e)
	equal(x, "with a TTL", x.get("q", "ttl").Claim, broker.Claim{Key: "k4", Since: broker.CeilMilli(at)})
}

func modeNoKey(x *trial) {
	e := entry("q", "a")
	e.Claim = broker.Claim{UntilStart: true, Since: time.Now()}
	f := entry("q", "b")
	f.Claim = e.Claim
	x.enqueue(e, f)
	if err := x.apply(broker.Change{Enqueue: []broker.Entry{lasting("c")}})[0]; errors.Is(err, broker.ErrClaimed) {
		x.Errorf("outcome = %v, want nil", err)
	}
}
