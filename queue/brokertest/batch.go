package brokertest

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var batchPromises = []promise{
	{"a batch is the oldest entries of its group, whole and in order", batchOldest},
	{"a group is ripe when it has enough entries", batchSize},
	{"a group is ripe when its newest entry was added its grace ago", batchGrace},
	{"a group is ripe when its oldest entry was added its longest delay ago", batchDelay},
	{"a group without entries is never ripe", batchNone},
	{"members stay aggregating, and are frozen until the batch ends", batchFrozen},
	{"asking again with its token returns the same batch", batchAgain},
	{"members are settled singly, as any lease is", batchSettle},
	{"all members are settled in one change, with what they were folded into", batchFold},
	{"a wrong token settles no member", batchToken},
	{"released members go back to their group, to where they were", batchRelease},
	{"a batch that is not extended goes back, to where it was", batchReturned},
	{"to extend a member is to extend its batch", batchExtend},
	{"a batch goes back as far as the limit lets it", batchLimit},
	{"a batch that was given back settles nothing", batchLost},
	{"batches go back in order of their time", batchOrder},
	{"a member whose batch goes back counts a crash", batchCrash},
	{"two batches of a group share no entry", batchTwo},
	{"a thousand members less ten are folded in one change", batchThousand},
}

func batchOldest(x *trial) {
	e := full("q", "a")
	e.Group = "g"
	x.enqueue(e, grouped("d", "g"))
	first := time.Now()
	x.pass(time.Second)
	x.enqueue(grouped("c", "g"), grouped("b", "g"))
	second := time.Now()
	until := time.Now().Add(90*time.Second + time.Millisecond)
	b := x.gatherAs(broker.GatherRequest{Queue: "q", Group: "g", Token: "t", MaxSize: 3, Until: until})
	want := broker.Batch{Queue: "q", Group: "g", Token: "t", Until: broker.CeilSecond(until), Next: time.Now()}
	want.Members = []broker.Lease{
		{Entry: e, Token: "t", Until: want.Until, Ready: broker.CeilMilli(first)},
		{Entry: grouped("d", "g"), Token: "t", Until: want.Until, Ready: broker.CeilMilli(first)},
		{Entry: grouped("b", "g"), Token: "t", Until: want.Until, Ready: broker.CeilMilli(second)},
	}
	equal(x, "batch", b, want)
	equal(x, "waiting", x.waiting("g"), []string{"c"})
}

// ripe demands that a group of q is ripe for r, or is not.
func (x *trial) ripe(what string, r broker.GatherRequest, want bool) {
	x.Helper()
	r.Queue, r.Until = "q", time.Now().Add(time.Minute)
	if got := x.gatherAs(r).Token != ""; got != want {
		x.Errorf("%s: ripe = %t, want %t", what, got, want)
	}
}

func batchSize(x *trial) {
	r := broker.GatherRequest{Group: "g", Token: "t", Grace: time.Hour, MaxSize: 3}
	x.enqueue(grouped("a", "g"), grouped("b", "g"), grouped("c", "h"))
	x.ripe("two of three", r, false)
	x.enqueue(grouped("d", "g"))
	x.ripe("three of three", r, true)
}

func batchGrace(x *trial) {
	r := broker.GatherRequest{Group: "g", Token: "t", Grace: 9001 * time.Millisecond, MaxSize: 10}
	x.enqueue(grouped("a", "g"))
	x.pass(5 * time.Second)
	x.enqueue(grouped("b", "g"))
	x.pass(10*time.Second - time.Millisecond)
	x.ripe("before the grace, in whole seconds, has passed", r, false)
	x.pass(time.Millisecond)
	x.ripe("when it has passed", r, true)
	r.Group, r.Token, r.Grace = "h", "u", 0
	x.enqueue(grouped("c", "h"))
	x.ripe("without a grace", r, true)
}

func batchDelay(x *trial) {
	r := broker.GatherRequest{Group: "g", Token: "t", Grace: time.Hour, MaxDelay: 9001 * time.Millisecond, MaxSize: 10}
	x.enqueue(grouped("a", "g"))
	x.pass(10*time.Second - time.Millisecond)
	x.enqueue(grouped("b", "g"))
	x.ripe("before the delay, in whole seconds, has passed", r, false)
	x.pass(time.Millisecond)
	none := r
	none.MaxDelay = 0
	x.ripe("without a longest delay", none, false)
	x.ripe("when it has passed", r, true)
}

func batchNone(x *trial) {
	equal(x, "of no queue", x.gather("g", "t", 1), broker.Batch{})
	x.enqueue(grouped("a", "h"))
	equal(x, "of no group", x.gather("g", "t", 1).Token, "")
	x.gather("h", "u", 1)
	equal(x, "of one whose entries are frozen", x.gather("h", "v", 1).Token, "")
	equal(x, "queues", x.queues(), []string{"q"})
}

