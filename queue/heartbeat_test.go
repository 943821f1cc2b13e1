package queue_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestALeaseIsExtendedAsLongAsItsHandlerRuns(t *testing.T) {
	inBubble(t, func(x *bench) {
		calls := 0
		x.b = &tapped{Broker: x.b, extend: func(c extendCall) ([]broker.Held, error) { calls++; return c.run() }}
		var ran atomic.Int64
		x.cfg.Concurrency = 2
		x.enqueue("a")
		x.enqueue("b")
		x.serve(func(context.Context, *task.Task) error { ran.Add(1); time.Sleep(29 * time.Second); return nil })
		for range 5 {
			x.pass(5 * time.Second)
			if left := time.Until(x.get("a").Until); left < 7*time.Second {
				t.Errorf("lease lasts another %v, want 7s at least", left)
			}
		}
		x.pass(5 * time.Second)
		x.gone("a")
		if ran.Load() != 2 || calls > 10 {
			t.Errorf("%d runs, %d calls to extend, want 2 runs, and one call for both each 3s", ran.Load(), calls)
		}
	})
}

func TestAHandlerWhoseLeaseIsLostIsTold(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.b = &tapped{Broker: x.b, extend: func(c extendCall) ([]broker.Held, error) {
			return []broker.Held{broker.Lost}, nil
		}}
		x.enqueue("a")
		start := time.Now()
		x.serve(func(ctx context.Context, _ *task.Task) error {
			<-ctx.Done()
			x.srv.Stop()
			if cause := context.Cause(ctx); cause != queue.ErrLeaseLost || time.Since(start) > 3*time.Second {
				t.Errorf("cause %v after %v, want ErrLeaseLost within 3s", cause, time.Since(start))
			}
			return nil
		})
		x.pass(4 * time.Second)
		if s := x.get("a"); s.State != task.Active {
			t.Errorf("stored as %s, want active: nothing is recorded", s.State)
		}
		if lost := x.seen(queue.EventLeaseLost); len(lost) != 1 || lost[0].Err != queue.ErrLeaseLost {
			t.Errorf("observed %+v, want one lost lease", lost)
		}
	})
}

func TestALeaseThatCannotBeExtendedIsLostWhenItsTimeIsUp(t *testing.T) {
	for name, hang := range map[string]time.Duration{"fails": 0, "hangs": time.Hour} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				var down atomic.Bool
				down.Store(true)
				x.b = &tapped{Broker: x.b, extend: func(c extendCall) ([]broker.Held, error) {
					if !down.Load() {
						return c.run()
					}
					if hang > 0 {
						<-c.ctx.Done()
					}
					return nil, errors.New("connection refused")
				}}
				x.enqueue("a")
				start := time.Now()
				runs := 0
				x.serve(func(ctx context.Context, _ *task.Task) error {
					if runs++; runs > 1 {
						return nil
					}
					<-ctx.Done()
					took, cause := time.Since(start), context.Cause(ctx)
					if cause != queue.ErrLeaseLost || took < 10*time.Second || took > 11*time.Second {
						t.Errorf("cause %v after %v, want ErrLeaseLost after 10s", cause, took)
					}
					down.Store(false)
					return ctx.Err()
				})
				x.pass(30 * time.Second)
				x.gone("a")
				if c := x.counts("default"); c.Processed != 1 || c.Failed != 0 {
					t.Errorf("%d processed, %d failed, want 1, 0", c.Processed, c.Failed)
				}
			})
		})
	}
}

func TestAHandlerThatIgnoresALostLeaseKeepsItsSlot(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.b = &tapped{Broker: x.b, extend: func(c extendCall) ([]broker.Held, error) {
			return make([]broker.Held, len(c.leases)), errors.New("no")
		}}
		release := make(chan struct{})
		x.enqueue("a")
		x.serve(func(context.Context, *task.Task) error { <-release; return nil })
		x.pass(30 * time.Second)
		if n := len(x.seen(queue.EventStuck)); n != 1 {
			t.Errorf("reported %d times, want once", n)
		}
		if got := x.list(task.Pending); len(got) != 1 {
			t.Errorf("pending %v, want a, for another worker, since the only slot here is taken", got)
		}
		close(release)
		x.pass(time.Second)
		x.gone("a")
	})
}

func TestAServerIsOnRecordWhileItRuns(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Concurrency = 7
		x.cfg.StrictPriority = true
		x.enqueue("a", task.Timeout(time.Hour))
		start := time.Now()
		x.serve(func(context.Context, *task.Task) error { time.Sleep(time.Minute); return nil })
		for range 3 {
			x.pass(6 * time.Second)
			servers, err := x.b.Servers(x.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			host, _ := os.Hostname()
			want := []broker.Server{{
				Host: host, PID: os.Getpid(), Concurrency: 7, Queues: map[string]int{"default": 1}, Strict: true,
				Status: "active", Started: start,
				Workers: []broker.Worker{{
					Entry: broker.EntryRef{Queue: "default", ID: "a"}, Type: "test:a", Payload: []byte("a"),
					Started: start, Deadline: start.Add(time.Hour),
				}},
			}}
			if diff := cmp.Diff(want, servers, cmpopts.IgnoreFields(broker.Server{}, "ID")); diff != "" {
				t.Errorf("Servers() (-want +got):\n%s", diff)
			}
		}
		x.pass(time.Minute)
		if err := x.srv.Shutdown(x.Context()); err != nil {
			t.Error(err)
		}
		if servers, err := x.b.Servers(x.Context(), time.Now()); err != nil || len(servers) != 0 {
			t.Errorf("after Shutdown: Servers() = %+v, %v, want none", servers, err)
		}
	})
}

func TestHealthIsReportedAtItsInterval(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		var at []string
		x.cfg.HealthCheckFunc = func(err error) {
			if err != nil {
				t.Errorf("reported %v, want nil", err)
			}
			at = append(at, time.Since(start).String())
		}
		x.serve(idle)
		x.pass(40 * time.Second)
		if got := strings.Join(at, " "); got != "15s 30s" {
			t.Errorf("reported at %s, want 15s 30s", got)
		}
	})
}
