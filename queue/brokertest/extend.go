package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var extendPromises = []promise{
	{"a held lease lasts until the new end, rounded up to a second", extendKept},
	{"an extended lease is recovered at its new end and not before", extendRecovered},
	{"a lease that has run out is extended until it is recovered", extendExpired},
	{"a lease can be cut short", extendShorter},
	{"a lease that is not held is lost, and nothing changes", extendLost},
	{"each lease has its answer, in order", extendMany},
	{"a thousand leases are extended in one call", extendThousand},
	{"an extended lease settles", extendSettles},
}

// extend extends leases until d from now.
func (x *trial) extend(d time.Duration, leases ...broker.LeaseRef) []broker.Held {
	x.Helper()
	held, err := x.b.Extend(x.Context(), time.Now(), time.Now().Add(d), leases...)
	if err != nil {
		x.Fatalf("Extend() = %v, want nil", err)
	}
	return held
}

func extendKept(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.pass(3400 * time.Millisecond)
	end := broker.CeilSecond(time.Now().Add(10 * time.Second))
	equal(x, "held", x.extend(10*time.Second, l.Ref()), []broker.Held{broker.Kept})
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: entry("q", "a"), State: task.Active, Until: end})
}

func extendRecovered(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.awake(9*time.Second, "q")
	x.extend(10*time.Second, l.Ref())
	end := time.Now().Add(10 * time.Second)
	x.awake(10*time.Second-time.Millisecond, "q")
	equal(x, "advanced before the end", x.advance("q"), broker.Advanced{Next: end})
	x.pass(time.Millisecond)
	equal(x, "advanced at the end", x.advance("q"), broker.Advanced{Recovered: 1})
}

func extendExpired(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.pass(time.Hour)
	equal(x, "held", x.extend(10*time.Second, l.Ref()), []broker.Held{broker.Kept})
	equal(x, "recovered", x.advance("q").Recovered, 0)
	x.awake(10*time.Second, "q")
	equal(x, "recovered", x.advance("q").Recovered, 1)
	equal(x, "held", x.extend(10*time.Second, l.Ref()), []broker.Held{broker.Lost})
	equal(x, "pending", x.list("q", task.Pending), []string{"a"})
}

func extendShorter(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	equal(x, "held", x.extend(2*time.Second, l.Ref()), []broker.Held{broker.Kept})
	x.pass(2 * time.Second)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Recovered: 1})
}

func extendLost(x *trial) {
	x.enqueue(entries("q", "done", "retry", "released", "held", "pending")...)
	leases := x.lease("q", 4)
	x.must(settling(leases[0], broker.Done), settling(leases[1], broker.Retry), settling(leases[2], broker.Released))
	ref := func(queue, id, token string) broker.LeaseRef {
		return broker.LeaseRef{EntryRef: broker.EntryRef{Queue: queue, ID: id}, Token: token}
	}
	for what, l := range map[string]broker.LeaseRef{
		"a done entry":          leases[0].Ref(),
		"a retried entry":       leases[1].Ref(),
		"a released entry":      leases[2].Ref(),
		"a wrong token":         ref("q", "held", "wrong"),
		"another's token":       ref("q", "held", leases[0].Token),
		"no token":              ref("q", "held", ""),
		"a pending entry":       ref("q", "pending", ""),
		"an unknown entry":      ref("q", "none", leases[3].Token),
		"an entry of no queue":  ref("none", "held", leases[3].Token),
		"the same id elsewhere": ref("p", "held", leases[3].Token),
	} {
		equal(x, what, x.extend(time.Hour, l), []broker.Held{broker.Lost})
	}
	equal(x, "Until", x.get("q", "held").Until, leases[3].Until)
	equal(x, "pending", x.list("q", task.Pending), []string{"released", "pending"})
}

func extendMany(x *trial) {
	x.enqueue(entries("q", "a", "b", "c")...)
	x.enqueue(entries("p", "d")...)
	l := append(x.lease("q", 3), x.lease("p", 1)...)
	x.must(settling(l[1], broker.Done))
	held := x.extend(time.Minute, l[3].Ref(), l[1].Ref(), l[0].Ref(), l[1].Ref(), l[2].Ref())
	equal(x, "held", held, []broker.Held{broker.Kept, broker.Lost, broker.Kept, broker.Lost, broker.Kept})
	equal(x, "held of none", x.extend(time.Minute), nil)
}

func extendThousand(x *trial) {
	x.must(broker.Change{Enqueue: numbered("e", broker.MaxParts)})
	var refs []broker.LeaseRef
	for _, l := range x.lease("q", broker.MaxParts) {
		refs = append(refs, l.Ref())
	}
	refs[500].Token = "wrong"
	for i, held := range x.extend(time.Hour, refs...) {
		if (held == broker.Kept) != (i != 500) {
			x.Errorf("lease %d is %v, want lost only 500", i, held)
		}
	}
	x.awake(10*time.Second, "q")
	equal(x, "recovered", x.advance("q").Recovered, 1)
}

func extendSettles(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	x.extend(time.Minute, l.Ref())
	x.pass(30 * time.Second)
	x.must(settling(l, broker.Done))
	equal(x, "held", x.extend(time.Minute, l.Ref()), []broker.Held{broker.Lost})
}
