package brokertest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var drainPromises = []promise{
	{"a drain is done by the change that wants it, if nothing is open", drainAtOnce},
	{"a drain is done by whatever ends the last open entry", drainEnds},
	{"a drain waits for all that is open, and for what opens meanwhile", drainWaits},
	{"a drain is done once", drainOnce},
	{"a drain takes the place of an earlier one, and a change without one does not", drainReplaced},
	{"entries of a drain whose id exists are skipped", drainTaken},
	{"entries of a drain are open, and hold the next one", drainOpen},
	{"what the change opens itself holds its drain", drainOwn},
	{"what a change runs again or enqueues holds a drain as it ends the rest", drainHeld},
	{"an exit of the home holds its drain, and comes before it otherwise", drainExit},
	{"what a latch releases or enqueues holds a drain", drainLatch},
	{"the entries of a drain come in order, after all else that the change does", drainOrder},
	{"the entries of a drain are like any others", drainEntries},
	{"a drain is done before the next change of the call is looked at", drainBetween},
	{"several that end together are drained once", drainTogether},
	{"drains of several homes are done in order of their names", drainSeveral},
	{"drains of homes beside several queues are done in order of the queues", drainAcross},
	{"what is open of another home holds no drain", drainHomes},
	{"a drain goes with its home", drainClosed},
	{"a drain goes with the queue beside which its home is", drainRemoved},
	{"a refused change does no drain, and wants none", drainRefused},
	{"events tell of the entries of a drain, after what ends the last open one", drainEvents},
	{"nearly a thousand entries are drained in one commit", drainThousand},
	{"of many who end what is open, one drains", drainConcurrent},
}

// draining returns a change that wants entries of q to be the drain of home.
func draining(home broker.Home, ids ...string) broker.Change {
	return broker.Change{Home: home, Drain: of(home, ids...)}
}

func drainAtOnce(x *trial) {
	applied := x.applyAnd(wanted("q", 5), draining(beside, "a", "b"))
	equal(x, "leased by that change", leasedIDs(applied.Leases), []string{"a", "b"})
	x.openAre("", "a", "b")
	x.broughtAs(of(beside, "ended")[0], task.Archived)
	x.must(settling(applied.Leases[0], broker.Done), settling(applied.Leases[1], broker.Completed))
	x.must(draining(beside, "c"))
	x.pending("when all had ended", "c")
}

func drainEnds(x *trial) {
	for _, way := range endings() {
		end := way.reach(x, of(beside, "e")[0])
		x.must(draining(beside, "last"))
		x.openAre("before it was "+way.how, "e")
		end()
		x.openAre("after it was "+way.how, "last")
		x.must(moving(broker.Delete, "last"))
		x.clear()
	}
}

func drainWaits(x *trial) {
	c := draining(beside, "last")
	c.Enqueue = of(beside, "a", "b", "c")
	x.must(c)
	x.must(settling(x.leaseOne("q"), broker.Done), moving(broker.Cancel, "b"))
	x.openAre("when two have ended", "c")
	x.enqueue(of(beside, "d")...)
	x.must(moving(broker.Run, "b"), moving(broker.Delete, "c"))
	x.openAre("when others have opened", "d", "b")
	x.must(moving(broker.Reschedule, "d"), moving(broker.Archive, "b"))
	x.openAre("when one is left", "d")
	applied := x.applyAnd(wanted("q", 5), moving(broker.Delete, "d"))
	equal(x, "leased by the change that ends it", leasedIDs(applied.Leases), []string{"last"})
}

func drainOnce(x *trial) {
	x.must(draining(beside, "last"))
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.openAre("when the drain has ended")
	x.broughtAs(of(beside, "a")[0], task.Archived)
	x.must(moving(broker.Run, "a"))
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.openAre("when another has ended")
	equal(x, "counts", x.counts("q").Size(), 0)
}

func drainReplaced(x *trial) {
	x.enqueue(of(beside, "e")...)
	x.must(draining(beside, "first", "both"), draining(beside, "both", "second"))
	x.must(withDocuments(beside, "k"), broker.Change{Home: beside, Drain: []broker.Entry{}, List: &broker.Listing{At: time.Now()}})
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.pending("", "both", "second")
	x.missing("that the first wanted", "first")
}

