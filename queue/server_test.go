package queue_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestRunServesUntilItsContextEnds(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		ctx, cancel := context.WithCancel(x.Context())
		returned := make(chan error)
		srv := x.newServer()
		go func() { returned <- srv.Run(ctx, task.HandlerFunc(idle)) }()
		x.pass(time.Minute)
		x.gone("a")
		cancel()
		if err := <-returned; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
		if err := srv.Run(x.Context(), task.HandlerFunc(idle)); !errors.Is(err, queue.ErrServerClosed) {
			t.Errorf("second Run() = %v, want ErrServerClosed", err)
		}
		if err := srv.Ping(x.Context()); !errors.Is(err, queue.ErrServerClosed) {
			t.Errorf("Ping() = %v, want ErrServerClosed", err)
		}
	})
}

func TestRunReturnsWhenSomebodyShutsDown(t *testing.T) {
	inBubble(t, func(x *bench) {
		srv := x.newServer()
		returned := make(chan error)
		go func() { returned <- srv.Run(x.Context(), task.HandlerFunc(idle)) }()
		x.pass(time.Second)
		if err := srv.Ping(x.Context()); err != nil {
			t.Errorf("Ping() = %v, want nil", err)
		}
		if err := srv.Shutdown(x.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
		if err := <-returned; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	})
}

func TestAServerStartsOnce(t *testing.T) {
	inBubble(t, func(x *bench) {
		var first, second atomic.Int64
		count := func(n *atomic.Int64) task.Handler {
			return task.HandlerFunc(func(context.Context, *task.Task) error { n.Add(1); return nil })
		}
		srv := x.newServer()
		for name, h := range map[string]task.Handler{"nil": nil, "nil function": task.HandlerFunc(nil)} {
			if err := srv.Start(h); !errors.Is(err, task.ErrInvalid) {
				t.Errorf("Start(%s) = %v, want ErrInvalid", name, err)
			}
		}
		if err := srv.Start(count(&first)); err != nil {
			t.Fatalf("Start() = %v, want nil", err)
		}
		if err := srv.Start(count(&second)); err == nil || !strings.Contains(err.Error(), "running already") {
			t.Errorf("second Start() = %v, want an error", err)
		}
		x.enqueue("a")
		x.pass(time.Second)
		if first.Load() != 1 || second.Load() != 0 {
			t.Errorf("handlers were called %d and %d times, want 1 and 0", first.Load(), second.Load())
		}
		srv.Stop()
		if err := srv.Start(count(&second)); err == nil || !strings.Contains(err.Error(), "stopped") {
			t.Errorf("Start() after Stop = %v, want an error", err)
		}
		if err := srv.Shutdown(x.Context()); err != nil {
			t.Error(err)
		}
		if err := srv.Start(count(&second)); !errors.Is(err, queue.ErrServerClosed) {
			t.Errorf("Start() after Shutdown = %v, want ErrServerClosed", err)
		}
		if err := srv.Shutdown(x.Context()); err != nil {
			t.Errorf("second Shutdown() = %v, want nil", err)
		}
	})
}

func TestAServerThatIsShutDownBeforeItStartsNeverRuns(t *testing.T) {
	inBubble(t, func(x *bench) {
		srv := x.newServer()
		srv.Stop()
		if err := srv.Shutdown(x.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
		if err := srv.Run(x.Context(), never(t)); !errors.Is(err, queue.ErrServerClosed) {
			t.Errorf("Run() = %v, want ErrServerClosed", err)
		}
	})
}

func TestAStoppedServerFinishesWhatItHasAndTakesNothingNew(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		x.enqueue("b")
		x.serve(func(context.Context, *task.Task) error { time.Sleep(time.Minute); return nil })
		x.pass(time.Second)
		x.srv.Stop()
		x.pass(10 * time.Minute)
		x.gone("a")
		if got := x.list(task.Pending); len(got) != 1 {
			t.Errorf("pending %v, want b", got)
		}
		servers, err := x.b.Servers(x.Context(), time.Now())
		if err != nil || len(servers) != 1 || servers[0].Status != "stopped" {
			t.Errorf("Servers() = %+v, %v, want one that is stopped", servers, err)
		}
	})
}

