package queue_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestAHandlerGetsTheTaskAndItsContext(t *testing.T) {
	inBubble(t, func(x *bench) {
		type key struct{}
		x.cfg.BaseContext = func() context.Context { return context.WithValue(x.Context(), key{}, "base") }
		x.enqueue("a", task.MaxRetry(5), task.Header("trace", "abc"), task.Retention(time.Hour))
		called := false
		x.serve(func(ctx context.Context, tk *task.Task) error {
			called = true
			id, _ := task.GetID(ctx)
			name, _ := task.GetQueue(ctx)
			attempt, _ := task.GetAttempt(ctx)
			most, _ := task.GetMaxRetry(ctx)
			if id != "a" || name != "default" || attempt != 1 || most != 5 {
				t.Errorf("context says id %q, queue %q, attempt %d, max retry %d, want a, default, 1, 5", id, name, attempt, most)
			}
			if tk.Type() != "test:a" || string(tk.Payload()) != "a" || tk.Headers()["trace"] != "abc" {
				t.Errorf("task %s %q %v, want test:a a trace:abc", tk.Type(), tk.Payload(), tk.Headers())
			}
			if ctx.Value(key{}) != "base" {
				t.Error("context is not made from the BaseContext")
			}
			if r, ok := queue.FromContext(ctx); !ok || r.Lease().Entry.ID != "a" || r.Broker() != x.b {
				t.Errorf("FromContext() = %v, %t, want the running task", r, ok)
			}
			_, err := tk.ResultWriter().Write([]byte("result"))
			return err
		})
		x.pass(0)
		if s := x.get("a"); !called || s.State != task.Completed || string(s.Result) != "result" {
			t.Errorf("called: %t, stored as %s with result %q, want true, completed, result", called, s.State, s.Result)
		}
	})
}

func TestAFailedTaskIsRetriedWhenItsDelayHasPassed(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.RetryDelayFunc = func(retried int, _ error, _ *task.Task) time.Duration {
			return time.Duration(retried+1) * time.Minute
		}
		start := time.Now()
		var at []time.Duration
		x.enqueue("a", task.MaxRetry(2))
		x.serve(func(ctx context.Context, _ *task.Task) error {
			at = append(at, time.Since(start))
			if n, _ := task.GetRetryCount(ctx); n != len(at)-1 {
				t.Errorf("attempt %d says it was retried %d times", len(at), n)
			}
			return errors.New("boom")
		})
		x.pass(10 * time.Minute)
		if len(at) != 3 || at[1] != time.Minute || at[2] != 3*time.Minute {
			t.Errorf("attempts at %v, want 3 at 0s, 1m and 3m", at)
		}
		s := x.get("a")
		if s.State != task.Archived || s.Retried != 2 || s.LastErr != "boom" {
			t.Errorf("stored as %s, retried %d, %q, want archived, 2, boom", s.State, s.Retried, s.LastErr)
		}
		if c := x.counts("default"); c.Processed != 3 || c.Failed != 3 {
			t.Errorf("processed %d, failed %d, want 3, 3", c.Processed, c.Failed)
		}
	})
}

// deeply panics within so many calls of itself.
func deeply(calls int) {
	if calls == 0 {
		panic("deep")
	}
	deeply(calls - 1)
}