func drainTaken(x *trial) {
	taken := entry("q", "taken")
	taken.Payload = []byte("taken")
	x.enqueue(taken)
	x.must(draining(beside, "a", "taken", "b"))
	x.pending("", "taken", "a", "b")
	equal(x, "the one that was there", x.get("q", "taken").Entry, taken)
	x.clear()
	x.enqueue(taken)
	x.must(draining(beside, "taken"))
	x.openAre("when all are skipped")
	x.must(moving(broker.Delete, "taken"))
	equal(x, "counts", x.counts("q").Size(), 0)
	c := draining(beside, "e", "last")
	c.Enqueue = of(beside, "e")
	x.must(c, moving(broker.Archive, "e"))
	x.pending("of a drain with the very one that has ended", "last")
	x.in("that one", task.Archived, "e")
}

func drainOpen(x *trial) {
	x.must(draining(beside, "first"), draining(beside, "second"), draining(beside, "third"))
	for _, id := range []string{"first", "third"} {
		x.openAre("", id)
		x.pending("", id)
		x.must(settling(x.leaseOne("q"), broker.Done))
	}
	x.openAre("at last")
}

func drainOwn(x *trial) {
	c := draining(beside, "last")
	c.Enqueue = of(beside, "a")
	x.must(c)
	x.pending("", "a")
	scheduled := draining(broker.Home{Queue: "q", ID: "run~3"}, "last-3")
	scheduled.Enqueue = of(scheduled.Home, "later")
	scheduled.Enqueue[0].DueAt = time.Now().Add(time.Hour)
	x.must(scheduled, moving(broker.Delete, "later"))
	x.pending("", "a", "last-3")
}

func drainHeld(x *trial) {
	x.broughtAs(of(beside, "archived")[0], task.Archived)
	c := draining(beside, "last")
	c.Enqueue = of(beside, "a")
	x.must(c)
	again := settling(x.leaseOne("q"), broker.Done)
	again.Move = moving(broker.Run, "archived").Move
	x.must(again)
	x.openAre("when one was run again", "archived")
	next := settling(x.leaseOne("q"), broker.Done)
	next.Enqueue = of(beside, "b")
	x.must(next)
	x.openAre("when one was enqueued", "b")
	x.must(settling(x.leaseOne("q"), broker.Released))
	x.openAre("when it was released", "b")
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.pending("at last", "last")
}

func drainExit(x *trial) {
	inside, outside := of(beside, "a")[0], of(beside, "b")[0]
	inside.Exit = &of(beside, "exit-a")[0]
	exit := entry("q", "exit-b")
	outside.Exit = &exit
	c := draining(beside, "last")
	c.Enqueue = []broker.Entry{inside}
	x.must(c, moving(broker.Delete, "a"))
	x.openAre("when an exit of the home was enqueued", "exit-a")
	x.must(broker.Change{Enqueue: []broker.Entry{outside}}, moving(broker.Delete, "exit-a"), moving(broker.Cancel, "b"))
	x.pending("when one without a home was", "exit-b", "last")
}

func drainLatch(x *trial) {
	c := draining(beside, "last")
	c.Open = []broker.Latch{{ID: "l", Total: 2, Window: 1, Then: broker.Part{Enqueue: of(beside, "then")}}}
	c.Feed = []broker.Feed{{Latch: "l", Entries: of(beside, "a", "b")}}
	x.must(c)
	for member, next := range []string{"b", "then"} {
		c := settling(x.leaseOne("q"), broker.Done)
		c.Home, c.Arrive = beside, []broker.Arrival{{Latch: "l", Member: member}}
		x.must(c)
		x.openAre("when the latch has gone on", next)
	}
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.openAre("at last", "last")
}

func drainOrder(x *trial) {
	e := of(beside, "e")[0]
	exit := entry("q", "exit")
	e.Exit = &exit
	x.enqueue(e)
	c := moving(broker.Delete, "e")
	c.Home, c.Drain = beside, of(beside, "c", "a", "b")
	c.Enqueue = entries("q", "enqueued")
	c.Open = []broker.Latch{{ID: "l", Then: then("then")}}
	x.must(c)
	x.pending("", "exit", "enqueued", "then", "c", "a", "b")
}