func TestShutdownWaitsForHandlers(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error {
			time.Sleep(7 * time.Second)
			return ctx.Err()
		})
		x.pass(0)
		start := time.Now()
		if err := x.srv.Shutdown(x.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
		if took := time.Since(start); took != 7*time.Second {
			t.Errorf("took %v, want 7s", took)
		}
		x.gone("a")
	})
}

func TestShutdownReleasesWhatDoesNotFinishToTheFrontAtNoCost(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a", task.MaxRetry(1))
		x.enqueue("b")
		failing := true
		x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { return 0 }
		x.serve(func(ctx context.Context, _ *task.Task) error {
			if failing {
				failing = false
				x.enqueue("c")
				return errors.New("boom")
			}
			<-ctx.Done()
			if cause := context.Cause(ctx); cause != queue.ErrShutdown {
				t.Errorf("cause %v, want ErrShutdown", cause)
			}
			return ctx.Err()
		})
		x.pass(0) // a has failed, b runs
		start := time.Now()
		if err := x.srv.Shutdown(x.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
		if took := time.Since(start); took != 8*time.Second {
			t.Errorf("took %v, want 8s", took)
		}
		if got := x.list(task.Pending); got[0] != "b" {
			t.Errorf("pending %v, want b first", got)
		}
		s := x.get("b")
		if s.Retried != 0 || s.LastErr != "" {
			t.Errorf("released with %d retries and %q, want 0 and no error", s.Retried, s.LastErr)
		}
	})
}

func TestAHandlerThatFinishesAfterItWasToldToEndIsDone(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Concurrency = 3
		x.enqueue("nil", task.Retention(time.Hour))
		x.enqueue("skip")
		x.enqueue("snooze")
		x.serve(func(ctx context.Context, tk *task.Task) error {
			<-ctx.Done()
			return map[string]error{"test:skip": task.SkipRetry, "test:snooze": task.Snooze(time.Hour)}[tk.Type()]
		})
		x.pass(0)
		if err := x.srv.Shutdown(x.Context()); err != nil {
			t.Error(err)
		}
		for id, want := range map[string]task.State{"nil": task.Completed, "skip": task.Archived, "snooze": task.Retry} {
			if s := x.get(id); s.State != want {
				t.Errorf("%s is %s, want %s", id, s.State, want)
			}
		}
	})
}

func TestShutdownDoesNotWaitLongForAHandlerThatGoesOn(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		release := make(chan struct{})
		x.serve(func(context.Context, *task.Task) error { <-release; return nil })
		x.pass(0)
		start := time.Now()
		if err := x.srv.Shutdown(x.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
		if took := time.Since(start); took > 12*time.Second {
			t.Errorf("took %v, want 8s and a little more", took)
		}
		if s := x.get("a"); s.State != task.Pending {
			t.Errorf("stored as %s, want pending", s.State)
		}
		if n := len(x.seen(queue.EventStuck)); n != 1 {
			t.Errorf("reported %d times, want once", n)
		}
		if !strings.Contains(x.log.String(), "handlers go on after the server has ended") {
			t.Error("log does not say that a handler goes on")
		}
		close(release)
		x.pass(time.Second)
		if s := x.get("a"); s.State != task.Pending {
			t.Errorf("stored as %s after the handler returned, want pending", s.State)
		}
	})
}

func TestShutdownIsBoundByItsContext(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); return ctx.Err() })
		x.pass(0)
		start := time.Now()
		ctx, cancel := context.WithTimeout(x.Context(), time.Second)
		defer cancel()
		other := make(chan error)
		go func() { other <- x.srv.Shutdown(x.Context()) }()
		x.pass(0)
		if err := x.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second Shutdown() = %v, want DeadlineExceeded", err)
		}
		if err := <-other; err != nil || time.Since(start) != 8*time.Second {
			t.Errorf("first Shutdown() = %v after %v, want nil after 8s", err, time.Since(start))
		}
	})
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); return ctx.Err() })
		x.pass(0)
		start := time.Now()
		ctx, cancel := context.WithTimeout(x.Context(), time.Second)
		defer cancel()
		if err := x.srv.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Shutdown() = %v after %v, want DeadlineExceeded after 1s", err, time.Since(start))
		}
		if got := x.list(task.Pending); len(got) != 1 {
			t.Errorf("pending %v, want a, released", got)
		}
	})
}

