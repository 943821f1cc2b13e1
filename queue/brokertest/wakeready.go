package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What makes entries ready, or has them wait for a time, and so wakes somebody.

var ready = broker.Wake{Queue: "q"}

func wakeReady(x *trial) {
	rousing := func(what string, changes ...broker.Change) {
		x.Helper()
		x.rousing(what, ready, func() { x.must(changes...) })
	}
	rousing("an enqueue", broker.Change{Enqueue: entries("q", "a")})
	rousing("an enqueue of what was due", broker.Change{Enqueue: []broker.Entry{scheduled("q", "b", -time.Hour)}})
	rousing("a release", settling(x.leaseOne("q"), broker.Released))

	x.must(settling(x.leaseOne("q"), broker.Archived))
	rousing("a run", moving(broker.Run, "a"))
	x.must(settling(x.leaseOne("q"), broker.Done), moving(broker.Reschedule, "a"))
	reschedule := moving(broker.Reschedule, "a")
	reschedule.Move[0].At = time.Now().Add(-time.Hour)
	rousing("a move to a time that is past", reschedule)

	x.enqueue(scheduled("q", "replaced", time.Hour))
	replacement := broker.Replacement{Entry: scheduled("q", "replaced", -time.Hour), If: x.get("q", "replaced").Version}
	rousing("a replacement with what was due", broker.Change{Replace: []broker.Replacement{replacement}})

	e := scheduled("q", "leaves", time.Hour)
	exit := entry("q", "exit")
	e.Exit = &exit
	x.enqueue(e)
	rousing("an exit", moving(broker.Delete, "leaves"))
	wakeReadyClaim(x)
	wakeReadyOperator(x)
	wakeReadyLatch(x)
	wakeReadyDrain(x)
}

func wakeReadyClaim(x *trial) {
	for _, l := range x.lease("q", 100) {
		x.must(settling(l, broker.Done))
	}
	l := x.heldBy("holder")
	x.enqueue(behind("follower"))
	x.rousing("the end of one whom another waits behind", ready, func() { x.must(settling(l, broker.Done)) })
}

func wakeReadyOperator(x *trial) {
	x.enqueue(scheduled("q", "swept", time.Hour))
	x.rousing("a sweep", ready, func() {
		r := broker.SweepRequest{Queue: "q", State: task.Scheduled, Do: broker.Run, Limit: 10}
		if n, err := x.b.Sweep(x.Context(), time.Now(), r); err != nil || n != 1 {
			x.Errorf("Sweep() = %d, %v, want 1 and nil", n, err)
		}
	})
	x.rousing("an enqueue while the queue is paused", ready, func() {
		x.pause("q", true)
		x.enqueue(entry("q", "paused"))
	})
	x.rousing("a resumption", ready, func() { x.pause("q", false) })
}

func wakeReadyLatch(x *trial) {
	run := broker.Home{Queue: "q", ID: "run"}
	at := func(c broker.Change) broker.Change {
		c.Home = run
		for _, f := range c.Feed {
			for i := range f.Entries {
				f.Entries[i].Home = run
			}
		}
		return c
	}
	x.must(at(open(broker.Latch{ID: "map", Total: 2, Window: 1, Then: then("then")})))
	x.rousing("what a latch is fed", ready, func() { x.must(at(feed("map", "item-0", "item-1"))) })
	arriving := func(member int) func() {
		return func() { x.must(at(broker.Change{Arrive: []broker.Arrival{{Latch: "map", Member: member}}})) }
	}
	x.rousing("what a latch releases", ready, arriving(0))
	x.rousing("what a latch enqueues as it completes", ready, arriving(1))
}

func wakeReadyDrain(x *trial) {
	x.clear()
	x.rousing("a drain of nothing", ready, func() { x.must(draining(beside, "a")) })
	x.must(draining(beside, "b"))
	l := x.leaseOne("q")
	x.rousing("a drain by a settlement", ready, func() { x.must(settling(l, broker.Done)) })
	x.must(draining(beside, "c"))
	x.rousing("a drain by a sweep", ready, func() { x.sweep(task.Pending, broker.Delete, 10) })
	x.must(draining(beside, "d"), moving(broker.Reschedule, "c"))
	x.rousing("a drain by what is moved", ready, func() { x.must(moving(broker.Archive, "c")) })
}

