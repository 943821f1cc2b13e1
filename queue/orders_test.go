package queue_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// orders are the tasks that a client was told are stored, by their ids.
type orders map[string]errand

// The outcomes that are recorded of one task, and what it comes to.
var fates = map[fails]struct {
	recorded, failed int
	state            task.State
	retried          int
}{
	failsNever:  {recorded: 1, failed: 0, state: task.Completed, retried: 0},
	failsOnce:   {recorded: 2, failed: 1, state: task.Completed, retried: 1},
	failsAlways: {recorded: 2, failed: 2, state: task.Archived, retried: 1},
}

// produce enqueues a hundred tasks a second, and when it is over gives what was
// accepted.
func produce(t *testing.T, b broker.Broker, chance *rand.Rand, during time.Duration) <-chan orders {
	client, accepted := queue.NewClient(b), make(orders)
	over, done := time.After(during), make(chan orders, 1)
	go func() {
		defer func() { done <- accepted }()
		for {
			var errands []errand
			for range 9 {
				errands = append(errands, someErrand(chance))
			}
			accepted.enqueue(t, client, errands...)
			accepted.enqueue(t, client, someErrand(chance))
			select {
			case <-over:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return done
}

// someErrand returns one that takes no time to speak of, or now and then longer
// than a lease.
func someErrand(chance *rand.Rand) errand {
	e := errand{Takes: time.Duration(chance.IntN(300)) * time.Millisecond, Fails: failsNever}
	switch n := chance.IntN(400); {
	case n < 40:
		e.Fails = failsOnce
	case n < 80:
		e.Fails = failsAlways
	case n == 80:
		e.Takes = 11 * time.Second
	}
	return e
}

// enqueue enqueues errands, and notes those that are accepted.
func (o orders) enqueue(t *testing.T, c *queue.Client, errands ...errand) {
	var tasks []*task.Task
	for _, e := range errands {
		payload, err := json.Marshal(e)
		if err != nil {
			t.Error(err)
			return
		}
		tasks = append(tasks, task.New("errand", payload, task.MaxRetry(1), task.Retention(time.Hour)))
	}
	var results []queue.Enqueued
	if len(tasks) == 1 {
		info, err := c.Enqueue(context.Background(), tasks[0])
		results = []queue.Enqueued{{Info: info, Err: err}}
	} else {
		results = c.EnqueueMany(context.Background(), tasks)
	}
	for i, r := range results {
		if r.Err != nil {
			t.Errorf("enqueue: %v", r.Err)
			continue
		}
		o[r.Info.ID] = errands[i]
	}
}

// wantOutcomes demands that each task has come to what it had to, and that the
// queue's figures are those of one recorded outcome for each attempt.
func (o orders) wantOutcomes(t *testing.T, b broker.Broker) {
	t.Helper()
	want := broker.Counts{Queue: "default"}
	for id, e := range o {
		fate := fates[e.Fails]
		want.ProcessedTotal += fate.recorded
		want.FailedTotal += fate.failed
		if fate.state == task.Completed {
			want.Completed++
		} else {
			want.Archived++
		}
		got, err := b.Entry(t.Context(), broker.EntryRef{Queue: "default", ID: id})
		if err != nil {
			t.Errorf("task %s, which fails %s: %v", id, e.Fails, err)
		} else if got.State != fate.state || got.Retried != fate.retried {
			t.Errorf("task %s, which fails %s, is %v with %d retries used, want %v with %d",
				id, e.Fails, got.State, got.Retried, fate.state, fate.retried)
		}
	}
	got := counts(t, b)
	got.Processed, got.Failed = 0, 0 // those of today, which may have begun meanwhile
	if got != want {
		t.Errorf("figures of the queue: got %+v, want %+v", got, want)
	}
	t.Logf("%d tasks: %d completed, %d archived, %d outcomes", len(o), got.Completed, got.Archived, got.ProcessedTotal)
}

// wantExplained demands that the ledgers tell the same story: no task has two
// equal outcomes, and a handler was called again only after a counted failure, or
// because a worker was killed under it. It returns how often that was.
func (o orders) wantExplained(t *testing.T, c *crew) (interrupted int) {
	t.Helper()
	starts, cut := make(map[string]int), make(map[string]int)
	outcomes := make(map[string]map[string]int)
	for _, m := range c.members {
		running := make(map[string]bool)
		for _, n := range m.notes(t, "") {
			switch n.What {
			case noteStarted:
				starts[n.ID]++
				running[n.ID] = true
			case noteSettled:
				delete(running, n.ID)
				if outcomes[n.ID] == nil {
					outcomes[n.ID] = make(map[string]int)
				}
				outcomes[n.ID][n.Word]++
			case noteLost:
				t.Errorf("task %s: a worker lost its lease", n.ID)
			}
		}
		for id := range running {
			cut[id]++
			interrupted++
			if !m.killed {
				t.Errorf("task %s: a worker ended in good order without an outcome", id)
			}
		}
	}
	for id, e := range o {
		fate := fates[e.Fails]
		if n := starts[id]; n < fate.recorded || n > fate.recorded+cut[id] {
			t.Errorf("task %s, which fails %s, was started %d times, want %d, and at most %d more for the workers killed under it",
				id, e.Fails, n, fate.recorded, cut[id])
		}
		for word, n := range outcomes[id] {
			if n > 1 {
				t.Errorf("task %s was recorded as %s %d times", id, word, n)
			}
		}
	}
	t.Logf("kills interrupted %d handlers", interrupted)
	return interrupted
}