func TestAHandlerThatEndsBadlyHasFailed(t *testing.T) {
	for name, test := range map[string]struct {
		end  func()
		want []string
	}{
		"panic":       {func() { panic("no way") }, []string{"panic at queue/attempt_test.go", "no way"}},
		"nil panic":   {func() { panic(nil) }, []string{"panic"}},
		"nil pointer": {func() { _ = *(*int)(nil) }, []string{"nil pointer dereference", "queue/attempt_test.go"}},
		"deep panic":  {func() { deeply(100) }, []string{"panic at queue/attempt_test.go", "deep"}},
		"Goexit":      {runtime.Goexit, []string{"runtime.Goexit"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				var seen error
				x.cfg.ErrorHandler = func(_ context.Context, _ *task.Task, err error) { seen = err }
				x.enqueue("a")
				x.enqueue("b")
				x.serve(func(_ context.Context, tk *task.Task) error {
					if tk.Type() == "test:a" {
						test.end()
					}
					return nil
				})
				x.pass(0)
				s := x.get("a")
				if stack := s.Attempts[0].Stack; strings.Contains(stack, "queue/attempt_test.go:") == (name == "Goexit") || len(stack) > 4<<10 || strings.Contains(stack, "(*attempt)") {
					t.Errorf("the stack that is kept is %d bytes:\n%s", len(stack), stack)
				}
				if s.State != task.Retry || s.Retried != 1 {
					t.Errorf("stored as %s, retried %d, want retry, 1", s.State, s.Retried)
				}
				for _, word := range test.want {
					if !strings.Contains(s.LastErr, word) {
						t.Errorf("stored error %q lacks %q", s.LastErr, word)
					}
				}
				if seen == nil || seen.Error() != s.LastErr {
					t.Errorf("ErrorHandler got %v, want %q", seen, s.LastErr)
				}
				x.gone("b") // the slot is free again
			})
		})
	}
}

func TestATaskTimesOutToTheMillisecond(t *testing.T) {
	noon := func() time.Time { return time.Now().Add(777 * time.Millisecond) }
	for name, test := range map[string]struct {
		option func() task.Option
		after  time.Duration
	}{
		"timeout":         {func() task.Option { return task.Timeout(1234 * time.Millisecond) }, 1234 * time.Millisecond},
		"deadline":        {func() task.Option { return task.Deadline(noon()) }, 777 * time.Millisecond},
		"default timeout": {func() task.Option { return task.Queue("default") }, 30 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.enqueue("a", test.option(), task.MaxRetry(0))
				start := time.Now()
				x.serve(func(ctx context.Context, _ *task.Task) error {
					if d, ok := ctx.Deadline(); !ok || d.Sub(start) != test.after {
						t.Errorf("deadline after %v, %t, want %v", d.Sub(start), ok, test.after)
					}
					<-ctx.Done()
					if took := time.Since(start); took != test.after {
						t.Errorf("context ended after %v, want %v", took, test.after)
					}
					if cause := context.Cause(ctx); cause != queue.ErrTimeout || ctx.Err() != context.DeadlineExceeded {
						t.Errorf("cause %v, error %v, want ErrTimeout, DeadlineExceeded", cause, ctx.Err())
					}
					return ctx.Err()
				})
				x.pass(test.after)
				if s := x.get("a"); s.State != task.Archived {
					t.Errorf("stored as %s, want archived", s.State)
				}
			})
		})
	}
}

func TestTheEarlierOfTimeoutAndDeadlineCounts(t *testing.T) {
	inBubble(t, func(x *bench) {
		end := make(map[string]time.Duration)
		start := time.Now()
		x.enqueue("a", task.Timeout(time.Second), task.Deadline(start.Add(time.Minute)))
		x.enqueue("b", task.Timeout(time.Minute), task.Deadline(start.Add(time.Second)))
		x.serve(func(ctx context.Context, tk *task.Task) error {
			d, _ := ctx.Deadline()
			end[tk.Type()] = d.Sub(start)
			return nil
		})
		x.pass(0)
		if end["test:a"] != time.Second || end["test:b"] != time.Second {
			t.Errorf("deadlines after %v, want 1s for both", end)
		}
	})
}

