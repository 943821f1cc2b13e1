package queuetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// MaxAttempts is after how many attempts tasks that go on for ever are given up.
const MaxAttempts = 10_000

// ErrNotIdle is matched if tasks were given up after [MaxAttempts].
var ErrNotIdle = errors.New("queues do not become idle")

// RunUntilIdle runs the tasks in b with h until none is ready, scheduled, to be
// retried or being run, and returns the attempts in the order in which their
// outcomes were recorded. It serves all queues but those that are paused, and
// leaves groups alone.
//
// It is a server with the zero [queue.Config], or with the policies of config if
// one is given; what that says about queues is not used. Unless it says how many
// tasks are run at once, that is one after another. While it waits for the
// next task to be due, no server runs. It really waits, so it should be called in a
// bubble of package testing/synctest, where time is virtual.
//
// It returns early with the error of ctx if that ends; with one that matches
// [task.ErrHandlerNotFound] if h has no handler for a task, which a server would
// wait for; or with one that matches [ErrNotIdle] if there is no end to it. Then the
// tasks stay as they are.
func RunUntilIdle(ctx context.Context, b broker.Broker, h task.Handler, config ...queue.Config) ([]queue.Event, error) {
	r := newRunner(b, h, config)
	err := r.untilIdle(ctx)
	return r.attempts, err
}

// RunUntilIdle is the function of that name, for the recorder's queue.
func (r *Recorder) RunUntilIdle(ctx context.Context, h task.Handler, config ...queue.Config) ([]queue.Event, error) {
	return RunUntilIdle(ctx, r.broker, h, config...)
}

// Inline has every task that is ready as it is enqueued run with h before the call
// that enqueues it returns, as RunUntilIdle would do it; so are those that its
// handler enqueues, and what another goroutine enqueues meanwhile. A task that
// fails is not retried, and one that is scheduled is not run, until RunUntilIdle
// is called. What a handler returns is in the [task.Info] that an inspector has,
// and no error of the call that enqueues, just as with a server; but that fails if
// there is no handler. A nil h ends it.
func (r *Recorder) Inline(h task.Handler, config ...queue.Config) {
	r.broker.mu.Lock()
	defer r.broker.mu.Unlock()
	if h == nil {
		r.broker.inline = nil
		return
	}
	r.broker.inline = func(ctx context.Context) error {
		_, err := newRunner(r.broker, h, config).whatIsReady(ctx)
		return err
	}
}

// A runner serves all queues of a broker, from time to time.
type runner struct {
	broker  broker.Broker
	handler task.Handler
	config  queue.Config

	mu       sync.Mutex
	attempts []queue.Event
	fault    error         // why it must end
	settled  chan struct{} // an outcome was recorded
}

func newRunner(b broker.Broker, h task.Handler, config []queue.Config) *runner {
	r := &runner{broker: b, handler: h, settled: make(chan struct{}, 1)}
	if len(config) > 0 {
		r.config = config[0]
	}
	if r.config.Concurrency == 0 {
		r.config.Concurrency = 1
	}
	if r.config.Logger == nil {
		r.config.Logger = slog.New(slog.DiscardHandler)
	}
	if r.config.PollInterval == 0 {
		r.config.PollInterval = 20 * time.Millisecond
	}
	observer := r.config.Observer
	r.config.Observer = func(ctx context.Context, e queue.Event) {
		r.observe(e)
		if observer != nil {
			observer(ctx, e)
		}
	}
	return r
}

// observe takes note of an outcome.
func (r *runner) observe(e queue.Event) {
	if e.Kind != queue.EventSettled {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts = append(r.attempts, e)
	switch {
	case r.fault != nil:
	case errors.Is(e.Err, task.ErrHandlerNotFound):
		r.fault = fmt.Errorf("task %s: %w", e.Entry, e.Err)
	case len(r.attempts) == MaxAttempts:
		r.fault = fmt.Errorf("%w: %d attempts, the last of task %s of type %s", ErrNotIdle, MaxAttempts, e.Entry, e.Entry.Type)
	}
	select {
	case r.settled <- struct{}{}:
	default:
	}
}

func (r *runner) mustEnd() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault
}

