package queue_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// lines has x log texts without times, and returns what does so far.
func (x *bench) lines() func() []string {
	x.cfg.Logger = slog.New(slog.NewTextHandler(&x.log, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.TimeKey, "took":
				return slog.Attr{}
			case "stack":
				return slog.String(a.Key, "…")
			}
			return a
		},
	}))
	return func() []string {
		text := strings.TrimSuffix(x.log.String(), "\n")
		if text == "" {
			return nil
		}
		return strings.Split(text, "\n")
	}
}

// What is logged of a task names it, and never says what is in it.
func TestWhatIsLoggedOfATaskNamesIt(t *testing.T) {
	const named = " queue=default id=a type=test:a attempt=1"
	for name, test := range map[string]struct {
		prepare func(*bench)
		handler task.HandlerFunc
		want    []string
	}{
		"one that is done": {func(*bench) {}, func(context.Context, *task.Task) error { return nil }, nil},
		"one that fails":   {func(*bench) {}, func(context.Context, *task.Task) error { return errBoom }, nil},
		"one whose policy panics": {
			func(x *bench) { x.cfg.IsFailure = func(error) bool { panic("oh") } },
			func(context.Context, *task.Task) error { return errBoom },
			[]string{`level=ERROR msg="callback does not work" callback=IsFailure problem=panicked panic=oh stack=…` + named},
		},
		"one whose policy is wrong": {
			func(x *bench) {
				x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { return -1 }
			},
			func(context.Context, *task.Task) error { return errBoom },
			[]string{`level=ERROR msg="callback returned a negative delay" callback=RetryDelayFunc delay=-1ns` + named},
		},
		"one whose lease is lost": {
			func(x *bench) {
				x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
					if len(c.changes) > 0 {
						return broker.Applied{Outcomes: []error{broker.ErrLeaseLost}}, nil
					}
					return c.run()
				}}
			},
			func(context.Context, *task.Task) error { return nil },
			[]string{`level=WARN msg="outcome was not recorded" cause="` + queue.ErrLeaseLost.Error() + `" err=<nil>` + named},
		},
		"one that goes on": {
			func(*bench) {},
			func(context.Context, *task.Task) error { time.Sleep(3 * time.Second); return nil },
			[]string{
				`level=WARN msg="handler goes on after its context ended, and keeps its slot" cause="task timed out"` + named,
				`level=INFO msg="handler returned long after its context ended, which counts for nothing" err=<nil>` + named,
			},
		},
		"one that nothing can follow": {
			func(x *bench) {
				x.cfg.OnExhausted = func(context.Context, *task.Info, error) []*task.Task { return []*task.Task{nil} }
			},
			func(context.Context, *task.Task) error { return task.SkipRetry },
			[]string{`level=ERROR msg="what follows an exhausted task cannot be enqueued" err="invalid task <nil>: must not be nil"` + named},
		},
		"one that belongs to a step": {
			func(x *bench) { x.cfg.IsFailure = func(error) bool { panic("oh") } },
			func(ctx context.Context, _ *task.Task) error {
				r, _ := queue.FromContext(ctx)
				r.LogAttrs(slog.String("run", "r"))
				r.LogAttrs(slog.String("step", "s"))
				return errBoom
			},
			[]string{`level=ERROR msg="callback does not work" callback=IsFailure problem=panicked panic=oh stack=…` + named + " run=r step=s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				lines := x.lines()
				test.prepare(x)
				if _, err := x.client.Enqueue(x.Context(), task.New("test:a", []byte("secret")), task.ID("a"), task.Timeout(time.Second), task.Header("h", "secret")); err != nil {
					t.Fatal(err)
				}
				x.serve(test.handler)
				x.pass(4 * time.Second)
				got := lines()
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("logged otherwise than it should (-want +got):\n%s", diff)
				}
				if strings.Contains(x.log.String(), "secret") {
					t.Errorf("the log tells what is in the task:\n%s", x.log.String())
				}
			})
		})
	}
}

// A server says little while its storage is away, and says again how it is.
func TestAnOutageIsLoggedInFewLines(t *testing.T) {
	inBubble(t, func(x *bench) {
		var down atomic.Bool
		x.b = brokertest.Faulty(x.b, func(int, string) (f brokertest.Fault) {
			if down.Load() {
				f.Before = errRefused
			}
			return f
		})
		x.cfg.Concurrency = 10
		for _, id := range []string{"a", "b", "c"} {
			x.enqueue(id)
		}
		x.cfg.HealthCheckFunc = func(error) {}
		x.serve(func(context.Context, *task.Task) error { time.Sleep(time.Second); return nil })
		x.pass(500 * time.Millisecond)
		down.Store(true)
		x.pass(time.Minute)
		got := strings.Count(x.log.String(), "\n")
		if down.Store(false); got > 10 || got == 0 {
			t.Errorf("it has logged %d lines in a minute, want 1 to 10:\n%s", got, x.log.String())
		}
		x.pass(20 * time.Second)
		if n := x.counts("default"); n.Size() != 0 {
			t.Errorf("after that there are %+v, want none", n)
		}
	})
}
