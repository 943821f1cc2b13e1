package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A benchmark is what is measured, and where.
type benchmark struct {
	Queue       string `json:"queue"` // its own
	Tasks       int    `json:"tasks"`
	Concurrency int    `json:"concurrency"`
	Payload     int    `json:"payload_bytes"`
	Batch       int    `json:"batch"`

	broker broker.Broker
	say    func(what string)
}

// Figures are what a benchmark comes to.
type figures struct {
	benchmark
	Storage   string  `json:"storage"`
	RoundTrip float64 `json:"round_trip_seconds"` // the median
	OneByOne  float64 `json:"enqueue_one_by_one_per_second"`
	InBatches float64 `json:"enqueue_in_batches_per_second"`
	Run       float64 `json:"run_per_second"`
	PickUpP50 float64 `json:"pick_up_p50_seconds"`
	PickUpP99 float64 `json:"pick_up_p99_seconds"`
	Steps     float64 `json:"steps_per_second"`
}

// The types of a benchmark's tasks.
const (
	benchDrain  = "leat-bench:drain"
	benchPickUp = "leat-bench:pick-up"
)

const (
	// slowest is how long a measurement goes on that has no end of its own: on a storage
	// that is far away, tasks that go one by one take long.
	slowest = 3 * time.Second

	pickUps   = 300 // how often it is measured, at most
	chainLong = 5   // steps of a run
)

// storage says what is measured, and where it is.
func (b benchmark) storage(ctx context.Context) (string, error) {
	about, err := queue.NewInspector(b.broker).Describe(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return fmt.Sprintf("%T", b.broker), nil
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", about.Kind, about.Version, about.Address)), nil
}

// measure measures everything, one thing after another. It leaves the queue behind.
func (b benchmark) measure(ctx context.Context) (f figures, err error) {
	f = figures{benchmark: b}
	if f.Storage, err = b.storage(ctx); err != nil {
		return f, err
	}
	c := queue.NewClient(b.broker)
	if f.RoundTrip, err = b.roundTrip(ctx); err != nil {
		return f, err
	}
	b.say("enqueueing one by one")
	single, took, err := b.enqueueOneByOne(ctx, c)
	if err != nil {
		return f, err
	}
	f.OneByOne = rate(single, took)
	b.say("enqueueing in batches")
	batched, took, err := b.enqueueInBatches(ctx, c)
	if err != nil {
		return f, err
	}
	f.InBatches = rate(batched, took)
	return f, b.serve(ctx, c, single+batched, &f)
}

// serve measures what takes a server: all that wait are run first.
func (b benchmark) serve(ctx context.Context, c *queue.Client, waiting int, f *figures) (err error) {
	drained, begun, stepped := newCounter(waiting), make(chan time.Time, 1), newCounter(0)
	flow := chain(b.Queue, stepped)
	mux := task.NewMux()
	mux.HandleFunc(benchDrain, func(context.Context, *task.Task) error { drained.add(); return nil })
	mux.HandleFunc(benchPickUp, func(context.Context, *task.Task) error { begun <- time.Now(); return nil })
	workflow.Register(mux, flow)
	server, err := queue.NewServer(b.broker, queue.Config{
		Concurrency: b.Concurrency, Queues: map[string]int{b.Queue: 1}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	b.say("running them")
	start := time.Now()
	if err := server.Start(mux); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Shutdown(context.WithoutCancel(ctx))) }()
	if err := drained.wait(ctx); err != nil {
		return err
	}
	f.Run = rate(waiting, time.Since(start))
	b.say("enqueueing for an idle server")
	if f.PickUpP50, f.PickUpP99, err = b.pickUp(ctx, c, begun); err != nil {
		return err
	}
	b.say("running workflows")
	f.Steps, err = b.steps(ctx, c, flow, stepped)
	return err
}

// roundTrip returns how long the storage takes to answer, in the middle.
func (b benchmark) roundTrip(ctx context.Context) (float64, error) {
	var took []time.Duration
	for range 20 {
		start := time.Now()
		if err := b.broker.Ping(ctx); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start))
	}
	return quantile(took, 0.5).Seconds(), nil
}