func (r *runner) untilIdle(ctx context.Context) error {
	for {
		waiting, err := r.whatIsReady(ctx)
		if err != nil || waiting == nil {
			return err
		}
		due, err := r.nextDue(ctx, waiting)
		if err != nil || due.IsZero() {
			return err
		}
		timer := time.NewTimer(time.Until(due))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		if _, err := r.broker.Advance(ctx, time.Now(), broker.AdvanceRequest{Queues: waiting, Limit: broker.MaxParts}); err != nil {
			return err
		}
	}
}

// whatIsReady runs tasks until none is ready or being run, and returns the queues
// in which others wait for their time.
func (r *runner) whatIsReady(ctx context.Context) (waiting []string, err error) {
	for {
		ready, waiting, err := r.look(ctx)
		if err != nil || len(ready) == 0 {
			return waiting, err
		}
		if err := r.serve(ctx, ready); err != nil {
			return nil, err
		}
	}
}

// look returns the queues that hold tasks which are ready or being run, and those
// that hold some which wait for their time.
func (r *runner) look(ctx context.Context) (ready, waiting []string, err error) {
	counts, err := r.broker.Counts(ctx, time.Now())
	for _, c := range counts {
		if c.Paused {
			continue
		}
		if c.Pending+c.Active > 0 {
			ready = append(ready, c.Queue)
		}
		if c.Scheduled+c.Retry > 0 {
			waiting = append(waiting, c.Queue)
		}
	}
	return ready, waiting, err
}

// nextDue returns when the first task of these queues is due.
func (r *runner) nextDue(ctx context.Context, queues []string) (next time.Time, err error) {
	for _, name := range queues {
		for _, state := range []task.State{task.Scheduled, task.Retry} {
			first, err := r.broker.List(ctx, broker.ListRequest{Queue: name, State: state, Limit: 1})
			if err != nil {
				return time.Time{}, err
			}
			if len(first) > 0 && (next.IsZero() || first[0].DueAt.Before(next)) {
				next = first[0].DueAt
			}
		}
	}
	return next, nil
}

// serve runs a server until nothing in these queues is ready or being run.
func (r *runner) serve(ctx context.Context, queues []string) error {
	cfg := r.config
	cfg.Queues = make(map[string]int)
	for _, name := range queues {
		switch {
		case slices.Contains(r.reserved(), name): // the server serves it by itself
		case task.CheckName("queue", name) != nil:
			return fmt.Errorf("queue %s is served by no handler: %w", name, task.ErrHandlerNotFound)
		default:
			cfg.Queues[name] = 1
		}
	}
	srv, err := queue.NewServer(r.broker, cfg)
	if err != nil {
		return err
	}
	if err := srv.Start(r.handler); err != nil {
		return err
	}
	err = r.watch(ctx, queues)
	return errors.Join(err, srv.Shutdown(context.WithoutCancel(ctx)))
}

// reserved returns the queues that the handler reserves, as a [task.Mux] does.
func (r *runner) reserved() []string {
	if h, ok := r.handler.(interface{ Reserved() []string }); ok {
		return h.Reserved()
	}
	return nil
}

// watch returns when nothing in these queues is ready or being run.
func (r *runner) watch(ctx context.Context, queues []string) error {
	const look = time.Second // for what ends without an outcome
	timer := time.NewTicker(look)
	defer timer.Stop()
	for {
		ready, _, err := r.look(ctx)
		if err := errors.Join(err, r.mustEnd()); err != nil {
			return err
		}
		if !slices.ContainsFunc(ready, func(name string) bool { return slices.Contains(queues, name) }) {
			return nil
		}
		select {
		case <-r.settled:
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
