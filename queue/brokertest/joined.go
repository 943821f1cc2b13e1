package brokertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var joinedPromises = []promise{
	{"a group is told when an entry comes to wait in it, in whatever way", joinedWays},
	{"groups in which nothing waits any more are not told", joinedEmptied},
	{"groups are told in the order of their last joins, with what waits in them", joinedOrder},
	{"groups that are idle are not told again", joinedIdle},
	{"pages together tell all groups, each once", joinedPages},
	{"a queue that is removed has no groups, and a new one of its name goes on", joinedRemoved},
	{"groups are told of their queue only", joinedQueues},
}

// joined returns a page of the groups of q.
func (x *trial) joined(after string, limit int) broker.JoinedPage {
	x.Helper()
	page, err := x.b.Joined(x.Context(), broker.JoinedRequest{Queue: "q", After: after, Limit: limit})
	if err != nil {
		x.Fatalf("Joined(%q, %d) = %v, want nil", after, limit, err)
	}
	if len(page.Groups) > limit {
		x.Fatalf("Joined(%q, %d) returns %d groups", after, limit, len(page.Groups))
	}
	return page
}

// since returns the names of all groups of q that are told after, and where to go on.
func (x *trial) since(after string) (names []string, next string) {
	x.Helper()
	page := x.joined(after, broker.MaxParts)
	if page.More {
		x.Errorf("there are more groups than %d", broker.MaxParts)
	}
	for _, g := range page.Groups {
		names = append(names, g.Name)
	}
	return names, page.Next
}

// joining demands that by do exactly group g of q is joined.
func (x *trial) joining(what string, do func()) {
	x.Helper()
	_, after := x.since("")
	do()
	names, _ := x.since(after)
	equal(x, "joined by "+what, names, []string{"g"})
}

// A joinWay is a way to come to wait in group g of q, for an id that is new.
type joinWay struct {
	what string
	by   func(x *trial, id string) (do func())
}

var joinWays = []joinWay{
	{"an enqueue", func(x *trial, id string) func() {
		return func() { x.enqueue(grouped(id, "g")) }
	}},
	{"an enqueue of what was due", func(x *trial, id string) func() {
		return func() { x.enqueue(groupedAt(id, -time.Hour)) }
	}},
	{"a replacement with what was due", func(x *trial, id string) func() {
		x.enqueue(groupedAt(id, time.Hour))
		r := broker.Replacement{Entry: groupedAt(id, -time.Hour), If: x.get("q", id).Version}
		return func() { x.must(broker.Change{Replace: []broker.Replacement{r}}) }
	}},
	{"a release", func(x *trial, id string) func() {
		l := x.frozen(id)
		return func() { x.must(settling(l, broker.Released)) }
	}},
	{"what a latch enqueues", func(x *trial, id string) func() {
		e := grouped(id, "g")
		e.Home = home
		x.must(open(broker.Latch{ID: id, Total: 1, Then: broker.Part{Enqueue: []broker.Entry{e}}}))
		return func() { x.must(arrive(id, 0)) }
	}},
	{"what a latch releases", func(x *trial, id string) func() {
		x.must(open(broker.Latch{ID: id, Total: 2, Window: 1}))
		f := feed(id, "first-"+id, id)
		f.Feed[0].Entries[1].Group = "g"
		x.must(f)
		return func() { x.must(arrive(id, 0)) }
	}},
	{"a drain", func(x *trial, id string) func() {
		c := draining(broker.Home{Queue: "q", ID: "run-" + id}, id)
		c.Drain[0].Group = "g"
		return func() { x.must(c) }
	}},
}

// timedWays are those that need Advance.
var timedWays = []joinWay{
	{"what was due", func(x *trial, id string) func() {
		x.enqueue(groupedAt(id, time.Second))
		return func() { x.advancedBy(2 * time.Second) }
	}},
	{"a retry that was due", func(x *trial, id string) func() {
		s := settled(x.frozen(id), broker.Retry)
		s.At = time.Now().Add(time.Second)
		x.must(broker.Change{Settle: []broker.Settlement{s}})
		return func() { x.advancedBy(2 * time.Second) }
	}},
	{"a batch that ran out", func(x *trial, id string) func() {
		x.frozen(id)
		return func() {
			for d := 4 * time.Second; d <= 12*time.Second; d += 4 * time.Second {
				x.advancedBy(d)
			}
		}
	}},
}

func groupedAt(id string, d time.Duration) broker.Entry {
	e := grouped(id, "g")
	e.DueAt = time.Now().Add(d)
	return e
}

// frozen enqueues an entry into group g of q, where nothing else waits, and gathers it.
func (x *trial) frozen(id string) broker.Lease {
	x.Helper()
	x.enqueue(grouped(id, "g"))
	frozen := x.gather("g", "batch-"+id, 1).Members
	if len(frozen) != 1 {
		x.Fatalf("gathered %d entries, want 1", len(frozen))
	}
	return frozen[0]
}

// advancedBy advances q as it is to be done in d.
func (x *trial) advancedBy(d time.Duration) {
	x.Helper()
	r := broker.AdvanceRequest{Queues: []string{"q"}, Limit: 10}
	if _, err := x.b.Advance(x.Context(), time.Now().Add(d), r); err != nil {
		x.Fatalf("Advance() = %v, want nil", err)
	}
}