// enqueueOneByOne enqueues half of the tasks, or as many as there is time for.
func (b benchmark) enqueueOneByOne(ctx context.Context, c *queue.Client) (n int, took time.Duration, err error) {
	start := time.Now()
	for n < max(b.Tasks/2, 1) && time.Since(start) < slowest {
		if _, err := c.Enqueue(ctx, b.task(benchDrain)); err != nil {
			return n, 0, err
		}
		n++
	}
	return n, time.Since(start), nil
}

// enqueueInBatches enqueues as many tasks as are still missing, or at least one batch.
func (b benchmark) enqueueInBatches(ctx context.Context, c *queue.Client) (n int, took time.Duration, err error) {
	start := time.Now()
	for n < max(b.Tasks/2, b.Batch) {
		batch := make([]*task.Task, b.Batch)
		for i := range batch {
			batch[i] = b.task(benchDrain)
		}
		for _, e := range c.EnqueueMany(ctx, batch) {
			if e.Err != nil {
				return n, 0, e.Err
			}
		}
		n += len(batch)
	}
	return n, time.Since(start), nil
}

// pickUp measures from before a task is enqueued until its handler begins, one task at a
// time and with pauses, as long as slowest at most.
func (b benchmark) pickUp(ctx context.Context, c *queue.Client, begun <-chan time.Time) (p50, p99 float64, err error) {
	var took []time.Duration
	for first := time.Now(); len(took) < pickUps && (time.Since(first) < slowest || len(took) == 0); {
		select {
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case <-time.After(time.Duration(1+rand.IntN(10)) * time.Millisecond):
		}
		start := time.Now()
		if _, err := c.Enqueue(ctx, b.task(benchPickUp)); err != nil {
			return 0, 0, err
		}
		select {
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		case at := <-begun:
			took = append(took, at.Sub(start))
		}
	}
	return quantile(took, 0.5).Seconds(), quantile(took, 0.99).Seconds(), nil
}

// steps measures runs of a chain, which are started first and in the way of the steps.
func (b benchmark) steps(ctx context.Context, c *queue.Client, flow workflow.Workflow[int, int], stepped *counter) (float64, error) {
	runs := max(b.Tasks/(2*chainLong), 1)
	stepped.want.Store(int64(runs))
	start := time.Now()
	if _, err := flow.StartMany(ctx, c, make([]int, runs), nil); err != nil {
		return 0, err
	}
	if err := stepped.wait(ctx); err != nil {
		return 0, err
	}
	return rate(runs*chainLong, time.Since(start)), nil
}

// chain returns a workflow of steps that do nothing, the last of which is counted.
func chain(queue string, ended *counter) workflow.Workflow[int, int] {
	next := workflow.NewStep("next", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	last := workflow.NewStep("last", func(_ context.Context, n int) (int, error) { ended.add(); return n, nil })
	return dag.New("leat-bench", func(g *dag.Graph, v dag.Val[int]) dag.Val[int] {
		for n := range chainLong - 1 {
			v = dag.Do(g, next, v, dag.As(fmt.Sprintf("next%d", n+1)))
		}
		return dag.Do(g, last, v)
	}, workflow.Queue(queue))
}

func (b benchmark) task(kind string) *task.Task {
	return task.New(kind, bytes.Repeat([]byte("x"), b.Payload), task.Queue(b.Queue))
}

// A counter waits until something has happened as often as it is wanted.
type counter struct {
	want, got atomic.Int64
	full      chan struct{}
}

func newCounter(want int) *counter {
	c := &counter{full: make(chan struct{}, 1)}
	c.want.Store(int64(want))
	return c
}

// add counts. A task that is run twice may be counted twice.
func (c *counter) add() {
	if c.got.Add(1) == c.want.Load() {
		c.full <- struct{}{}
	}
}

func (c *counter) wait(ctx context.Context) error {
	select {
	case <-c.full:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func rate(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

// quantile returns the least of times that is not less than a part q of them.
func quantile(times []time.Duration, q float64) time.Duration {
	slices.Sort(times)
	return times[min(int(q*float64(len(times))), len(times)-1)]
}