func TestAHandlerThatIgnoresItsEndIsReportedAndKeepsItsSlot(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a", task.Timeout(time.Second), task.MaxRetry(0))
		x.enqueue("b")
		release := make(chan struct{})
		x.serve(func(_ context.Context, tk *task.Task) error {
			if tk.Type() == "test:a" {
				<-release
			}
			return nil
		})
		x.pass(2*time.Second - 1)
		if s := x.get("a"); s.State != task.Active {
			t.Errorf("stored as %s during the second of grace, want active", s.State)
		}
		x.pass(1)
		if s := x.get("a"); s.State != task.Archived || s.LastErr != queue.ErrTimeout.Error() {
			t.Errorf("stored as %s with %q after that, want archived, %q", s.State, s.LastErr, queue.ErrTimeout)
		}
		x.pass(150 * time.Second)
		stuck := x.seen(queue.EventStuck)
		if len(stuck) != 3 || stuck[2].Took != 122*time.Second || stuck[0].Err != queue.ErrTimeout || stuck[0].Entry.ID != "a" {
			t.Errorf("reported %+v, want a after 2, 62 and 122 seconds, with ErrTimeout", stuck)
		}
		if n := strings.Count(x.log.String(), "handler goes on after its context ended"); n != 3 {
			t.Errorf("logged %d times, want 3:\n%s", n, x.log.String())
		}
		if got := x.list(task.Pending); len(got) != 1 {
			t.Errorf("pending %v while the only slot is taken, want b", got)
		}
		close(release)
		x.pass(0)
		x.gone("b")
		if n := len(x.seen(queue.EventSettled)); n != 2 {
			t.Errorf("%d outcomes recorded, want 2: the late result does not count", n)
		}
	})
}

func TestOnlyTheHandlersErrorCountsIfItReturnsInTime(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a", task.Timeout(time.Second))
		x.enqueue("b", task.Timeout(time.Second))
		x.serve(func(ctx context.Context, tk *task.Task) error {
			<-ctx.Done()
			time.Sleep(999 * time.Millisecond)
			if tk.Type() == "test:a" {
				return errors.New("half done")
			}
			return nil
		})
		x.pass(5 * time.Second)
		if s := x.get("a"); s.LastErr != "half done" {
			t.Errorf("stored error %q, want %q", s.LastErr, "half done")
		}
		x.gone("b")
		if n := len(x.seen(queue.EventStuck)); n != 0 {
			t.Errorf("%d handlers reported as stuck, want none", n)
		}
	})
}

func TestTheErrorHandlerIsCalledBeforeTheOutcomeIsRecorded(t *testing.T) {
	inBubble(t, func(x *bench) {
		calls := 0
		x.cfg.ErrorHandler = func(ctx context.Context, tk *task.Task, err error) {
			calls++
			if id, _ := task.GetID(ctx); id != "a" || tk.Type() != "test:a" || err.Error() != "boom" {
				t.Errorf("called for %s, %s, with %v", id, tk.Type(), err)
			}
			if s := x.get("a"); s.State != task.Active {
				t.Errorf("called when the task is %s, want active", s.State)
			}
		}
		x.enqueue("a")
		x.enqueue("b")
		x.enqueue("c")
		x.serve(func(_ context.Context, tk *task.Task) error {
			return map[string]error{"test:a": errors.New("boom"), "test:b": task.Snooze(time.Hour)}[tk.Type()]
		})
		x.pass(0)
		if calls != 1 {
			t.Errorf("called %d times, want once: not for a snooze, not for success", calls)
		}
	})
}

func TestFunctionsOfTheConfigMayPanic(t *testing.T) {
	inBubble(t, func(x *bench) {
		log := x.cfg.Observer
		x.cfg.Observer = func(ctx context.Context, e queue.Event) { log(ctx, e); panic("observer") }
		x.cfg.ErrorHandler = func(context.Context, *task.Task, error) { panic("error handler") }
		x.cfg.IsFailure = func(error) bool { panic("is failure") }
		x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { panic("retry delay") }
		x.cfg.BaseContext = func() context.Context { panic("base context") }
		x.cfg.HealthCheckFunc = func(error) { panic("health check") }
		x.enqueue("a")
		x.serve(func(context.Context, *task.Task) error { return errors.New("boom") })
		x.pass(14 * time.Second)
		if s := x.get("a"); s.State != task.Retry || s.Retried != 1 || s.LastErr != "boom" {
			t.Errorf("stored as %s, retried %d, %q, want what the defaults say: retry, 1, boom", s.State, s.Retried, s.LastErr)
		}
		x.pass(20 * time.Second)
		for _, callback := range []string{"Observer", "ErrorHandler", "IsFailure", "RetryDelayFunc", "BaseContext", "HealthCheckFunc"} {
			if !strings.Contains(x.log.String(), "callback="+callback) {
				t.Errorf("log does not name %s", callback)
			}
		}
	})
}

