package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestATaskThatIsTooLateToBeginExpiresWithoutItsHandler(t *testing.T) {
	for name, option := range map[string]task.Option{
		"by StartBy":      task.StartBy(time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC)),
		"by its deadline": task.Deadline(time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC)),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				x.cfg.ErrorHandler = func(context.Context, *task.Task, error) { t.Error("ErrorHandler was called, want not") }
				x.cfg.OnExhausted = func(context.Context, *task.Info, error) []*task.Task {
					t.Error("OnExhausted was called, want not")
					return nil
				}
				x.enqueue("a", option)
				x.pass(time.Minute)
				x.serve(never(t))
				x.pass(0)
				if s := x.get("a"); s.State != task.Archived || s.End != broker.Expired || s.Retried != 0 || len(s.Attempts) != 0 {
					t.Errorf("stored as %s with end %q, %d retries, attempts %v; want archived, expired, none, none", s.State, s.End, s.Retried, s.Attempts)
				}
				if c := x.counts("default"); c.Processed != 1 || c.Failed != 0 {
					t.Errorf("%d processed, %d failed, want 1 and 0", c.Processed, c.Failed)
				}
				settled := x.seen(queue.EventSettled)
				if len(settled) != 1 || !errors.Is(settled[0].Err, queue.ErrExpired) || len(x.seen(queue.EventStarted)) != 0 {
					t.Errorf("observed %+v, want that it was settled with ErrExpired, and not started", settled)
				}
			})
		})
	}
}

func TestATaskMayBeginUntilItIsTooLate(t *testing.T) {
	inBubble(t, func(x *bench) {
		by := time.Now().Add(time.Second)
		x.enqueue("a", task.StartBy(by), task.ProcessAt(by), task.Retention(time.Hour))
		x.serve(func(context.Context, *task.Task) error { return nil })
		x.pass(2 * time.Second)
		if s := x.get("a"); s.State != task.Completed || !s.StartBy.Equal(by) {
			t.Errorf("stored as %s, to begin by %v, want completed, %v", s.State, s.StartBy, by)
		}
	})
}

// crash has the lease of default/id run out, as if its worker had died.
func (x *bench) crash(id string) {
	x.Helper()
	now := time.Now()
	applied, err := x.b.Apply(x.Context(), now, nil, broker.LeaseRequest{
		Queues: []broker.Share{{Queue: "default", First: 1}}, Max: 1, Until: now.Add(time.Second),
	})
	if err != nil || len(applied.Leases) != 1 || applied.Leases[0].Entry.ID != id {
		x.Fatalf("lease = %+v, %v, want that of %s", applied.Leases, err, id)
	}
	for x.get(id).State == task.Active {
		x.pass(time.Second)
		if _, err := x.b.Advance(x.Context(), time.Now(), broker.AdvanceRequest{Queues: []string{"default"}, Limit: 1}); err != nil {
			x.Fatal(err)
		}
	}
}

func TestATaskThatKillsItsWorkersIsPoison(t *testing.T) {
	for _, maxRetry := range []int{0, 25} {
		for name, test := range map[string]struct {
			options []task.Option
			config  func(*queue.Config)
			crashes int // that are survived
		}{
			"as the default has it":  {nil, func(*queue.Config) {}, 3},
			"as the Config has it":   {nil, func(c *queue.Config) { c.MaxCrashes = 1 }, 1},
			"as its type has it":     {nil, func(c *queue.Config) { c.ByType = map[string]queue.TypeConfig{"test": {MaxCrashes: 2}} }, 2},
			"as the task itself has": {[]task.Option{task.MaxCrashes(4)}, func(c *queue.Config) { c.MaxCrashes = 1 }, 4},
		} {
			t.Run(name, func(t *testing.T) {
				inBubble(t, func(x *bench) {
					test.config(&x.cfg)
					x.enqueue("a", append(test.options, task.MaxRetry(maxRetry))...)
					for range test.crashes {
						x.crash("a")
					}
					run := 0
					x.serve(func(context.Context, *task.Task) error { run++; return errors.New("alive") })
					x.pass(time.Second)
					if s := x.get("a"); run != 1 || s.End != 0 || s.Crashes != 0 {
						t.Errorf("after %d crashes it was run %d times, has end %q and %d crashes, want once, none, 0", test.crashes, run, s.End, s.Crashes)
					}
				})
				inBubble(t, func(x *bench) {
					test.config(&x.cfg)
					x.enqueue("a", append(test.options, task.MaxRetry(maxRetry))...)
					for range test.crashes + 1 {
						x.crash("a")
					}
					x.serve(never(t))
					x.pass(time.Second)
					if s := x.get("a"); s.State != task.Archived || s.End != broker.Poison || s.Retried != 0 {
						t.Errorf("after %d crashes it is %s with end %q and %d retries, want archived, poison, 0", test.crashes+1, s.State, s.End, s.Retried)
					}
					if settled := x.seen(queue.EventSettled); len(settled) != 1 || !errors.Is(settled[0].Err, queue.ErrPoison) {
						t.Errorf("observed %+v, want that it was settled with ErrPoison", settled)
					}
				})
			})
		}
	}
}

func TestNoNumberOfCrashesIsTooManyIfTheConfigSaysSo(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.MaxCrashes = -1
		x.enqueue("a")
		for range 20 {
			x.crash("a")
		}
		x.serve(func(context.Context, *task.Task) error { return nil })
		x.pass(time.Second)
		x.gone("a")
	})
}

func TestAnInterruptionByAShutdownIsNoCrash(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.ShutdownTimeout = time.Second
		x.enqueue("a", task.MaxRetry(0))
		for range 6 {
			srv := x.newServer()
			if err := srv.Start(task.HandlerFunc(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); return ctx.Err() })); err != nil {
				t.Fatal(err)
			}
			x.pass(time.Second)
			if err := srv.Shutdown(x.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if s := x.get("a"); s.State != task.Pending || s.Crashes != 0 || s.Retried != 0 {
			t.Errorf("after 6 deploys it is %s with %d crashes and %d retries, want pending, 0, 0", s.State, s.Crashes, s.Retried)
		}
	})
}
