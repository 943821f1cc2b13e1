package brokertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var leasePromises = []promise{
	{"every lease has a token of its own", leaseTokens},
	{"a leased entry is active until the lease ends, rounded up to a second", leaseUntil},
	{"a leased entry is not leased again", leaseOnce},
	{"a request is never given more than it wants", leaseMax},
	{"a request for nothing gets nothing", leaseNothing},
	{"a thousand entries are leased in one call", leaseThousand},
	{"queues get their shares first, and then what is missing in their order", leaseShares},
	{"a queue without a share is served when the others have had theirs", leaseNoShare},
	{"entries that a call makes ready are leased by it", leaseSameCall},
	{"a refused change makes nothing ready", leaseRefused},
	{"a lease brings the documents that its entry reads, in that order", leaseDocuments},
	{"documents are as the changes of the call left them", leaseDocumentsNow},
	{"a lease of an entry whose home does not exist brings absent documents", leaseNoHome},
	{"the order is that in which entries became ready", leaseOrder},
}

func leaseTokens(x *trial) {
	seen := make(map[string]bool)
	for i := range 3 {
		x.enqueue(entries(fmt.Sprint("q", i), "a", "b", "c")...)
	}
	for range 5 {
		for i := range 3 {
			for _, l := range x.lease(fmt.Sprint("q", i), 2) {
				if l.Token == "" || seen[l.Token] {
					x.Fatalf("token %q is empty or was used before", l.Token)
				}
				seen[l.Token] = true
				x.must(settling(l, broker.Released))
			}
		}
	}
}

func leaseUntil(x *trial) {
	x.enqueue(entries("q", "a", "b", "c")...)
	x.pass(300 * time.Millisecond)
	now := time.Now()
	for _, d := range []time.Duration{700 * time.Millisecond, 701 * time.Millisecond, 700*time.Millisecond + 1} {
		want := wanted("q", 1)
		want.Until = now.Add(d)
		leases := x.applyAnd(want).Leases
		if len(leases) != 1 {
			x.Fatalf("leased %d entries, want 1", len(leases))
		}
		end := broker.CeilSecond(now.Add(d))
		equal(x, fmt.Sprintf("Until of a lease for %v", d), leases[0].Until, end)
		e := leases[0].Entry
		equal(x, "stored", x.get("q", e.ID), broker.Stored{Entry: entry("q", e.ID), State: task.Active, Until: end})
	}
}

func leaseOnce(x *trial) {
	x.enqueue(entry("q", "a"))
	x.leaseOne("q")
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
	x.pass(time.Hour)
	equal(x, "leased when the lease has run out", leasedIDs(x.lease("q", 1)), nil)
}

func leaseMax(x *trial) {
	x.enqueue(entries("q", "a", "b", "c", "d", "e")...)
	x.enqueue(entries("p", "f", "g")...)
	want := wanted("q", 3)
	want.Queues = []broker.Share{{Queue: "q", First: 10}, {Queue: "p", First: 10}}
	equal(x, "leased", leasedIDs(x.applyAnd(want).Leases), []string{"a", "b", "c"})
	equal(x, "leased then", leasedIDs(x.applyAnd(want).Leases), []string{"d", "e", "f"})
	equal(x, "leased at last", leasedIDs(x.applyAnd(want).Leases), []string{"g"})
}

func leaseNothing(x *trial) {
	x.enqueue(entry("q", "a"))
	until := time.Now().Add(time.Minute)
	for what, want := range map[string]broker.LeaseRequest{
		"the zero request": {},
		"a Max of 0":       {Queues: []broker.Share{{Queue: "q", First: 5}}, Until: until},
		"no queue":         {Max: 5, Until: until},
		"no such queue":    {Queues: []broker.Share{{Queue: "none", First: 5}}, Max: 5, Until: until},
	} {
		equal(x, what, leasedIDs(x.applyAnd(want).Leases), nil)
	}
	applied := x.applyAnd(broker.LeaseRequest{})
	equal(x, "the call that does nothing", applied, broker.Applied{})
}

func leaseThousand(x *trial) {
	var c broker.Change
	var ids []string
	for i := range broker.MaxParts {
		ids = append(ids, fmt.Sprint(i))
		c.Enqueue = append(c.Enqueue, entry("q", ids[i]))
	}
	x.must(c)
	leases := x.lease("q", broker.MaxParts)
	equal(x, "leased", leasedIDs(leases), ids)
	var all broker.Change
	for _, l := range leases {
		all.Settle = append(all.Settle, settled(l, broker.Done))
	}
	x.must(all)
	equal(x, "processed", x.counts("q").Processed, broker.MaxParts)
}

func leaseShares(x *trial) {
	x.enqueue(entries("a", "a1", "a2", "a3", "a4", "a5", "a6")...)
	x.enqueue(entries("b", "b1", "b2", "b3", "b4")...)
	x.enqueue(entries("c", "c1")...)
	want := wanted("", 9)
	want.Queues = []broker.Share{{Queue: "b", First: 2}, {Queue: "c", First: 3}, {Queue: "a", First: 1}}
	equal(x, "leased", leasedIDs(x.applyAnd(want).Leases),
		[]string{"b1", "b2", "c1", "a1", "b3", "b4", "a2", "a3", "a4"})
	equal(x, "leased then", leasedIDs(x.applyAnd(want).Leases), []string{"a5", "a6"})
}

