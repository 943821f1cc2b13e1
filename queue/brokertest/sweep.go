package brokertest

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var sweepPromises = []promise{
	{"a sweep does to all of a state what a move does to one", sweepActs},
	{"a step does it to the first entries of the list, and says to how many", sweepSteps},
	{"a sweep of a group leaves others and what is frozen", sweepGroup},
	{"a sweep of no entries or no queue does nothing", sweepNone},
	{"a sweep frees claims", sweepClaims},
	{"five hundred entries are swept in one step", sweepMany},
}

func sweepActs(x *trial) {
	sweeps := map[task.State][]broker.Act{
		task.Pending:     {broker.Archive, broker.Delete, broker.Cancel},
		task.Scheduled:   {broker.Run, broker.Archive, broker.Delete, broker.Cancel},
		task.Retry:       {broker.Run, broker.Archive, broker.Delete, broker.Cancel},
		task.Archived:    {broker.Run, broker.Delete},
		task.Completed:   {broker.Run, broker.Archive, broker.Delete},
		task.Aggregating: {broker.Run, broker.Archive, broker.Delete, broker.Cancel},
	}
	for _, state := range task.States() {
		for _, do := range sweeps[state] {
			id := name(do, state)
			x.brought(id, state)
			before := x.counts("q")
			equal(x, id+": done to", x.sweep(state, do, 10), 1)
			switch do {
			case broker.Run:
				x.pending(id, id)
			case broker.Archive, broker.Cancel:
				x.in(id, task.Archived, id)
				equal(x, id+": end", x.get("q", id).End == broker.Cancelled, do == broker.Cancel)
			case broker.Delete:
				x.missing(id, id)
			}
			x.figures(id, before.Processed, before.Failed)
			equal(x, id+": done to in the next step", x.sweep(state, do, 10), 0)
			x.clear()
		}
	}
}

func sweepSteps(x *trial) {
	for i, due := range []time.Duration{5, 1, 4, 2, 3} {
		x.enqueue(scheduled("q", fmt.Sprint(i), due*time.Hour))
	}
	for _, step := range []struct {
		done    int
		pending []string
	}{
		{2, []string{"1", "3"}},
		{2, []string{"1", "3", "4", "2"}},
		{1, []string{"1", "3", "4", "2", "0"}},
		{0, []string{"1", "3", "4", "2", "0"}},
	} {
		equal(x, "done to", x.sweep(task.Scheduled, broker.Run, 2), step.done)
		x.pending("", step.pending...)
	}
	equal(x, "archived", x.sweep(task.Pending, broker.Archive, 3), 3)
	x.pending("after three were archived", "2", "0")
}

func sweepGroup(x *trial) {
	x.enqueue(grouped("a", "g"), grouped("b", "g"), grouped("c", "g"), grouped("d", "h"))
	x.gather("g", "t", 1)
	equal(x, "done to", x.sweep(task.Aggregating, broker.Run, 10), 2)
	x.pending("", "b", "c")
	equal(x, "group", x.get("q", "b").Group, "")
	x.in("the others", task.Aggregating, "a", "d")
	equal(x, "counts", x.counts("q").Aggregating, 2)
}

func sweepNone(x *trial) {
	equal(x, "of no queue", x.sweep(task.Pending, broker.Delete, 10), 0)
	equal(x, "queues", x.queues(), nil)
	x.enqueue(entry("q", "a"))
	x.leaseOne("q")
	for _, state := range []task.State{task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating} {
		equal(x, state.String(), x.sweep(state, broker.Delete, 10), 0)
	}
	x.in("after that", task.Active, "a")
}

func sweepClaims(x *trial) {
	x.enqueue(lasting("a"), claiming("q", "b", "k2"))
	equal(x, "archived", x.sweep(task.Pending, broker.Archive, 10), 2)
	x.freed("archived")
	x.claimed("archived with a TTL", claiming("q", "c", "k2"), "b")
	equal(x, "deleted", x.sweep(task.Archived, broker.Delete, 10), 2)
	x.enqueue(claiming("q", "c", "k2"))
}

func sweepMany(x *trial) {
	x.must(broker.Change{Enqueue: numbered("e", broker.MaxSweep+1)})
	for _, want := range []int{broker.MaxSweep, 1, 0} {
		equal(x, "archived", x.sweep(task.Pending, broker.Archive, broker.MaxSweep), want)
	}
	equal(x, "counts", x.counts("q").Archived, broker.MaxSweep+1)
}