func wakeAdvanced(x *trial) {
	now := time.Now()
	advance := func(d time.Duration) {
		r := broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10}
		if _, err := x.b.Advance(x.Context(), now.Add(d), r); err != nil {
			x.Fatalf("Advance() = %v, want nil", err)
		}
	}
	x.enqueue(scheduled("q", "a", time.Hour))
	x.rousing("what was due", ready, func() { advance(2 * time.Hour) })
	x.leaseOne("q")
	now = time.Now()
	for d := time.Second; d < 10*time.Second; d += 4 * time.Second {
		advance(d)
	}
	x.rousing("a lease that ran out", ready, func() { advance(12 * time.Second) })
	x.pending("", "a")

	x.must(moving(broker.Delete, "a"), broker.Change{Enqueue: of(beside, "b")})
	now = time.Now()
	if _, err := x.b.Apply(x.Context(), now, nil, wantedFor("q", 1, time.Second)); err != nil {
		x.Fatalf("Apply() = %v, want nil", err)
	}
	x.must(moving(broker.Cancel, "b"), draining(beside, "last"))
	x.rousing("a drain of what was cancelled", ready, func() { advance(2 * time.Second) })
	x.pending("", "last")
}

func wakeDue(x *trial) {
	at := time.Now().Add(time.Hour).Truncate(time.Millisecond).Add(1500 * time.Microsecond)
	due := func(what string, c broker.Change) {
		x.Helper()
		at = at.Add(time.Millisecond)
		x.rousing(what, broker.Wake{Queue: "q", At: broker.CeilMilli(at)}, func() { x.must(c) })
	}
	next := func() time.Time { return at.Add(time.Millisecond) }
	waits := func(id string) broker.Entry {
		e := entry("q", id)
		e.DueAt = next()
		return e
	}
	due("an enqueue", broker.Change{Enqueue: []broker.Entry{waits("a")}})
	x.enqueue(entry("q", "b"))
	retry := settled(x.leaseOne("q"), broker.Retry)
	retry.At = next()
	due("a retry", broker.Change{Settle: []broker.Settlement{retry}})
	move := moving(broker.Reschedule, "a")
	move.Move[0].At = next()
	due("a move to another time", move)
	replacement := broker.Replacement{Entry: waits("b"), If: x.get("q", "b").Version}
	due("a replacement", broker.Change{Replace: []broker.Replacement{replacement}})
	run := broker.Home{Queue: "q", ID: "run"}
	x.must(broker.Change{Home: run, Open: []broker.Latch{{ID: "l", Total: 1, Then: broker.Part{Enqueue: []broker.Entry{waits("c")}}}}})
	due("what a latch enqueues", broker.Change{Home: run, Arrive: []broker.Arrival{{Latch: "l"}}})
	drained := waits("drained")
	drained.Home = beside
	due("a drain", broker.Change{Home: beside, Drain: []broker.Entry{drained}})
	at = time.Now().Add(-time.Hour)
	x.enqueue(entry("q", "d"))
	retry = settled(x.leaseOne("q"), broker.Retry)
	retry.At = next()
	due("a retry in the past", broker.Change{Settle: []broker.Settlement{retry}})
	x.heldBy("holder")
	now := time.Now()
	x.rousing("an enqueue behind a claim", broker.Wake{Queue: "q", At: broker.CeilMilli(now.Add(broker.BehindRetry))}, func() {
		c := broker.Change{Enqueue: []broker.Entry{behind("follower")}}
		if done, err := x.b.Apply(x.Context(), now, []broker.Change{c}, broker.LeaseRequest{}); err != nil || done.Outcomes[0] != nil {
			x.Errorf("Apply() = %+v, %v, want it to take effect", done, err)
		}
	})
}
