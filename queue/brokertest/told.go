package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var toldPromises = []promise{
	{"a lease tells since when its entry was ready", toldReady},
	{"an entry that has waited for a time is ready since Advance found it due", toldDue},
	{"an entry that a change has made ready is since then", toldMadeReady},
	{"a released entry is not known to be ready before its release", toldReleased},
	{"an entry whose lease ran out is ready since it was taken back", toldRecovered},
	{"a member of a batch tells since when it was in its group, however often it was in a batch", toldMember},
	{"the lease after one that ran out tells of it, and those after that do not", toldLost},
	{"of several leases that ran out, each is told by the next", toldLostAgain},
	{"a lease that ran out is told whatever else happens to the entry", toldLostLate},
	{"a lease that ran out is not told once the entry is run by hand", toldLostRun},
	{"a member tells of the batch that ran out", toldLostBatch},
}

// ready demands since when the next entry of q was ready, and returns its lease.
func (x *trial) ready(what string, since time.Time) broker.Lease {
	x.Helper()
	l := x.leaseOne("q")
	equal(x, what+": ready since", l.Ready, broker.CeilMilli(since).UTC())
	return l
}

// lostBefore demands which lease ran out before l.
func (x *trial) lostBefore(what string, l broker.Lease, want *broker.LostLease) {
	x.Helper()
	equal(x, what+": lost before", l.Lost, want)
}

// runOut leases the next entry of q, has the lease run out, and returns it.
func (x *trial) runOut() *broker.LostLease {
	x.Helper()
	began := broker.CeilMilli(time.Now()).UTC()
	l := x.leaseFor("q", 4*time.Second)
	x.pass(5 * time.Second)
	equal(x, "recovered", x.advance("q").Recovered, 1)
	return &broker.LostLease{Token: l.Token, Began: began}
}

func toldReady(x *trial) {
	x.pass(300 * time.Microsecond)
	since := time.Now()
	x.enqueue(entry("q", "a"), full("q", "b"))
	x.pass(1500 * time.Millisecond)
	x.ready("a plain one", since)
	x.ready("one with everything", since)
	x.enqueue(entry("q", "c"))
	leases := x.applyAnd(wanted("q", 1), broker.Change{Enqueue: entries("q", "d")}).Leases
	equal(x, "ready in the call that leases", leases[0].Ready, broker.CeilMilli(time.Now()).UTC())
}

func toldDue(x *trial) {
	x.enqueue(scheduled("q", "a", time.Second))
	x.pass(3 * time.Second)
	x.advance("q")
	since := time.Now()
	x.pass(time.Minute)
	l := x.ready("scheduled", since)
	retry := settled(l, broker.Retry)
	retry.At = time.Now().Add(1500 * time.Millisecond)
	x.must(broker.Change{Settle: []broker.Settlement{retry}})
	x.pass(2 * time.Second)
	x.advance("q")
	since = time.Now()
	x.pass(time.Second)
	x.ready("retried", since)
}

func toldMadeReady(x *trial) {
	x.enqueue(scheduled("q", "a", time.Hour))
	x.pass(time.Second)
	x.must(moving(broker.Run, "a"))
	since := time.Now()
	x.pass(time.Second)
	x.ready("run", since)

	x.must(broker.Change{Home: home, Open: []broker.Latch{{ID: "l", Total: 1, Then: broker.Part{Enqueue: entries("q", "b")}}}})
	x.pass(time.Second)
	x.must(broker.Change{Home: home, Arrive: []broker.Arrival{{Latch: "l"}}})
	since = time.Now()
	x.pass(time.Second)
	x.ready("released by a latch", since)
}

func toldReleased(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.pass(time.Second)
	x.must(settling(l, broker.Released))
	since := broker.CeilMilli(time.Now()).UTC()
	x.pass(time.Second)
	if got := x.leaseOne("q").Ready; !got.IsZero() && !got.Equal(since) {
		x.Errorf("ready since %v, want that it is not known, or %v", got, since)
	}
}