func leaseNoShare(x *trial) {
	x.enqueue(entries("low", "l1", "l2")...)
	x.enqueue(entries("high", "h1", "h2")...)
	want := wanted("", 3)
	want.Queues = []broker.Share{{Queue: "low", First: 0}, {Queue: "high", First: 1}}
	equal(x, "leased", leasedIDs(x.applyAnd(want).Leases), []string{"h1", "l1", "l2"})
	equal(x, "leased then", leasedIDs(x.applyAnd(want).Leases), []string{"h2"})
}

func leaseSameCall(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	home := broker.Home{Queue: "q", ID: "run"}
	x.must(broker.Change{Home: home, Open: []broker.Latch{{ID: "l", Total: 1, Then: broker.Part{Enqueue: entries("q", "then")}}}})
	applied := x.applyAnd(wanted("q", 10),
		settling(l, broker.Released),
		broker.Change{Enqueue: entries("q", "b")},
		broker.Change{Home: home, Arrive: []broker.Arrival{{Latch: "l"}}},
	)
	equal(x, "leased", leasedIDs(applied.Leases), []string{"a", "b", "then"})
}

func leaseRefused(x *trial) {
	x.enqueue(entry("q", "a"))
	l := x.leaseOne("q")
	l.Token = "wrong"
	c := settling(l, broker.Released)
	c.Enqueue = entries("q", "b")
	equal(x, "leased", leasedIDs(x.applyAnd(wanted("q", 10), c).Leases), nil)
}

// withDocuments puts documents into home, each with its key as its body.
func withDocuments(home broker.Home, keys ...string) broker.Change {
	c := broker.Change{Home: home}
	for _, key := range keys {
		c.Put = append(c.Put, broker.Put{Key: key, Body: []byte(key)})
	}
	return c
}

func leaseDocuments(x *trial) {
	home := broker.Home{Queue: "runs", ID: "run"}
	x.must(withDocuments(home, "a", "b", "c"), withDocuments(broker.Home{Queue: "runs", ID: "other"}, "d"))
	e := entry("q", "reader")
	e.Home, e.Reads = home, []string{"c", "d", "a"}
	x.enqueue(e, entry("q", "plain"))
	for _, l := range x.lease("q", 2) {
		if l.Entry.ID == "plain" {
			equal(x, "documents of an entry that reads none", l.Documents, nil)
			continue
		}
		equal(x, "documents", l.Documents, []broker.Document{
			{Key: "c", Version: 3, Body: []byte("c")}, {Key: "d"}, {Key: "a", Version: 1, Body: []byte("a")},
		})
	}
}

func leaseDocumentsNow(x *trial) {
	home := broker.Home{Queue: "q", ID: "run"}
	x.must(withDocuments(home, "k"))
	e := entry("q", "reader")
	e.Home, e.Reads = home, []string{"k"}
	change := broker.Change{Home: home, Put: []broker.Put{{Key: "k", Body: []byte("new"), If: 1}}, Enqueue: []broker.Entry{e}}
	leases := x.applyAnd(wanted("q", 1), change).Leases
	if len(leases) != 1 {
		x.Fatalf("leased %d entries, want 1", len(leases))
	}
	equal(x, "documents", leases[0].Documents, []broker.Document{{Key: "k", Version: 2, Body: []byte("new")}})
}

func leaseNoHome(x *trial) {
	e := entry("q", "reader")
	e.Home, e.Reads = broker.Home{Queue: "q", ID: "none"}, []string{"k"}
	x.enqueue(e)
	l := x.leaseOne("q")
	equal(x, "documents", l.Documents, []broker.Document{{Key: "k"}})
	if l.Documents[0].Body != nil {
		x.Errorf("Body = %q, want nil", l.Documents[0].Body)
	}
}

func leaseOrder(x *trial) {
	later := entry("q", "scheduled")
	later.DueAt = time.Now().Add(time.Second)
	x.enqueue(entries("q", "released", "expired", "retried", "first")...)
	x.enqueue(later)
	leases := x.lease("q", 3)
	retry := settled(leases[2], broker.Retry)
	retry.At = time.Now().Add(500 * time.Millisecond)
	x.must(settling(leases[0], broker.Released), broker.Change{Settle: []broker.Settlement{retry}})
	x.pass(time.Second)
	x.advance("q")
	x.enqueue(entry("q", "last"))
	want := []string{"released", "first", "retried", "scheduled", "last"}
	equal(x, "pending", x.list("q", task.Pending), want)
	x.awake(time.Minute, "q")
	x.advance("q")
	want = slices.Concat([]string{"expired"}, want)
	equal(x, "pending when the lease has run out", x.list("q", task.Pending), want)
	equal(x, "leased", leasedIDs(x.lease("q", 10)), want)
}