func drainEntries(x *trial) {
	plain := full("q", "plain")
	plain.Home = beside
	later, grouped := inState(of(beside, "later")[0], task.Scheduled), inState(of(beside, "grouped")[0], task.Aggregating)
	leaves := of(beside, "leaves")[0]
	leaves.Exit = &of(beside, "exit")[0]
	wanted := []broker.Entry{plain, later, grouped, leaves}
	x.must(broker.Change{Home: beside, Enqueue: of(beside, "e"), Drain: wanted})
	wanted = slices.Clone(wanted)
	wanted[0].Payload[0], wanted[0].Headers["trace"] = 1, "another"
	x.must(settling(x.leaseOne("q"), broker.Done))
	plain = full("q", "plain")
	plain.Home = beside
	for _, e := range []broker.Entry{plain, later, grouped, leaves} {
		state := map[string]task.State{"later": task.Scheduled, "grouped": task.Aggregating}[e.ID]
		if state == 0 {
			state = task.Pending
		}
		equal(x, e.ID, x.get("q", e.ID), broker.Stored{Entry: e, State: state})
	}
	x.must(broker.Change{Home: beside, Put: []broker.Put{{Key: "a", Body: []byte("v")}}})
	l := x.leaseOne("q")
	equal(x, "its documents", l.Documents, []broker.Document{{Key: "z"}, {Key: "a", Version: 1, Body: []byte("v")}, {Key: "m"}})
	x.must(moving(broker.Delete, "leaves"))
	x.openAre("at last", "plain", "later", "grouped", "exit")
}

func drainBetween(x *trial) {
	c := draining(beside, "last")
	c.Enqueue = of(beside, "a")
	x.must(c)
	outcomes := x.apply(
		settling(x.leaseOne("q"), broker.Done),
		broker.Change{Enqueue: entries("q", "last")},
		broker.Change{Move: moving(broker.Delete, "last").Move, Home: beside, Drain: of(beside, "next")},
		broker.Change{Enqueue: entries("q", "next")},
	)
	for i, exists := range []bool{false, true, false, true} {
		if err := outcomes[i]; (err != nil) != exists || errors.Is(err, broker.ErrExists) != exists {
			x.Errorf("outcome %d = %v, want that it exists: %t", i, err, exists)
		}
	}
	x.openAre("", "next")
}

func drainTogether(x *trial) {
	c := draining(beside, "last")
	c.Enqueue = of(beside, "a", "b", "c", "d")
	x.must(c)
	leases := x.lease("q", 2)
	both := broker.Change{Settle: []broker.Settlement{settled(leases[0], broker.Done), settled(leases[1], broker.Archived)}}
	x.must(both)
	x.openAre("when two have ended", "c", "d")
	equal(x, "swept", x.sweep(task.Pending, broker.Cancel, 10), 2)
	x.openAre("after a sweep", "last")
	x.pending("after a sweep", "last")
}

// drainSeveral has homes drained that were wanted to in the order b, c, a.
func drainSeveral(x *trial) {
	homes := []broker.Home{{Queue: "q", ID: "run~b"}, {Queue: "q", ID: "run~c"}, {Queue: "q", ID: "run~a"}}
	want := []string{"last-run~a", "last-run~b", "last-run~c"}
	begin := func() []broker.Lease {
		for _, h := range homes {
			c := draining(h, "last-"+h.ID)
			c.Enqueue = of(h, h.ID)
			x.must(c)
		}
		return x.lease("q", 3)
	}
	var all broker.Change
	for _, l := range begin() {
		all.Settle = append(all.Settle, settled(l, broker.Done))
	}
	x.must(all)
	x.pending("after a change", want...)
	x.clear()

	begin()
	x.must(moving(broker.Cancel, "run~b", "run~c", "run~a"))
	x.awake(10*time.Second, "q")
	equal(x, "cancelled", x.advance("q").Cancelled, 3)
	x.pending("after Advance", want...)
	x.clear()

	for _, l := range begin() {
		x.must(settling(l, broker.Released))
	}
	x.sweep(task.Pending, broker.Archive, 10)
	x.pending("after a sweep", want...)
}

func drainAcross(x *trial) {
	homes := []broker.Home{{Queue: "q", ID: "a"}, {Queue: "p", ID: "b"}, {Queue: "p", ID: "a"}}
	for i, h := range homes {
		c := draining(h, "last-"+h.Queue+h.ID)
		c.Enqueue = of(h, fmt.Sprint(i))
		c.Enqueue[0].Queue = []string{"q", "p", "o"}[i]
		x.must(c)
		x.leaseFor(c.Enqueue[0].Queue, time.Second)
		x.must(broker.Change{Move: []broker.Move{{EntryRef: c.Enqueue[0].EntryRef, Do: broker.Cancel}}})
	}
	x.pass(time.Second)
	equal(x, "cancelled", x.advance("q", "p", "o").Cancelled, 3)
	x.pending("", "last-pa", "last-pb", "last-qa")
}