func toldRecovered(x *trial) {
	x.enqueue(entry("q", "a"))
	x.runOut()
	since := time.Now()
	x.pass(time.Second)
	x.ready("taken back", since)
}

func toldMember(x *trial) {
	x.pass(300 * time.Microsecond)
	first := broker.CeilMilli(time.Now()).UTC()
	x.enqueue(grouped("a", "g"))
	later := scheduled("q", "b", 2500*time.Millisecond)
	later.Group = "g"
	x.enqueue(later)
	x.pass(3 * time.Second)
	x.advance("q")
	second := broker.CeilMilli(time.Now()).UTC()
	for _, token := range []string{"t", "u", "v"} {
		x.pass(time.Second)
		members := x.gather("g", token, 2).Members
		equal(x, "ready since", []time.Time{members[0].Ready, members[1].Ready}, []time.Time{first, second})
		if token == "t" {
			x.must(settling(members[0], broker.Released), settling(members[1], broker.Released))
			continue
		}
		x.awake(11*time.Second, "q")
		equal(x, "returned", x.advance("q").Returned, 2)
	}
}

func toldLost(x *trial) {
	x.pass(300 * time.Microsecond)
	x.enqueue(entry("q", "a"), full("q", "b"))
	x.lostBefore("the first", x.leaseOne("q"), nil)
	lost := x.runOut()
	l := x.leaseOne("q")
	equal(x, "entry", l.Entry.ID, "b")
	x.lostBefore("the next", l, lost)
	x.must(settling(l, broker.Released))
	l = x.leaseOne("q")
	x.lostBefore("the one after a release", l, nil)
	x.must(settling(l, broker.Retry))
	x.pass(time.Hour)
	x.advance("q")
	for _, l := range x.lease("q", 2) {
		if l.Entry.ID == "b" {
			x.lostBefore("the one after a retry", l, nil)
		}
	}
}

func toldLostAgain(x *trial) {
	x.enqueue(entry("q", "a"))
	lost := x.runOut()
	for range 2 {
		l := x.leaseFor("q", 4*time.Second)
		began := broker.CeilMilli(time.Now()).UTC()
		x.lostBefore("the next", l, lost)
		x.pass(5 * time.Second)
		x.advance("q")
		lost = &broker.LostLease{Token: l.Token, Began: began}
	}
}

func toldLostLate(x *trial) {
	x.enqueue(entry("q", "a"))
	lost := x.runOut()
	changed := entry("q", "a")
	changed.Payload, changed.DueAt = []byte("changed"), time.Now().Add(time.Minute)
	x.must(broker.Change{Replace: []broker.Replacement{{Entry: changed, If: x.get("q", "a").Version}}})
	x.pass(time.Minute)
	x.advance("q")
	x.lostBefore("replaced and due again", x.leaseOne("q"), lost)
}

func toldLostRun(x *trial) {
	x.enqueue(entry("q", "a"))
	x.runOut()
	x.must(moving(broker.Archive, "a"), moving(broker.Run, "a"))
	x.lostBefore("run by hand", x.leaseOne("q"), nil)
}

func toldLostBatch(x *trial) {
	x.pass(300 * time.Microsecond)
	x.enqueue(grouped("a", "g"), grouped("b", "g"))
	lost := &broker.LostLease{Token: "t", Began: broker.CeilMilli(time.Now()).UTC()}
	l := x.gather("g", "t", 2).Members
	x.lostBefore("the first", l[0], nil)
	x.must(settling(l[1], broker.Released))
	x.awake(11*time.Second, "q")
	equal(x, "returned", x.advance("q").Returned, 1)
	l = x.gather("g", "u", 2).Members
	x.lostBefore("the next", l[0], lost)
	x.lostBefore("the next of the released one", l[1], nil)
	x.must(settling(l[0], broker.Released), settling(l[1], broker.Done))
	l = x.gather("g", "v", 2).Members
	x.lostBefore("the one after that", l[0], nil)
}
