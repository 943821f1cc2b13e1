package queue_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// cancel asks for default/id to be cancelled.
func (x *bench) cancel(id string) {
	x.Helper()
	c := broker.Change{Move: []broker.Move{{EntryRef: broker.EntryRef{Queue: "default", ID: id}, Do: broker.Cancel}}}
	applied, err := x.b.Apply(x.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{})
	if err != nil || applied.Outcomes[0] != nil {
		x.Fatalf("cancel %s: %v, %v", id, applied.Outcomes, err)
	}
}

// wantCancelled demands that default/id is archived as cancelled, and counts as
// no failure.
func (x *bench) wantCancelled(id, lastErr string) {
	x.Helper()
	if s := x.get(id); s.State != task.Archived || s.End != broker.Cancelled || s.LastErr != lastErr || s.Retried != 0 || len(s.Attempts) != 1 {
		x.Errorf("stored as %s with end %q, %q, %d retries, %d attempts; want archived, cancelled, %q, 0, 1", s.State, s.End, s.LastErr, s.Retried, len(s.Attempts), lastErr)
	}
	if c := x.counts("default"); c.Processed != 1 || c.Failed != 0 {
		x.Errorf("%d processed, %d failed, want 1 and 0", c.Processed, c.Failed)
	}
}

func TestATaskThatIsCancelledWhileItRunsEndsAtOnceAndIsNotRetried(t *testing.T) {
	for name, test := range map[string]struct {
		handle func(context.Context) error
		want   string
	}{
		"with an error":         {func(ctx context.Context) error { <-ctx.Done(); return errors.New("half done") }, "half done"},
		"with a wish for later": {func(ctx context.Context) error { <-ctx.Done(); return task.Snooze(time.Hour) }, "snooze for 1h0m0s"},
		"with SkipRetry":        {func(ctx context.Context) error { <-ctx.Done(); return task.SkipRetry }, task.SkipRetry.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.cfg.ErrorHandler = func(context.Context, *task.Task, error) { t.Error("ErrorHandler was called, want not") }
				x.enqueue("a")
				var cause error
				var took time.Duration
				x.serve(func(ctx context.Context, _ *task.Task) error {
					err := test.handle(ctx)
					cause = context.Cause(ctx)
					return err
				})
				x.pass(time.Second)
				begin := time.Now()
				x.cancel("a")
				x.pass(0)
				if took = time.Since(begin); cause != queue.ErrCancelled || took != 0 {
					t.Errorf("after %v the context has ended with %v, want at once with ErrCancelled", took, cause)
				}
				x.wantCancelled("a", test.want)
			})
		})
	}
}

func TestACancelledTaskThatIsDoneAllTheSameIsDone(t *testing.T) {
	for name, err := range map[string]error{"nil": nil, "Revoke": task.Revoke} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.enqueue("a")
				x.serve(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); return err })
				x.pass(time.Second)
				x.cancel("a")
				x.pass(0)
				x.gone("a")
			})
		})
	}
}

func TestACancelledTaskWhoseHandlerGoesOnIsArchivedWithoutIt(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error { time.Sleep(time.Minute); return nil })
		x.pass(time.Second)
		x.cancel("a")
		x.pass(time.Second)
		x.wantCancelled("a", "task cancelled")
		if n := len(x.seen(queue.EventStuck)); n == 0 {
			t.Error("its handler is not reported, want that it keeps its slot")
		}
		x.pass(time.Minute)
	})
}

func TestCancellingNeedsNobodyToListen(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.b = &tapped{Broker: x.b} // which cannot be listened to
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); return context.Cause(ctx) })
		x.pass(time.Second)
		x.cancel("a")
		x.pass(3 * time.Second) // in which the lease is extended
		x.wantCancelled("a", "task cancelled")
	})
}

// An overheard broker tells its listeners what is sent to signals.
type overheard struct {
	broker.Broker
	signals chan broker.Signal
}

func (b overheard) Listen(ctx context.Context, hear func(broker.Signal)) error {
	for {
		select {
		case s := <-b.signals:
			hear(s)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestATaskThatAsynqsToolsCancelHasFailed(t *testing.T) {
	inBubble(t, func(x *bench) {
		signals := make(chan broker.Signal)
		x.b = overheard{x.b, signals}
		x.enqueue("a")
		var cause error
		x.serve(func(ctx context.Context, _ *task.Task) error {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		})
		x.pass(time.Second)
		signals <- broker.Signal{Kind: broker.CancelSent, Entry: broker.EntryRef{ID: "other"}}
		x.pass(time.Second)
		if cause != nil {
			t.Errorf("context has ended with %v because another task was cancelled", cause)
		}
		signals <- broker.Signal{Kind: broker.CancelSent, Entry: broker.EntryRef{ID: "a"}}
		x.pass(0)
		if s := x.get("a"); cause != queue.ErrCancelled || s.State != task.Retry || s.Retried != 1 {
			t.Errorf("context has ended with %v, and it is %s with %d retries, want ErrCancelled, retry, 1", cause, s.State, s.Retried)
		}
	})
}

func TestASignalAloneCancelsNothing(t *testing.T) {
	inBubble(t, func(x *bench) {
		signals := make(chan broker.Signal)
		x.b = overheard{x.b, signals}
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error {
			select {
			case <-ctx.Done():
				t.Error("context has ended, want not: the storage knows nothing of it")
			case <-time.After(time.Minute):
			}
			return nil
		})
		x.pass(time.Second)
		signals <- broker.Signal{Kind: broker.CancelSent, Entry: broker.EntryRef{Queue: "default", ID: "a"}}
		x.pass(2 * time.Minute)
		x.gone("a")
	})
}

func TestAnyNumberOfTasksAreCancelledAtOnce(t *testing.T) {
	const trip, many = 10 * time.Millisecond, 200
	inBubble(t, func(x *bench) {
		signals := make(chan broker.Signal)
		x.b = overheard{&tapped{Broker: x.b, extend: func(call extendCall) ([]broker.Held, error) {
			time.Sleep(trip)
			return call.run()
		}}, signals}
		x.cfg.Concurrency = many
		for n := range many {
			x.enqueue(strconv.Itoa(n))
		}
		x.serve(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); return context.Cause(ctx) })
		x.pass(time.Second)
		for n := range many {
			x.cancel(strconv.Itoa(n))
			signals <- broker.Signal{Kind: broker.CancelSent, Entry: broker.EntryRef{Queue: "default", ID: strconv.Itoa(n)}}
		}
		x.pass(2 * trip)
		if left := x.list(task.Active); len(left) > 0 {
			t.Errorf("after two trips, %d of %d are still active, want none", len(left), many)
		}
	})
}
