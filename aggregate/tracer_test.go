package aggregate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/internal/witness"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// onTraced runs f on benches whose aggregators have a tracer.
func onTraced(t *testing.T, f func(*bench, *witness.Witness)) {
	t.Helper()
	for name, open := range map[string]func() broker.Broker{
		"the model": func() broker.Broker { return brokertest.NewModel() },
		"sqlite": func() broker.Broker {
			b, err := sqlitebroker.Open(":memory:", nil)
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
	} {
		t.Run("on "+name, func(t *testing.T) {
			inBubbleOn(t, open, func(x *bench) {
				x.T.Cleanup(func() { x.client.Broker().Close() })
				w := new(witness.Witness)
				x.cfg.Tracer = w
				f(x, w)
			})
		})
	}
}

var errBoom = errors.New("boom")

func TestATracerIsToldOfABatchAndItsMembers(t *testing.T) {
	fold := func(err error) aggregate.Handler {
		return aggregate.Raw(func(ctx context.Context, _ string, tasks []*task.Task) (*task.Task, error) {
			if name := witness.Name(ctx); name != "batch g" {
				t.Errorf("handler has context %q, want that of the batch", name)
			}
			return task.New("folded", nil, task.ID("f"), task.ProcessIn(time.Hour)), err
		})
	}
	begun := []string{"begin a", "begin b", "batch default/g a,b"}
	for name, test := range map[string]struct {
		before  func(*bench)
		options []task.Option
		handler aggregate.Handler
		want    []string
	}{
		"that is folded": {
			func(*bench) {}, nil, fold(nil),
			append(begun, "send f in batch g", "settle a as done: ok", "settle b as done: ok",
				"sent f: ok", "settled a: ok", "settled b: ok", "ran default/g: ok"),
		},
		"whose fold fails": {
			func(*bench) {}, []task.Option{task.MaxRetry(0)}, fold(errBoom),
			append(begun, "settle a as archived: boom", "settle b as archived: boom", "settled a: ok", "settled b: ok", "ran default/g: boom"),
		},
		"whose fold is refused": {
			func(x *bench) {
				if _, err := x.client.Enqueue(x.Context(), task.New("folded", nil, task.ID("f"), task.ProcessIn(time.Hour))); err != nil {
					x.Fatal(err)
				}
			}, []task.Option{task.MaxRetry(0)}, fold(nil),
			append(begun, "send f in batch g", "settle a as done: ok", "settle b as done: ok",
				"sent f: task id conflicts with another task",
				"settle a as archived: fold into task default/f: task id conflicts with another task", "settled a: ok",
				"settle b as archived: fold into task default/f: task id conflicts with another task", "settled b: ok", "ran default/g: ok"),
		},
		"each of which ends on its own": {
			func(*bench) {}, []task.Option{task.MaxRetry(0)},
			aggregate.Each(func(context.Context, string, []*task.Task) []error { return []error{nil, errBoom} }),
			append(begun, "settle a as done: ok", "settle b as archived: boom", "settled a: ok", "settled b: ok", "ran default/g: ok"),
		},
		"one of which cannot be read": {
			func(*bench) {}, nil,
			aggregate.EachOf(func(_ context.Context, _ string, items []string) ([]aggregate.Result[task.None], error) {
				return make([]aggregate.Result[task.None], len(items)), nil
			}),
			[]string{"begin a", "begin b", "settle a as archived", "settle b as archived", "settled a: ok", "settled b: ok"},
		},
		"that comes too late": {
			func(*bench) {}, []task.Option{task.Deadline(time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC))}, fold(nil),
			[]string{"begin a", "settle a as archived expired", "begin b", "settle b as archived expired", "settled a: ok", "settled b: ok"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onTraced(t, func(x *bench, w *witness.Witness) {
				test.before(x)
				x.addWith("g", []string{"a", "b"}, test.options...)
				x.pass(2 * time.Second)
				stop := x.handle(second, test.handler)
				x.pass(3 * time.Second)
				stop()
				got := w.Lines()
				for i, line := range got {
					if i < len(test.want) && strings.HasPrefix(line, test.want[i]+":") { // why, in whatever words
						got[i] = test.want[i]
					}
				}
				if diff := cmp.Diff(test.want, got); diff != "" || len(w.Faults()) > 0 {
					t.Errorf("what the tracer was told differs (-want +got):\n%s\nand it found %q", diff, w.Faults())
				}
			})
		})
	}
}

