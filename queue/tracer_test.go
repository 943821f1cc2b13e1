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
	"github.com/leatwork/leat/queue"
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

// enqueueIn enqueues a task whose id is id with the context called caller.
func (x *traced) enqueueIn(id string, options ...task.Option) error {
	_, err := x.client.Enqueue(witness.In(x.Context(), "caller"), task.New("test:"+id, nil), append(options, task.ID(id))...)
	return err
}

func TestAHandlerHasTheTracersContextAndHeaders(t *testing.T) {
	onTraced(t, func(x *traced) {
		if err := x.enqueueIn("a", task.Header("k", "v")); err != nil {
			t.Fatal(err)
		}
		x.serve(func(ctx context.Context, tk *task.Task) error {
			if name, id := witness.Name(ctx), tk.Headers()[witness.Sent]; name != "a" || id != "caller:a" || tk.Headers()["k"] != "v" {
				t.Errorf("handler has context %q and headers %v, want those of the tracer, and what the user has set", name, tk.Headers())
			}
			r, _ := queue.FromContext(ctx)
			r.Trace().PutOff("paused")
			if r.Tracer() != x.w {
				t.Errorf("Tracer() = %v, want that of the server", r.Tracer())
			}
			return nil
		})
		x.pass(time.Second)
		x.told("send a in caller", "sent a: ok", "begin a", "put off a: paused", "settle a as done: ok", "settled a: ok")
	})
}

func TestATracerIsToldOfAnInterruption(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); return context.Cause(ctx) })
		x.pass(time.Second)
		x.told("send a", "sent a: ok", "begin a", "settle a as released: server shuts down", "settled a: ok")
	})
}

func TestATracerIsToldOfALeaseThatIsLost(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.b = &tapped{Broker: x.b, extend: func(extendCall) ([]broker.Held, error) { return []broker.Held{broker.Lost}, nil }}
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); x.srv.Stop(); return nil })
		x.pass(4 * time.Second)
		x.told("send a", "sent a: ok", "begin a", "settled a: "+queue.ErrLeaseLost.Error())
	})
}

func TestATracerIsToldOfALeaseThatWasLostBeforeItWasSettled(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
			if len(c.changes) > 0 {
				return broker.Applied{Outcomes: []error{broker.ErrLeaseLost}}, nil
			}
			return c.run()
		}}
		x.enqueue("a")
		x.serve(func(context.Context, *task.Task) error { x.srv.Stop(); return nil })
		x.pass(time.Second)
		x.told("send a", "sent a: ok", "begin a", "settle a as done: ok", "settled a: "+queue.ErrLeaseLost.Error())
	})
}

func TestATracerIsToldThatAnOutcomeIsNotKnown(t *testing.T) {
	for name, test := range map[string]struct {
		fault error
		want  string
	}{
		"as the storage may have it": {errLost, "may have taken effect: server closed"},
		"as it was refused":          {errRefused, "server closed"},
	} {
		t.Run(name, func(t *testing.T) {
			onTraced(t, func(x *traced) {
				x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
					if len(c.changes) > 0 {
						return broker.Applied{}, test.fault
					}
					return c.run()
				}}
				x.enqueue("a")
				x.serve(after(nil)())
				x.pass(time.Second)
				x.told("send a", "sent a: ok", "begin a", "settle a as done: ok", "settled a: "+test.want)
			})
		})
	}
}

// A handler that goes on after the server has ended is told of once it returns.
func TestATracerIsToldOfAHandlerThatOutlivesTheServer(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.cfg.ShutdownTimeout = time.Second
		x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
			if len(c.changes) > 0 {
				return broker.Applied{}, errRefused
			}
			return c.run()
		}}
		x.cfg.Concurrency = 2
		x.enqueue("a")
		x.enqueue("b")
		x.serve(func(ctx context.Context, tk *task.Task) error {
			if tk.Type() == "test:b" { // returns as the server gives up
				<-ctx.Done()
			}
			time.Sleep(500 * time.Millisecond)
			return nil
		})
		x.pass(100 * time.Millisecond)
		if err := x.srv.Shutdown(x.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
		x.pass(time.Minute)
		if faults := x.w.Faults(); len(faults) > 0 || len(x.w.About("settled")) != 2 {
			t.Errorf("the tracer was told %q, and found %v; want each settled once", x.w.Lines(), faults)
		}
	})
}

func TestATracerIsToldOfACancel(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.enqueue("a")
		x.serve(func(ctx context.Context, _ *task.Task) error { <-ctx.Done(); return context.Cause(ctx) })
		x.pass(time.Second)
		inspector := queue.NewInspector(x.b)
		inspector.Tracer = x.w
		if err := inspector.Cancel(x.Context(), "default", "a"); err != nil {
			t.Fatal(err)
		}
		x.pass(5 * time.Second)
		x.told("send a", "sent a: ok", "begin a", "moved a: cancel of one that is active",
			"settle a as archived cancelled: task cancelled", "settled a: ok")
	})
}

func TestATracerIsToldOfPoison(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.enqueue("a", task.MaxCrashes(1))
		for range 2 {
			x.crash("a")
		}
		x.cfg.OnExhausted = func(context.Context, *task.Info, error) []*task.Task {
			return []*task.Task{task.New("test:heir", nil, task.ID("heir"), task.ProcessIn(time.Hour))}
		}
		x.serve(never(t))
		x.pass(time.Second)
		x.told("send a", "sent a: ok", "begin a", "send heir in a", "settle a as archived poison: task is poison: its workers were lost 2 times in a row",
			"sent heir: ok", "settled a: ok")
	})
}

