package history

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A tally counts what a server does since it began. Whoever reads it takes what has been
// added since the time before, so that nothing is ever set back while somebody adds.
type tally struct{ queues map[string]*queueTally }

type queueTally struct {
	types atomic.Pointer[map[string]*Count] // replaced when there is one more
	mu    sync.Mutex                        // for those who replace it
}

// A Count is what is counted of the tasks of one type in one queue. A nil Count counts
// nothing. Its methods may be called from several goroutines and allocate nothing.
type Count struct {
	numbers     [4]atomic.Int64 // as those of a Figure
	waits, runs timing
	taken       Figure // who takes knows it
}

type timing struct {
	buckets [Buckets]atomic.Int64
	sum     atomic.Int64
}

func newTally(queues []string) *tally {
	t := &tally{queues: make(map[string]*queueTally, len(queues))}
	for _, q := range queues {
		of := new(queueTally)
		of.types.Store(new(map[string]*Count))
		t.queues[q] = of
	}
	return t
}

// of returns the Count of a type in a queue, nil if the queue is not one of the tally.
func (t *tally) of(queue, name string) *Count {
	q := t.queues[queue]
	if q == nil {
		return nil
	}
	if c := (*q.types.Load())[name]; c != nil {
		return c
	}
	return q.begin(name)
}

// begin returns the Count of a type that there was none of, or that of Other if there are
// enough.
func (q *queueTally) begin(name string) *Count {
	q.mu.Lock()
	defer q.mu.Unlock()
	types := *q.types.Load()
	if types[name] == nil && len(types) >= MaxTypes {
		name = Other
	}
	if c := types[name]; c != nil {
		return c
	}
	c := new(Count)
	more := maps.Clone(types)
	if more == nil {
		more = map[string]*Count{}
	}
	more[name] = c
	q.types.Store(&more)
	return c
}

// Began counts a task that was begun after it was ready for that long; 0: not known.
func (c *Count) Began(waited time.Duration) {
	if c != nil && waited > 0 {
		c.waits.add(waited)
	}
}

// Settled counts an outcome that was recorded, whether it was a failure, and how long the
// handler took; 0: there was none.
func (c *Count) Settled(to broker.Outcome, failed bool, took time.Duration) {
	if c == nil || to == broker.Released {
		return
	}
	if to != broker.Retry || failed {
		c.numbers[0].Add(1)
	}
	if failed {
		c.numbers[1].Add(1)
	}
	switch to {
	case broker.Retry:
		c.numbers[2].Add(1)
	case broker.Archived:
		c.numbers[3].Add(1)
	}
	if took > 0 {
		c.runs.add(took)
	}
}

func (t *timing) add(d time.Duration) {
	t.buckets[bucket(d)].Add(1)
	t.sum.Add(int64(d))
}

// take returns what was counted since the last call, by queue.
func (t *tally) take() map[string]*slot {
	all := map[string]*slot{}
	for queue, q := range t.queues {
		for name, c := range *q.types.Load() {
			f := c.take()
			if f.IsZero() {
				continue
			}
			if all[queue] == nil {
				all[queue] = &slot{types: map[string]*Figure{}}
			}
			all[queue].types[name] = &f
		}
	}
	return all
}

// take returns what was counted since the last call.
func (c *Count) take() (since Figure) {
	were, are := c.taken.numbers(), since.numbers()
	for i := range c.numbers {
		now := c.numbers[i].Load()
		*are[i], *were[i] = now-*were[i], now
	}
	since.Waits, since.Runs = c.waits.take(&c.taken.Waits), c.runs.take(&c.taken.Runs)
	return since
}

// take returns what was added since taken, which becomes what there is now.
func (t *timing) take(taken *Histogram) (since Histogram) {
	if taken.counts == nil {
		taken.counts = make([]int64, Buckets)
	}
	counts, any := make([]int64, Buckets), false
	for i := range t.buckets {
		now := t.buckets[i].Load()
		counts[i], taken.counts[i] = now-taken.counts[i], now
		any = any || counts[i] > 0
	}
	if !any {
		return since // the sum may be of what is yet to be counted
	}
	sum := time.Duration(t.sum.Load())
	since = Histogram{counts: counts, sum: sum - taken.sum}
	taken.sum = sum
	return since
}

// served returns the names of the queues, sorted.
func (t *tally) served() []string { return slices.Sorted(maps.Keys(t.queues)) }