func TestATracerIsToldOfWhatFollowsAMember(t *testing.T) {
	onTraced(t, func(x *bench, w *witness.Witness) {
		x.cfg.OnExhausted = func(_ context.Context, i *task.Info, _ error) []*task.Task {
			return []*task.Task{task.New("heir", nil, task.ID("of-"+i.ID), task.ProcessIn(time.Hour))}
		}
		if _, err := x.client.Enqueue(x.Context(), task.New("heir", nil, task.ID("of-b"), task.ProcessIn(time.Hour))); err != nil {
			t.Fatal(err)
		}
		stop := x.handle(second, aggregate.Each(func(context.Context, string, []*task.Task) []error { return []error{errBoom, errBoom} }))
		x.addWith("g", []string{"a", "b"}, task.MaxRetry(0))
		x.pass(5 * time.Second)
		stop()
		want := []string{"send of-a in a", "sent of-a: ok", "send of-b in b", "sent of-b: entry default/of-b exists already"}
		got := w.About("send", "sent")
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || len(w.Faults()) > 0 {
			t.Errorf("what the tracer was told differs (-want +got):\n%s\nand it found %q", diff, w.Faults())
		}
	})
}

func TestATracerIsToldOfABatchThatIsLost(t *testing.T) {
	inBubble(t, func(x *bench) {
		w := new(witness.Witness)
		x.cfg.Tracer = w
		x.fault = func(method string, _ int) brokertest.Fault {
			if method == "Extend" {
				return brokertest.Fault{Before: errFault}
			}
			return brokertest.Fault{}
		}
		stop := x.handle(second, aggregate.Each(func(ctx context.Context, _ string, _ []*task.Task) []error { <-ctx.Done(); return nil }))
		x.add("g", "a", "b")
		x.pass(13 * time.Second)
		lost := w.About("settle", "settled", "ran")
		stop()
		why := queue.ErrLeaseLost.Error()
		want := []string{"settled a: " + why, "settled b: " + why, "ran default/g: " + why}
		if diff := cmp.Diff(want, lost); diff != "" || len(w.Faults()) > 0 {
			t.Errorf("what the tracer was told differs (-want +got):\n%s\nand it found %q", diff, w.Faults())
		}
	})
}

func TestATracerIsToldOfMembersWhoseOutcomeIsNotKnown(t *testing.T) {
	inBubble(t, func(x *bench) {
		w := new(witness.Witness)
		x.cfg.Tracer = w
		down := false
		x.fault = func(method string, _ int) brokertest.Fault {
			if method == "Apply" && down {
				return brokertest.Fault{After: errLost}
			}
			return brokertest.Fault{}
		}
		stop := x.handle(second, aggregate.Each(func(context.Context, string, []*task.Task) []error {
			x.mu.Lock()
			defer x.mu.Unlock()
			down = true
			return nil
		}))
		x.add("g", "a", "b")
		x.pass(10 * time.Second)
		stop()
		if got := w.About("settled"); len(got) < 2 || len(w.Faults()) > 0 {
			t.Errorf("the tracer was told %q and found %q, want both settled, once each time they were begun", w.Lines(), w.Faults())
		}
	})
}

func TestAMemberThatIsInterruptedIsReleased(t *testing.T) {
	inBubble(t, func(x *bench) {
		w := new(witness.Witness)
		x.cfg.Tracer = w
		stop := x.handle(second, aggregate.Each(func(ctx context.Context, _ string, _ []*task.Task) []error {
			<-ctx.Done()
			return []error{ctx.Err(), ctx.Err()}
		}))
		x.add("g", "a", "b")
		x.pass(3 * time.Second)
		stop()
		want := []string{"settle a as released: context canceled", "settle b as released: context canceled", "settled a: ok", "settled b: ok"}
		if diff := cmp.Diff(want, w.About("settle", "settled")); diff != "" || len(w.Faults()) > 0 {
			t.Errorf("what the tracer was told differs (-want +got):\n%s\nand it found %q", diff, w.Faults())
		}
	})
}
