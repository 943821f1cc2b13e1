package queue_test

import (
	"context"
	"errors"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/witness"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// A traced bench has a tracer that everything is told.
type traced struct {
	*bench
	w *witness.Witness
}

// onTraced runs f on traced benches, each in a bubble of its own.
func onTraced(t *testing.T, f func(*traced)) {
	t.Helper()
	for name, open := range map[string]func() (broker.Broker, error){
		"the model": func() (broker.Broker, error) { return brokertest.NewModel(), nil },
		"sqlite":    func() (broker.Broker, error) { return sqlitebroker.Open(":memory:", nil) },
	} {
		t.Run("on "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, err := open()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { b.Close() })
				x := &traced{newBench(t, b), new(witness.Witness)}
				x.client.Tracer, x.cfg.Tracer, x.cfg.Client = x.w, x.w, x.client
				x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { return time.Minute }
				f(x)
			})
		})
	}
}

// told fails the test unless the tracer was told want, and is told nothing else as the
// server ends.
func (x *traced) told(want ...string) {
	x.Helper()
	if x.srv != nil {
		if err := x.srv.Shutdown(context.Background()); err != nil {
			x.Errorf("Shutdown() = %v, want nil", err)
		}
	}
	got := x.w.Lines()
	for i, line := range got {
		got[i] = panicked.ReplaceAllString(line, "panic")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		x.Errorf("what the tracer was told differs (-want +got):\n%s", diff)
	}
	if faults := x.w.Faults(); len(faults) > 0 {
		x.Errorf("the tracer was told otherwise than promised:\n%s", strings.Join(faults, "\n"))
	}
}

// panicked is what the text of a panic begins with.
var panicked = regexp.MustCompile(`panic at \S+:\d+`)

var errBoom = errors.New("boom")

// after returns what makes a handler whose first attempt comes to err.
func after(err error) func() task.HandlerFunc {
	return func() task.HandlerFunc {
		tried := false
		return func(context.Context, *task.Task) error {
			if tried {
				return nil
			}
			tried = true
			return err
		}
	}
}

// always returns what returns h.
func always(h task.HandlerFunc) func() task.HandlerFunc {
	return func() task.HandlerFunc { return h }
}

// bubble is when the time of every bubble begins.
var bubble = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestATracerIsToldOfEachAttempt(t *testing.T) {
	ends := []string{"begin a", "settle a as done: ok", "settled a: ok"}
	for name, test := range map[string]struct {
		options []task.Option
		handler func() task.HandlerFunc
		want    []string // after it was sent
	}{
		"that is done":      {nil, after(nil), ends},
		"that is scheduled": {[]task.Option{task.ProcessIn(time.Minute)}, after(nil), ends},
		"that fails": {
			nil, after(errBoom),
			append([]string{"begin a", "settle a as retry: boom", "settled a: ok"}, ends...),
		},
		"that is snoozed": {
			nil, after(task.Snooze(time.Minute)),
			append([]string{"begin a", "settle a as retry: " + task.Snooze(time.Minute).Error(), "settled a: ok"}, ends...),
		},
		"that panics": {
			[]task.Option{task.MaxRetry(0)},
			always(func(context.Context, *task.Task) error { panic("oh") }),
			[]string{"begin a", "settle a as archived: panic: oh", "settled a: ok"},
		},
		"that ends its goroutine": {
			[]task.Option{task.MaxRetry(0)},
			always(func(context.Context, *task.Task) error { runtime.Goexit(); return nil }),
			[]string{"begin a", "settle a as archived: handler ended its goroutine with runtime.Goexit", "settled a: ok"},
		},
		"that is given up": {
			[]task.Option{task.Timeout(time.Second), task.MaxRetry(0)},
			always(func(context.Context, *task.Task) error { time.Sleep(time.Minute); return nil }),
			[]string{"begin a", "settle a as archived: task timed out", "settled a: ok"},
		},
		"that comes too late": {
			[]task.Option{task.StartBy(bubble.Add(time.Second))}, always(never(t)),
			[]string{"begin a", "settle a as archived expired: task expired: it was to begin by 2000-01-01T00:00:01Z", "settled a: ok"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onTraced(t, func(x *traced) {
				if _, err := x.client.Enqueue(witness.In(x.Context(), "caller"), task.New("test:a", nil), append(test.options, task.ID("a"))...); err != nil {
					t.Fatal(err)
				}
				x.pass(2 * time.Second)
				x.serve(test.handler())
				x.pass(10 * time.Minute)
				x.told(append([]string{"send a in caller", "sent a: ok"}, test.want...)...)
			})
		})
	}
}
