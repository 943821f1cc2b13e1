package brokertest

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var groupPromises = []promise{
	{"an entry with a group waits in it and cannot be leased", groupWaits},
	{"an entry of a group that is for later is scheduled, and joins its group when it is due", groupScheduled},
	{"an entry that is retried goes back to its group", groupRetry},
	{"a latch releases entries into groups", groupLatch},
	{"groups are of their queue", groupQueues},
	{"the groups that hold entries are told in order of their names", groupList},
	{"a group that has become empty is told no more", groupEmpty},
	{"counts say how many wait in groups, and in how many", groupCounts},
	{"entries of a group are listed by the second in which they were added, ties by id", groupOrder},
	{"a claim is held while its entry is in a group", groupClaim},
	{"a deleted entry leaves its group", groupDelete},
}

// groups returns the groups of a queue in which entries wait that are not frozen.
func (x *trial) groups(queue string) []broker.Group {
	x.Helper()
	found, err := x.b.Groups(x.Context(), queue)
	if err != nil {
		x.Fatalf("Groups(%s) = %v, want nil", queue, err)
	}
	return waitingOnly(found)
}

// waitingOnly returns what every broker knows of groups: how many entries are
// frozen, and that there are no others, it may not tell.
func waitingOnly(found []broker.Group) []broker.Group {
	var groups []broker.Group
	for _, g := range found {
		g.Frozen = 0
		if g.Size > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func groupWaits(x *trial) {
	e := full("q", "a")
	e.Group = "g:~/@+-._0"
	x.enqueue(e)
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Aggregating})
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
	equal(x, "waiting", x.waiting(e.Group), []string{"a"})
	equal(x, "listed", x.page(broker.ListRequest{Queue: "q", State: task.Aggregating, Group: e.Group, Limit: 1}), []broker.Stored{x.get("q", "a")})
	x.pass(time.Hour)
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
}

func groupScheduled(x *trial) {
	e := grouped("a", "g")
	e.DueAt = time.Now().Add(90 * time.Second)
	x.enqueue(e)
	equal(x, "stored", x.get("q", "a"), broker.Stored{Entry: e, State: task.Scheduled})
	equal(x, "groups", x.groups("q"), nil)
	x.pass(90*time.Second - time.Millisecond)
	equal(x, "advanced before", x.advance("q"), broker.Advanced{Next: e.DueAt})
	x.pass(10 * time.Second)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Due: 1})
	e.DueAt = time.Time{}
	equal(x, "stored when it was due", x.get("q", "a"), broker.Stored{Entry: e, State: task.Aggregating})
	added := broker.CeilSecond(time.Now())
	equal(x, "groups", x.groups("q"), []broker.Group{{Name: "g", Size: 1, Oldest: added, Newest: added}})
}

func groupRetry(x *trial) {
	x.enqueue(grouped("a", "g"))
	b := x.gather("g", "t", 1)
	s := settled(b.Members[0], broker.Retry)
	s.Failed = true
	x.must(broker.Change{Settle: []broker.Settlement{s}})
	got := x.get("q", "a")
	equal(x, "stored", []any{got.State, got.Group, got.DueAt}, []any{task.Retry, "g", s.At})
	equal(x, "waiting", x.waiting("g"), nil)
	x.figures("after", 1, 1)
	x.pass(time.Minute)
	equal(x, "advanced", x.advance("q"), broker.Advanced{Due: 1})
	equal(x, "waiting when it was due", x.waiting("g"), []string{"a"})
	equal(x, "leased", leasedIDs(x.lease("q", 1)), nil)
}

func groupLatch(x *trial) {
	e := grouped("a", "g")
	e.Home = home
	later := grouped("b", "g")
	later.DueAt, later.Home = time.Now().Add(time.Minute), home
	x.must(open(broker.Latch{ID: "l", Total: 1, Then: broker.Part{Enqueue: []broker.Entry{e, later}}}), arrive("l", 0))
	equal(x, "waiting", x.waiting("g"), []string{"a"})
	x.in("the later one", task.Scheduled, "b")
	x.pass(time.Minute)
	x.advance("q")
	equal(x, "waiting", x.waiting("g"), []string{"a", "b"})
}