func batchFrozen(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"))
	b := x.gather("g", "t", 1)
	want := broker.Stored{Entry: grouped("a", "g"), State: task.Aggregating, Until: b.Until}
	equal(x, "stored", x.get("q", "a"), want)
	equal(x, "waiting", x.waiting("g"), []string{"b"})
	equal(x, "group", x.groups("q")[0].Size, 1)
	equal(x, "leased", leasedIDs(x.lease("q", 5)), nil)
	equal(x, "swept", x.sweep(task.Aggregating, broker.Delete, 5), 1)
	x.in("after the sweep", task.Aggregating, "a")
	equal(x, "next", x.advance("q").Next, b.Until)
}

func batchAgain(x *trial) {
	for i := range 4 {
		x.enqueue(grouped(fmt.Sprint(i), "g"))
	}
	b := x.gather("g", "t", 2)
	x.pass(3 * time.Second)
	b.Next = time.Now()
	for i := range b.Members {
		b.Members[i].Ready = time.Time{} // a lease that is told again does not say
	}
	equal(x, "again", x.gather("g", "t", 4), b)
	x.must(settling(b.Members[0], broker.Done))
	b.Members = b.Members[1:]
	equal(x, "again when one is done", x.gather("g", "t", 2), b)
	equal(x, "waiting", x.waiting("g"), []string{"2", "3"})
}

func batchSettle(x *trial) {
	outcomes := []broker.Outcome{broker.Done, broker.Completed, broker.Retry, broker.Archived, broker.Released}
	for _, to := range outcomes {
		x.enqueue(grouped("id-"+to.String(), "g"))
	}
	b := x.gather("g", "t", len(outcomes))
	states := map[string]task.State{"id-completed": task.Completed, "id-retry": task.Retry, "id-archived": task.Archived, "id-released": task.Aggregating}
	for _, l := range b.Members {
		var to broker.Outcome
		for _, o := range outcomes {
			if l.Entry.ID == "id-"+o.String() {
				to = o
			}
		}
		s := left(settled(l, to))
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		if state := states[l.Entry.ID]; state != 0 {
			x.in("settled", state, l.Entry.ID)
			equal(x, "group", x.get("q", l.Entry.ID).Group, "g")
		}
		x.lost("again", settling(l, broker.Done))
	}
	x.missing("done", "id-done")
	equal(x, "result", x.get("q", "id-completed").Result, []byte("result\x00\xff"))
	x.figures("after", 3, 1)
	equal(x, "waiting", x.waiting("g"), []string{"id-released"})
}

func batchFold(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"), grouped("c", "g"))
	b := x.gather("g", "t", 2)
	c := broker.Change{Enqueue: entries("q", "folded")}
	for _, l := range b.Members {
		c.Settle = append(c.Settle, settled(l, broker.Done))
	}
	bad := c
	bad.Require = []broker.Condition{{Key: "k", Version: 1}}
	bad.Home = home
	x.refused(bad)
	x.in("after a refusal", task.Aggregating, "a", "b")
	x.must(c)
	x.missing("folded", "a", "b")
	x.pending("", "folded")
	equal(x, "counts", x.counts("q").Aggregating, 1)
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
}

func batchToken(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"), grouped("c", "g"))
	first, second := x.gather("g", "t", 1), x.gather("g", "u", 1)
	l := first.Members[0]
	for _, token := range []string{"", "x", second.Token, "t0"} {
		l.Token = token
		x.lost("with token "+token, settling(l, broker.Done))
		equal(x, "held with token "+token, x.extend(time.Hour, l.Ref()), []broker.Held{broker.Lost})
	}
	free := broker.Lease{Entry: grouped("c", "g"), Token: "t"}
	x.lost("one that is not in the batch", settling(free, broker.Done))
	both := settling(first.Members[0], broker.Done)
	both.Settle = append(both.Settle, settled(free, broker.Done))
	x.lost("one of two", both)
	x.in("after that", task.Aggregating, "a", "b", "c")
}

func batchRelease(x *trial) {
	for _, id := range []string{"d", "c", "b", "a"} {
		x.enqueue(grouped(id, "g"))
		x.pass(time.Second)
	}
	b := x.gather("g", "t", 3)
	equal(x, "gathered", leasedIDs(b.Members), []string{"d", "c", "b"})
	x.must(settling(b.Members[1], broker.Released))
	equal(x, "waiting", x.waiting("g"), []string{"c", "a"})
	x.must(settling(b.Members[0], broker.Released))
	equal(x, "waiting", x.waiting("g"), []string{"d", "c", "a"})
	want := broker.Stored{Entry: grouped("d", "g"), State: task.Aggregating}
	equal(x, "stored", x.get("q", "d"), want)
	equal(x, "gathered anew", leasedIDs(x.gather("g", "u", 5).Members), []string{"d", "c", "a"})
}

func batchReturned(x *trial) {
	x.enqueue(grouped("b", "g"))
	x.pass(time.Second)
	x.enqueue(grouped("a", "g"))
	x.pass(time.Second)
	added := x.groups("q")[0]
	b := x.gather("g", "t", 2)
	x.awake(10*time.Second-time.Millisecond, "q")
	equal(x, "advanced before", x.advance("q"), broker.Advanced{Next: b.Until})
	x.pass(time.Millisecond)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Returned: 2})
	equal(x, "waiting", x.waiting("g"), []string{"b", "a"})
	equal(x, "group", x.groups("q"), []broker.Group{added})
	equal(x, "until", x.get("q", "a").Until, time.Time{})
	equal(x, "gathered anew", len(x.gather("g", "u", 5).Members), 2)
}