func drainHomes(x *trial) {
	other := broker.Home{Queue: "q", ID: "run~3"}
	x.enqueue(append(of(other, "other"), entry("q", "none"))...)
	x.must(draining(beside, "last"))
	x.pending("", "other", "none", "last")
	x.must(draining(other, "last-other"))
	x.must(moving(broker.Delete, "none", "last"))
	x.pending("when others have ended", "other")
	x.must(moving(broker.Delete, "other"))
	x.pending("at last", "last-other")
}

func drainClosed(x *trial) {
	c := draining(beside, "last")
	c.Enqueue, c.Close = of(beside, "a", "b"), time.Now().Add(time.Second)
	x.must(c)
	x.pass(time.Second)
	equal(x, "closed", x.advance("q").Closed, 1)
	x.must(moving(broker.Delete, "a"))
	x.openAre("when one has ended", "b")
	x.must(broker.Change{Home: beside, Put: []broker.Put{{Key: "k"}}}, moving(broker.Delete, "b"))
	x.openAre("when all have")
	equal(x, "counts", x.counts("q").Size(), 0)

	ended := draining(beside, "last")
	ended.Enqueue = of(beside, "c")
	x.must(ended)
	x.leaseFor("q", time.Second)
	x.must(moving(broker.Cancel, "c"), broker.Change{Home: beside, Close: time.Now().Add(time.Second)})
	x.pass(time.Second)
	a := x.advance("q")
	equal(x, "cancelled and closed", []int{a.Cancelled, a.Closed}, []int{1, 1})
	x.openAre("when the call that ends the last has deleted the home")
}

func drainRemoved(x *trial) {
	x.enqueue(entry(home.Queue, "a"))
	x.must(settling(x.leaseOne(home.Queue), broker.Done))
	c := draining(home, "last")
	c.Enqueue = of(home, "e")
	x.must(c)
	if err := x.remove(home.Queue, true); err != nil {
		x.Fatalf("Remove() = %v, want nil", err)
	}
	x.openOf("", home, "e")
	x.must(moving(broker.Delete, "e"))
	x.openOf("at last", home)
}

func drainRefused(x *trial) {
	c := draining(beside, "last")
	c.Enqueue = of(beside, "a")
	x.must(c)
	refused := draining(beside, "other")
	refused.Move, refused.Require = moving(broker.Delete, "a").Move, []broker.Condition{{Key: "k", Version: 1}}
	x.refused(refused)
	x.openAre("", "a")
	refused = draining(broker.Home{Queue: "q", ID: "run~3"}, "new")
	refused.Require = []broker.Condition{{Key: "k", Version: 1}}
	x.refused(refused)
	x.must(moving(broker.Delete, "a"))
	x.pending("", "last")
}

func drainEvents(x *trial) {
	s := x.streaming(100)
	c := draining(beside, "b", "a")
	c.Enqueue = of(beside, "e")
	x.must(c, moving(broker.Archive, "e"))
	var told []string
	for _, e := range x.events(s, "", 100) {
		told = append(told, e.Entry.ID+" "+e.State.String())
	}
	equal(x, "events", told, []string{"e pending", "e archived", "b pending", "a pending"})
}

func drainThousand(x *trial) {
	var last []string
	for i := range broker.MaxParts - 1 {
		last = append(last, fmt.Sprintf("last-%04d", i))
	}
	c := draining(beside, last...)
	c.Enqueue = of(beside, "e")
	x.must(c)
	x.must(moving(broker.Delete, "e"))
	x.pending("", last...)
}

func drainConcurrent(x *trial) {
	const n = 30
	c := draining(beside, "last")
	for i := range n {
		c.Enqueue = append(c.Enqueue, of(beside, fmt.Sprint(i))...)
	}
	x.must(c)
	leases := x.lease("q", n)
	x.together(n, func(worker int, b broker.Broker) {
		if err := x.applyOne(b, settling(leases[worker], broker.Done)); err != nil {
			x.Errorf("outcome = %v, want nil", err)
		}
	})
	x.pending("", "last")
	x.figures("", n, 0)
}