func TestAnErrorHandlerThatEndsTheGoroutineLosesNothing(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.ErrorHandler = func(context.Context, *task.Task, error) { runtime.Goexit() }
		x.enqueue("a")
		x.enqueue("b")
		x.serve(func(_ context.Context, tk *task.Task) error {
			if tk.Type() == "test:a" {
				return errors.New("boom")
			}
			return nil
		})
		x.pass(0)
		if s := x.get("a"); s.State != task.Retry {
			t.Errorf("stored as %s, want retry", s.State)
		}
		x.gone("b")
	})
}

func TestAnErrorHandlerThatBlocksIsReported(t *testing.T) {
	inBubble(t, func(x *bench) {
		release := make(chan struct{})
		x.cfg.ErrorHandler = func(context.Context, *task.Task, error) { <-release }
		x.enqueue("a", task.Timeout(time.Second))
		x.serve(func(context.Context, *task.Task) error { return errors.New("boom") })
		x.pass(2 * time.Second)
		if n := len(x.seen(queue.EventStuck)); n != 1 {
			t.Errorf("reported %d times, want once", n)
		}
		close(release)
		x.pass(0)
		if s := x.get("a"); s.State != task.Retry || s.LastErr != "boom" {
			t.Errorf("stored as %s with %q, want retry, boom", s.State, s.LastErr)
		}
	})
}

// A program that goes down may end its base context first of all.
func TestAnEndedBaseContextCostsNoAttempt(t *testing.T) {
	inBubble(t, func(x *bench) {
		base, cancel := context.WithCancel(x.Context())
		x.cfg.BaseContext = func() context.Context { return base }
		x.enqueue("a")
		x.enqueue("b")
		x.serve(func(ctx context.Context, _ *task.Task) error {
			<-ctx.Done()
			return ctx.Err()
		})
		x.pass(time.Second)
		cancel()
		x.pass(time.Minute)
		if got := strings.Join(x.list(task.Pending), " "); got != "a b" {
			t.Errorf("pending %q, want a b", got)
		}
		if s := x.get("a"); s.Retried != 0 || s.LastErr != "" {
			t.Errorf("retried %d with %q, want 0 and no error", s.Retried, s.LastErr)
		}
		if !strings.Contains(x.log.String(), "base context has ended") {
			t.Error("log does not say that no tasks are taken")
		}
		if n := len(x.seen(queue.EventSettled)); n != 1 {
			t.Errorf("%d outcomes recorded, want the one release", n)
		}
	})
}

func TestOutcomesAreObserved(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		boom := errors.New("boom")
		x.serve(func(context.Context, *task.Task) error {
			time.Sleep(time.Second)
			return boom
		})
		x.pass(time.Second)
		started, settled := x.seen(queue.EventStarted), x.seen(queue.EventSettled)
		if len(started) != 1 || started[0].Entry.ID != "a" {
			t.Errorf("started: %+v, want a", started)
		}
		if len(settled) != 1 {
			t.Fatalf("settled: %+v, want a", settled)
		}
		e := settled[0]
		if e.Entry.ID != "a" || e.Entry.Retried != 1 || e.Outcome != broker.Retry || e.Err != boom || e.Took != time.Second {
			t.Errorf("settled: %+v, want a, retried 1, retry, boom, 1s", e)
		}
	})
}
