package brokertest

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var watchPromises = []promise{
	{"a watched entry that is done is kept as completed for a minute, with what it left", watchDone},
	{"a watched entry that is completed is kept for a minute at least", watchCompleted},
	{"a watch outlasts retries and crashes", watchLasts},
	{"an entry that does not exist cannot be watched", watchUnknown},
	{"a refused change watches nothing", watchRefused},
	{"an entry can be watched in any state, and again", watchStates},
	{"a watched member of a batch is kept, too", watchBatch},
}

// watching returns a change that watches entries of q.
func watching(ids ...string) broker.Change {
	var c broker.Change
	for _, id := range ids {
		c.Watch = append(c.Watch, broker.EntryRef{Queue: "q", ID: id})
	}
	return c
}

func watchDone(x *trial) {
	x.enqueue(claiming("q", "a", "k"))
	x.must(watching("a"))
	x.pass(1500 * time.Millisecond)
	s := left(settled(x.leaseOne("q"), broker.Done))
	s.Attempt = &broker.Attempt{Ended: broker.CeilMilli(time.Now()), Worker: "w"}
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	want := broker.Stored{Entry: s.Entry, State: task.Completed, Result: s.Result, Attempts: []broker.Attempt{*s.Attempt}}
	want.Until = broker.CeilSecond(time.Now().Add(broker.WatchRetention))
	equal(x, "stored", x.get("q", "a"), want)
	x.figures("after", 1, 0)
	x.enqueue(claiming("q", "b", "k"))
	x.pass(time.Minute)
	equal(x, "advanced before", x.advance("q"), broker.Advanced{Next: want.Until})
	x.pass(time.Second)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Expired: 1})
	x.missing("after a minute", "a")
}

func watchCompleted(x *trial) {
	for id, retention := range map[string]time.Duration{"short": time.Second, "long": time.Hour} {
		x.enqueue(entry("q", id))
		x.must(watching(id))
		s := settled(x.leaseOne("q"), broker.Completed)
		s.At = time.Now().Add(retention)
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		equal(x, id, x.get("q", id).Until, broker.CeilSecond(time.Now().Add(max(retention, broker.WatchRetention))))
	}
}

func watchLasts(x *trial) {
	x.enqueue(entry("q", "a"), entry("q", "unwatched"))
	x.must(watching("a"))
	x.crash("a", 1)
	x.must(settling(x.leaseOne("q"), broker.Released))
	x.must(settling(x.leaseOne("q"), broker.Retry))
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.missing("the other", "unwatched")
	x.must(moving(broker.Run, "a"))
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.in("done at last", task.Completed, "a")
}

func watchUnknown(x *trial) {
	x.enqueue(entry("q", "a"))
	x.notFound("no such entry", watching("a", "none"))
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.missing("done", "a")
	x.notFound("no such queue", broker.Change{Watch: []broker.EntryRef{{Queue: "none", ID: "a"}}})
	equal(x, "queues", x.queues(), []string{"q"})
}

func watchRefused(x *trial) {
	x.enqueue(entry("q", "a"))
	c := watching("a")
	c.Enqueue = entries("q", "a")
	x.refused(c)
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.missing("done", "a")
}

func watchStates(x *trial) {
	for _, state := range task.States() {
		id := state.String()
		x.brought(id, state)
		before := x.get("q", id)
		x.must(watching(id), watching(id))
		equal(x, "stored", x.get("q", id), before)
	}
	l := x.leaseOne("q")
	x.must(settling(l, broker.Done))
	x.in("done", task.Completed, l.Entry.ID)
}

func watchBatch(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"))
	x.must(watching("a"))
	for _, l := range x.gather("g", "t", 2).Members {
		x.must(settling(l, broker.Done))
	}
	x.in("the watched one", task.Completed, "a")
	x.missing("the other", "b")
	equal(x, "until", x.get("q", "a").Until, time.Now().Add(broker.WatchRetention))
}