func TestShutdownEndsEvenIfTheStorageIsGone(t *testing.T) {
	inBubble(t, func(x *bench) {
		var down atomic.Bool
		x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
			if down.Load() {
				time.Sleep(time.Second)
				return broker.Applied{}, errors.New("connection refused")
			}
			return c.run()
		}}
		x.enqueue("a")
		x.serve(func(context.Context, *task.Task) error { down.Store(true); return nil })
		x.pass(time.Second)
		start := time.Now()
		if err := x.srv.Shutdown(x.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
		if took := time.Since(start); took > 14*time.Second {
			t.Errorf("took %v, want 14s at most", took)
		}
		if !strings.Contains(x.log.String(), "outcomes were not recorded") {
			t.Error("log does not say that an outcome was not recorded")
		}
	})
}

// A lease may be on its way when the server is told to stop.
func TestALeaseThatComesAfterTheStopIsGivenBack(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Concurrency = 3
		x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
			a, err := c.run()
			if len(a.Leases) > 0 {
				time.Sleep(time.Second)
			}
			return a, err
		}}
		for _, id := range []string{"a", "b", "c", "d"} {
			x.enqueue(id)
		}
		x.serve(never(t))
		x.pass(500 * time.Millisecond)
		x.srv.Stop()
		x.pass(time.Minute)
		if got := strings.Join(x.list(task.Pending), " "); got != "a b c d" {
			t.Errorf("pending %q, want a b c d, in the order they had", got)
		}
	})
}

func TestReservedQueuesHaveWorkersOfTheirOwn(t *testing.T) {
	inBubble(t, func(x *bench) {
		const reserved = "run~decide"
		mux := task.NewMux()
		mux.Reserve(reserved)
		release := make(chan struct{})
		mux.HandleFunc("test:a", func(context.Context, *task.Task) error { <-release; return nil })
		var running, most atomic.Int64
		mux.HandleFunc("test:decide", func(context.Context, *task.Task) error {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Second)
			running.Add(-1)
			return nil
		})
		x.enqueue("a")
		var changes []broker.Change
		for _, id := range strings.Split("1 2 3 4 5 6 7 8", " ") {
			e := broker.Entry{EntryRef: broker.EntryRef{Queue: reserved, ID: id}, Type: "test:decide"}
			changes = append(changes, broker.Change{Enqueue: []broker.Entry{e}})
		}
		if _, err := x.b.Apply(x.Context(), time.Now(), changes, broker.LeaseRequest{}); err != nil {
			t.Fatal(err)
		}
		x.serveAny(mux)
		x.pass(3 * time.Second)
		if c := x.counts(reserved); c.Processed != 8 || most.Load() != 4 {
			t.Errorf("%d processed, at most %d at once, want 8, 4, though the other pool is busy", c.Processed, most.Load())
		}
		servers, err := x.b.Servers(x.Context(), time.Now())
		if err != nil || len(servers) != 1 {
			t.Fatalf("Servers() = %+v, %v, want one", servers, err)
		}
		want := map[string]int{"default": 1, reserved: 1}
		if diff := cmp.Diff(want, servers[0].Queues); diff != "" {
			t.Errorf("queues on record (-want +got):\n%s", diff)
		}
		close(release)
	})
}

func TestAReservedQueueWithABadNameIsRefused(t *testing.T) {
	inBubble(t, func(x *bench) {
		if err := x.newServer().Start(reserving{"{a}"}); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Start() = %v, want ErrInvalid", err)
		}
	})
}

// reserving is a handler that reserves queues.
type reserving []string

func (r reserving) Reserved() []string                            { return r }
func (r reserving) ProcessTask(context.Context, *task.Task) error { return nil }