func batchExtend(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"))
	l := x.gather("g", "t", 2).Members
	x.awake(9*time.Second, "q")
	until := broker.CeilSecond(time.Now().Add(9500 * time.Millisecond))
	equal(x, "held", x.extend(9500*time.Millisecond, l[1].Ref()), []broker.Held{broker.Kept})
	for _, id := range []string{"a", "b"} {
		equal(x, "until of "+id, x.get("q", id).Until, until)
	}
	x.awake(9*time.Second, "q")
	equal(x, "advanced before", x.advance("q"), broker.Advanced{Next: until})
	x.must(settling(l[0], broker.Done))
	x.pass(time.Second)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Returned: 1})
}

func batchLimit(x *trial) {
	for i := range 5 {
		x.enqueue(grouped(fmt.Sprint(i), "g"))
	}
	l := x.gather("g", "t", 5).Members
	x.awake(10*time.Second, "q")
	got := x.advanceAtMost(2, "q")
	if got.Returned != 2 || got.Next.IsZero() || got.Next.After(time.Now()) {
		x.Errorf("advanced = %+v, want two returned and next not after now", got)
	}
	equal(x, "waiting", x.waiting("g"), []string{"0", "1"})
	x.lost("one that is back", settling(l[0], broker.Done))
	x.must(settling(l[4], broker.Done))
	equal(x, "advanced at last", x.advanceAtMost(3, "q"), broker.Advanced{Returned: 2})
	equal(x, "waiting", x.waiting("g"), []string{"0", "1", "2", "3"})
}

func batchLost(x *trial) {
	x.enqueue(grouped("a", "g"))
	l := x.gather("g", "t", 1).Members[0]
	x.awake(10*time.Second, "q")
	x.advance("q")
	x.lost("given back", settling(l, broker.Done))
	after := x.gather("g", "u", 1).Members[0]
	x.lost("and gathered again", settling(l, broker.Done))
	equal(x, "held", x.extend(time.Hour, l.Ref(), after.Ref()), []broker.Held{broker.Lost, broker.Kept})
	x.must(settling(after, broker.Done))
}

func batchOrder(x *trial) {
	for _, group := range []string{"g", "h", "i"} {
		x.enqueue(grouped(group+"1", group), grouped(group+"2", group))
	}
	for group, d := range map[string]time.Duration{"g": 4 * time.Second, "h": 2 * time.Second, "i": 3 * time.Second} {
		x.gatherAs(broker.GatherRequest{Queue: "q", Group: group, Token: "t-" + group, MaxSize: 2, Until: time.Now().Add(d)})
	}
	x.pass(5 * time.Second)
	equal(x, "returned", x.advanceAtMost(3, "q").Returned, 3)
	for group, want := range map[string][]string{"g": nil, "h": {"h1", "h2"}, "i": {"i1"}} {
		equal(x, "waiting in "+group, x.waiting(group), want)
	}
}

func batchCrash(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"))
	l := x.gather("g", "t", 2).Members
	x.must(settling(l[1], broker.Released))
	x.awake(10*time.Second, "q")
	equal(x, "returned", x.advance("q").Returned, 1)
	got := x.get("q", "a")
	equal(x, "crashes", got.Crashes, 1)
	equal(x, "attempts", got.Attempts, []broker.Attempt{{Ended: time.Now(), Err: broker.LeaseRanOut}})
	equal(x, "crashes of the released one", x.get("q", "b").Crashes, 0)
	equal(x, "crashes as gathered", x.gather("g", "u", 2).Members[0].Entry.Crashes, 1)
}

func batchTwo(x *trial) {
	for i := range 5 {
		x.enqueue(grouped(fmt.Sprint(i), "g"))
	}
	first, second := x.gather("g", "t", 2), x.gather("g", "u", 2)
	equal(x, "first", leasedIDs(first.Members), []string{"0", "1"})
	equal(x, "second", leasedIDs(second.Members), []string{"2", "3"})
	x.must(settling(first.Members[0], broker.Done), settling(second.Members[1], broker.Done))
	x.awake(10*time.Second, "q")
	equal(x, "returned", x.advance("q").Returned, 2)
	equal(x, "waiting", x.waiting("g"), []string{"1", "2", "4"})
}

func batchThousand(x *trial) {
	all := numbered("e", broker.MaxBatch)
	for i := range all {
		all[i].Group = "g"
	}
	x.must(broker.Change{Enqueue: all})
	b := x.gather("g", "t", broker.MaxBatch)
	equal(x, "members", len(b.Members), broker.MaxBatch)
	c := broker.Change{Enqueue: entries("q", "folded")}
	for _, l := range b.Members {
		c.Settle = append(c.Settle, settled(l, broker.Done))
	}
	x.must(c)
	equal(x, "size", x.counts("q").Size(), 1)
}