func groupQueues(x *trial) {
	other := grouped("b", "g")
	other.Queue = "p"
	x.enqueue(grouped("a", "g"), other)
	equal(x, "in q", x.waiting("g"), []string{"a"})
	equal(x, "gathered", len(x.gather("g", "t", 5).Members), 1)
	equal(x, "in p", x.groups("p")[0].Size, 1)
}

func groupList(x *trial) {
	equal(x, "of no queue", x.groups("none"), nil)
	start := time.Now()
	x.enqueue(grouped("a1", "g"), grouped("z1", "z"), grouped("b1", "a:b"))
	x.pass(1300 * time.Millisecond)
	x.enqueue(grouped("a2", "g"))
	x.pass(time.Second)
	x.enqueue(grouped("a3", "g"))
	equal(x, "groups", x.groups("q"), []broker.Group{
		{Name: "a:b", Size: 1, Oldest: start, Newest: start},
		{Name: "g", Size: 3, Oldest: start, Newest: start.Add(3 * time.Second)},
		{Name: "z", Size: 1, Oldest: start, Newest: start},
	})
}

func groupEmpty(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "h"), grouped("c", "i"))
	x.must(moving(broker.Run, "a"), moving(broker.Delete, "b"))
	x.must(settling(x.gather("i", "t", 1).Members[0], broker.Done))
	x.must(broker.Change{Enqueue: []broker.Entry{grouped("d", "j")}}, moving(broker.Delete, "d"))
	equal(x, "groups", x.groups("q"), nil)
	c := x.counts("q")
	equal(x, "counts", []int{c.Aggregating, c.Groups}, []int{0, 0})
}

func groupCounts(x *trial) {
	for i := range 5 {
		x.enqueue(grouped(fmt.Sprint("a", i), "g"), grouped(fmt.Sprint("b", i), fmt.Sprint("h", i%2)))
	}
	x.enqueue(entry("q", "pending"))
	c := x.counts("q")
	equal(x, "counts", []int{c.Aggregating, c.Groups, c.Pending, c.Size()}, []int{10, 3, 1, 11})
	x.gather("g", "t", 3)
	c = x.counts("q")
	equal(x, "counts with a batch", []int{c.Aggregating, c.Groups, c.Size()}, []int{10, 3, 11})
}

func groupOrder(x *trial) {
	x.enqueue(grouped("c", "g"))
	x.pass(1100 * time.Millisecond)
	x.enqueue(grouped("b", "g"))
	x.pass(300 * time.Millisecond)
	x.enqueue(grouped("a", "g"), grouped("B", "g"))
	x.pass(time.Second)
	x.enqueue(grouped("0", "g"))
	equal(x, "waiting", x.waiting("g"), []string{"c", "B", "a", "b", "0"})
}

func groupClaim(x *trial) {
	e := claiming("q", "a", "k")
	e.Group = "g"
	x.enqueue(e)
	x.claimed("while it waits", claiming("q", "b", "k"), "a")
	b := x.gather("g", "t", 1)
	x.claimed("while it is frozen", claiming("q", "b", "k"), "a")
	x.must(settling(b.Members[0], broker.Done))
	e.ID = "b"
	x.enqueue(e)
	x.must(moving(broker.Delete, "b"))
	x.freed("when it was deleted")
}

func groupDelete(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"), grouped("c", "g"))
	x.must(moving(broker.Delete, "b"), moving(broker.Archive, "c"))
	equal(x, "waiting", x.waiting("g"), []string{"a"})
	equal(x, "group of the archived one", x.get("q", "c").Group, "g")
	x.enqueue(grouped("b", "g"))
	equal(x, "waiting", x.waiting("g"), []string{"a", "b"})
}