// everyWay calls enter with every way into group g, which is emptied between them.
func (x *trial) everyWay(enter func(what string, do func())) {
	x.Helper()
	for i, way := range slices.Concat(joinWays, timedWays) {
		do := way.by(x, fmt.Sprintf("id-%d", i))
		enter(way.what, do)
		x.sweep(task.Aggregating, broker.Delete, 10)
	}
}

func joinedWays(x *trial) { x.everyWay(x.joining) }

func joinedEmptied(x *trial) {
	for i, id := range []string{"run", "deleted", "archived", "cancelled", "rescheduled", "done", "kept"} {
		x.enqueue(grouped(id, fmt.Sprint("g", i)))
	}
	acts := map[string]broker.Act{"run": broker.Run, "deleted": broker.Delete, "archived": broker.Archive, "cancelled": broker.Cancel}
	for id, act := range acts {
		x.must(moving(act, id))
	}
	reschedule := moving(broker.Reschedule, "rescheduled")
	reschedule.Move[0].At = time.Now().Add(time.Hour)
	x.must(reschedule, settling(x.gather("g5", "t", 1).Members[0], broker.Done))
	x.gather("g6", "u", 1)
	x.enqueue(grouped("swept", "g"))
	x.sweep(task.Aggregating, broker.Delete, 10)
	x.must(broker.Change{Enqueue: []broker.Entry{grouped("brief", "h")}}, moving(broker.Delete, "brief"))
	names, _ := x.since("")
	equal(x, "told", names, nil)
}

func joinedOrder(x *trial) {
	start := time.Now()
	x.enqueue(grouped("a1", "a"), grouped("b1", "b"), grouped("c1", "c"))
	x.pass(1300 * time.Millisecond)
	x.enqueue(grouped("d1", "d"), grouped("a2", "a"))
	x.gather("b", "t", 1)
	x.enqueue(grouped("b2", "b"), grouped("b3", "b"))
	second := start.Add(2 * time.Second)
	equal(x, "told", x.joined("", 10).Groups, []broker.Group{
		{Name: "c", Size: 1, Oldest: start, Newest: start},
		{Name: "d", Size: 1, Oldest: second, Newest: second},
		{Name: "a", Size: 2, Oldest: start, Newest: second},
		{Name: "b", Size: 2, Oldest: second, Newest: second},
	})
}

func joinedIdle(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "h"))
	_, after := x.since("")
	names, again := x.since(after)
	equal(x, "told when nothing came", names, nil)
	x.enqueue(grouped("c", "h"), groupedAt("later", time.Hour), entry("q", "alone"))
	x.must(moving(broker.Delete, "a"))
	names, next := x.since(again)
	equal(x, "told when something came", names, []string{"h"})
	names, _ = x.since(next)
	equal(x, "told after it", names, nil)
	names, _ = x.since(after)
	equal(x, "told as before it", names, []string{"h"})
	names, _ = x.since("")
	equal(x, "told from the beginning", names, []string{"h"})
	names, _ = x.since("no cursor")
	equal(x, "told from nowhere", names, []string{"h"})
}

func joinedPages(x *trial) {
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint("g", i))
		x.enqueue(grouped(fmt.Sprint(i), want[i]))
	}
	x.must(moving(broker.Delete, "4"))
	want = slices.Delete(want, 4, 5)
	for limit := 1; limit < 11; limit++ {
		var names []string
		for page := (broker.JoinedPage{More: true}); page.More; {
			page = x.joined(page.Next, limit)
			for _, g := range page.Groups {
				names = append(names, g.Name)
			}
		}
		equal(x, fmt.Sprintf("told by pages of %d", limit), names, want)
	}
	first := x.joined("", 3)
	x.enqueue(grouped("again", "g0"))
	var names []string
	for _, g := range x.joined(first.Next, 20).Groups {
		names = append(names, g.Name)
	}
	equal(x, "told after the first page", names, append(want[3:], "g0"))
}

func joinedRemoved(x *trial) {
	equal(x, "of no queue", len(x.joined("", 1).Groups), 0)
	x.enqueue(grouped("a", "g"), grouped("b", "h"))
	_, after := x.since("")
	x.must(moving(broker.Delete, "a", "b"))
	if err := x.remove("q", false); err != nil {
		x.Fatalf("Remove() = %v, want nil", err)
	}
	names, _ := x.since(after)
	equal(x, "told of the removed one", names, nil)
	x.pass(time.Second)
	x.enqueue(grouped("c", "i"))
	names, after = x.since(after)
	equal(x, "told of the new one", names, []string{"i"})
	x.enqueue(grouped("d", "j"))
	names, _ = x.since(after)
	equal(x, "told of it then", names, []string{"j"})
}

func joinedQueues(x *trial) {
	other := grouped("b", "h")
	other.Queue = "p"
	x.enqueue(grouped("a", "g"), other)
	names, _ := x.since("")
	equal(x, "told of q", names, []string{"g"})
}

// everJoined returns all groups of a queue that are told from the beginning, by pages
// of limit, in order of their names.
func everJoined(ctx context.Context, b broker.Broker, queue string, limit int) ([]broker.Group, error) {
	var all []broker.Group
	for page := (broker.JoinedPage{More: true}); page.More; {
		var err error
		page, err = b.Joined(ctx, broker.JoinedRequest{Queue: queue, After: page.Next, Limit: limit})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Groups...)
	}
	slices.SortFunc(all, func(a, b broker.Group) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}