// What is leased and given back because the server stops is no attempt.
func TestATracerIsToldNothingOfWhatWasNotBegun(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
			applied, err := c.run()
			if len(applied.Leases) > 0 {
				x.srv.Stop()
			}
			return applied, err
		}}
		x.enqueue("a")
		x.serve(never(t))
		x.pass(time.Second)
		x.told("send a", "sent a: ok")
	})
}

// A change that is refused is settled again with another.
func TestATracerIsToldOfWhatTakesTheRefusedSettlementsPlace(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.enqueue("a")
		settled := false
		x.serve(func(ctx context.Context, _ *task.Task) error {
			r, _ := queue.FromContext(ctx)
			r.OnSettle(func(s broker.Settlement, refused error) broker.Change {
				c := broker.Change{Settle: []broker.Settlement{s}}
				if refused == nil {
					c.Home = broker.Home{Queue: "default", ID: "run"}
					c.Require = []broker.Condition{{Key: "there", Version: 1}}
				}
				r.OnSettled(func() { settled = refused != nil })
				return c
			})
			return nil
		})
		x.pass(time.Second)
		if !settled {
			t.Error("the function of OnSettled that was set last was not called")
		}
		x.told("send a", "sent a: ok", "begin a", "settle a as done: ok", "settle a as done: ok", "settled a: ok")
	})
}

// A function that belongs to a change which is not made is not called.
func TestOnSettledIsNotCalledIfAnotherChangeIsMade(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.enqueue("a", task.MaxRetry(0))
		x.serve(func(ctx context.Context, _ *task.Task) error {
			r, _ := queue.FromContext(ctx)
			r.OnSettled(func() { t.Error("the function of OnSettled was called, want not: the settlement was recorded alone") })
			r.OnSettle(func(broker.Settlement, error) broker.Change { return broker.Change{} })
			return nil
		})
		x.pass(time.Second)
		if s := x.get("a"); s.State != task.Archived {
			t.Errorf("it is %s, want archived: its change settles nothing", s.State)
		}
	})
}

func TestATracerIsToldOfWhatFollowsATask(t *testing.T) {
	then := func(fails error) func() task.HandlerFunc {
		return always(func(ctx context.Context, tk *task.Task) error {
			if tk.Type() != "test:a" {
				return nil
			}
			for _, id := range []string{"b", "c"} {
				if err := queue.Then(witness.In(ctx, "inner"), task.New("test:"+id, nil), task.ID(id), task.Unique(time.Hour), task.UniqueKey(id)); err != nil {
					t.Errorf("Then(%s) = %v, want nil", id, err)
				}
			}
			return fails
		})
	}
	sends := []string{"send a", "sent a: ok", "begin a", "send b in inner", "send c in inner"}
	for name, test := range map[string]struct {
		before  func(*traced)
		handler func() task.HandlerFunc
		want    []string
	}{
		"that is done": {
			func(*traced) {}, then(nil),
			append(sends, "settle a as done: ok", "sent b: ok", "sent c: ok", "settled a: ok",
				"begin b", "settle b as done: ok", "settled b: ok", "begin c", "settle c as done: ok", "settled c: ok"),
		},
		"that fails": {
			func(*traced) {}, then(errBoom),
			append(sends, "settle a as archived: boom", "sent b: task has come to another outcome",
				"sent c: task has come to another outcome", "settled a: ok"),
		},
		"that fails because one is there": {
			func(x *traced) {
				untold := queue.NewClient(x.b)
				if _, err := untold.Enqueue(x.Context(), task.New("test:b", nil), task.ID("b"), task.ProcessIn(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}, then(nil),
			append(sends, "settle a as done: ok", "settle a as archived: enqueue default/b: task id conflicts with another task",
				"sent b: enqueue default/b: task id conflicts with another task", "sent c: task has come to another outcome", "settled a: ok"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			onTraced(t, func(x *traced) {
				test.before(x)
				x.enqueue("a", task.MaxRetry(0))
				x.serve(test.handler())
				x.pass(10 * time.Second)
				x.told(test.want...)
			})
		})
	}
}

func TestATracerIsToldOfWhatFollowsAnExhaustedTask(t *testing.T) {
	onTraced(t, func(x *traced) {
		x.cfg.OnExhausted = func(context.Context, *task.Info, error) []*task.Task {
			return []*task.Task{
				task.New("test:heir", nil, task.ID("heir"), task.ProcessIn(time.Hour)),
				task.New("test:twin", nil, task.ID("heir"), task.ProcessIn(time.Hour)),
			}
		}
		x.enqueue("a", task.MaxRetry(0))
		x.serve(after(errBoom)())
		x.pass(time.Second)
		got := x.w.About("sent", "settled")
		if len(got) != 4 || got[0] != "sent a: ok" || got[3] != "settled a: ok" {
			t.Errorf("the tracer was told %q, want that both were sent, in whatever order, and then a was settled", got)
		}
		if faults := x.w.Faults(); len(faults) > 0 || len(x.w.Unsent()) > 0 {
			t.Errorf("the tracer found %v, and was not told of %v", faults, x.w.Unsent())
		}
	})
}

// What the tracer has left with the outcome of one attempt, it finds with the next.
func TestATracersHeadersAreKeptWithTheTask(t *testing.T) {
	onTraced(t, func(x *traced) {
		if err := x.enqueueIn("a"); err != nil {
			t.Fatal(err)
		}
		var seen []string
		x.serve(func(_ context.Context, tk *task.Task) error {
			seen = append(seen, tk.Headers()[witness.Settled]+tk.Headers()[witness.Sent])
			return errBoom
		})
		x.pass(3*time.Minute - time.Second)
		if diff := cmp.Diff([]string{"caller:a", "|caller:a", "||caller:a"}, seen); diff != "" {
			t.Errorf("headers differ (-want +got):\n%s", diff)
		}
	})
}
