package brokertest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var queuePromises = []promise{
	{"a queue comes into being with its first entry, and is told by name", queueNames},
	{"a refused change, a home and a pause make no queue", queueNotMade},
	{"history tells the figures of days, today first", queueHistory},
	{"days of which nothing is known have zeroes", queueHistoryNone},
	{"history ends after ninety days", queueHistoryLong},
	{"memory is estimated where the storage tells, and grows with what is stored", queueMemory},
}

// names returns the names of all queues, as an operator is told.
func (x *trial) names() []string {
	x.Helper()
	names, err := x.b.Queues(x.Context())
	if err != nil {
		x.Fatalf("Queues() = %v, want nil", err)
	}
	return names
}

// history returns the figures of a queue for as many days.
func (x *trial) history(queue string, days int) []broker.Day {
	x.Helper()
	found, err := x.b.History(x.Context(), time.Now(), queue, days)
	if err != nil || len(found) != days {
		x.Fatalf("History(%s, %d) = %v, %v, want as many and nil", queue, days, found, err)
	}
	return found
}

func queueNames(x *trial) {
	equal(x, "names at first", x.names(), nil)
	for _, queue := range []string{"m", "z", "Z", "a:1", "a"} {
		x.enqueue(entry(queue, "a"))
	}
	later := scheduled("later", "a", time.Hour)
	group := grouped("a", "g")
	x.enqueue(later, group)
	x.must(settling(x.leaseOne("m"), broker.Done))
	equal(x, "names", x.names(), []string{"Z", "a", "a:1", "later", "m", "q", "z"})
	equal(x, "as counted", x.queues(), x.names())
}

func queueNotMade(x *trial) {
	x.refused(broker.Change{Enqueue: entries("q", "a"), Watch: []broker.EntryRef{{Queue: "p", ID: "a"}}})
	x.must(broker.Change{Home: home, Put: []broker.Put{{Key: "k"}}})
	x.pause("q", true)
	x.none("q", "a")
	x.lease("q", 5)
	x.gather("g", "t", 5)
	equal(x, "advanced", x.advance("q"), broker.Advanced{})
	equal(x, "names", x.names(), nil)
}

// none asks for an entry that does not exist.
func (x *trial) none(queue, id string) {
	x.Helper()
	if _, err := x.b.Entry(x.Context(), broker.EntryRef{Queue: queue, ID: id}); err == nil {
		x.Errorf("Entry(%s/%s) = nil, want an error", queue, id)
	}
}

func queueHistory(x *trial) {
	day := 24 * time.Hour
	today := time.Now().UTC().Truncate(day)
	x.pass(time.Until(today.Add(day - time.Second)))
	process := func(to ...broker.Outcome) {
		for i, o := range to {
			x.enqueue(entry("q", fmt.Sprint(time.Now().Unix(), "-", i)))
			x.must(settling(x.leaseOne("q"), o))
		}
	}
	process(broker.Done, broker.Done, broker.Archived)
	x.pass(time.Second)
	process(broker.Archived)
	x.pass(2 * day)
	process(broker.Done)
	at := today.Add(3 * day)
	equal(x, "history", x.history("q", 5), []broker.Day{
		{Date: at, Processed: 1},
		{Date: at.Add(-day)},
		{Date: at.Add(-2 * day), Processed: 1, Failed: 1},
		{Date: at.Add(-3 * day), Processed: 3, Failed: 1},
		{Date: at.Add(-4 * day)},
	})
	equal(x, "today", x.history("q", 1), []broker.Day{{Date: at, Processed: 1}})
}

func queueHistoryNone(x *trial) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	equal(x, "of no queue", x.history("none", 2), []broker.Day{{Date: today}, {Date: today.AddDate(0, 0, -1)}})
	equal(x, "names", x.names(), nil)
}

func queueHistoryLong(x *trial) {
	x.enqueue(entry("q", "a"))
	x.must(settling(x.leaseOne("q"), broker.Done))
	x.pass((broker.MaxHistory - 1) * 24 * time.Hour)
	equal(x, "processed ninety days ago", x.history("q", broker.MaxHistory)[broker.MaxHistory-1].Processed, 1)
	for _, days := range []int{0, -1, broker.MaxHistory + 1} {
		_, err := x.b.History(x.Context(), time.Now(), "q", days)
		x.invalid(fmt.Sprint(days, " days"), err)
		x.refusal(fmt.Sprint(days, " days"), err)
	}
}

func queueMemory(x *trial) {
	const each, n = 2000, 50
	before, err := x.b.Memory(x.Context(), "q")
	if err != nil {
		return // the storage does not tell
	}
	for i := range n {
		e := entry("q", fmt.Sprint(i))
		e.Payload = bytes.Repeat([]byte("x"), each)
		x.enqueue(e)
	}
	after, err := x.b.Memory(x.Context(), "q")
	if err != nil || after-before < each*n/2 || after-before > each*n*5 {
		x.Errorf("Memory() = %d, %v and was %d, want about %d more and nil", after, err, before, each*n)
	}
	x.in("after that", task.Pending, "0")
}
