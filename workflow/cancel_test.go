package workflow_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A watch sees which steps begin, and whether one does that must not.
type watch struct {
	over  atomic.Bool // none may begin any more
	late  atomic.Int32
	begun atomic.Int32

	obeys workflow.Step[int, int] // takes an hour, and ends with its context
	fails workflow.Step[int, int] // fails again and again
	brief workflow.Step[int, int] // takes a moment
}

func (w *watch) begin() {
	w.begun.Add(1)
	if w.over.Load() {
		w.late.Add(1)
	}
}

// newWatch returns a watch with its steps.
func newWatch() *watch {
	w := new(watch)
	w.obeys = workflow.NewStep("obeys", func(ctx context.Context, n int) (int, error) {
		w.begin()
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(time.Hour):
			return n, nil
		}
	})
	w.fails = workflow.NewStep("fails", func(context.Context, int) (int, error) { w.begin(); return 0, errSome }, task.MaxRetry(1000))
	w.brief = workflow.NewStep("brief", func(_ context.Context, n int) (int, error) {
		w.begin()
		time.Sleep(300 * time.Millisecond)
		return n, nil
	})
	return w
}

var nudge = workflow.NewSignal[int]("nudge")

func never(int) bool { return false }

// busy are graphs that are under way for long, each in a way of its own.
var busy = map[string]func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int]{
	"queued": func(_ *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, victim, in) },
	"active": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, w.obeys, in) },
	"sleeping": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, w.brief, in, dag.After(dag.Sleep(g, time.Hour)))
	},
	"waiting for a signal": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, w.brief, dag.Await(g, nudge, 0))
	},
	"waiting for a signal or a time": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, w.brief, dag.AwaitOr(g, nudge, time.Hour, 1))
	},
	"backing off": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, w.fails, in) },
	"in a run within": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, w.brief, dag.Do(g, w.obeys, in), dag.After(dag.Sleep(g, time.Hour)))
		})
		outer := dag.New("outer", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, inner, in) })
		return dag.Do(g, w.brief, dag.Do(g, outer, in))
	},
	"in a map": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, w.obeys, dag.Const(g, make([]int, 30)), dag.Parallel(3)))
	},
	"in a map of runs": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, w.obeys, in) })
		return dag.Do(g, sum, dag.Map(g, inner, dag.Const(g, make([]int, 5)), dag.Parallel(2)))
	},
	"in a loop": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Until(g, w.brief, in, never, 1000)
	},
	"in a race": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		o := w.obeys
		return dag.First(g, []dag.Val[int]{dag.Do(g, o, in), dag.Do(g, o, in)})
	},
	"in what was added": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		o := w.obeys
		adds := workflow.NewStep("adds", func(ctx context.Context, n int) (int, error) { return n, workflow.Add(ctx, o.With(n), o.With(n)) })
		dag.Do(g, o, in, dag.As("registered"))
		return dag.Do(g, w.brief, dag.Do(g, adds, in))
	},
	"in an arm": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.If(g, dag.Const(g, true),
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, w.obeys, in) },
			func(*dag.Graph) dag.Val[int] { return in })
	},
	"tried": func(w *watch, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, w.brief, dag.Pick(g, dag.Try(g, dag.Do(g, w.obeys, in)), orMinus))
	},
}

// wantState demands that a run ends in a state, within a time.
func wantState(t *testing.T, h workflow.Handle, want workflow.State, within time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	err := h.Wait(ctx)
	if want == workflow.Done {
		if err != nil {
			t.Errorf("Wait() = %v, want nil", err)
		}
		return
	}
	if e, ok := errors.AsType[*workflow.RunError](err); !ok || e.State != want {
		t.Errorf("Wait() = %v, want that it is %s within %v", err, want, within)
	}
}

func TestACancelledRunEndsSoonHoweverItWasUnderWay(t *testing.T) {
	for name, build := range busy {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				seen := newWatch()
				w := dag.New("busy", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return build(seen, g, in) })
				run, err := w.Start(t.Context(), serve(t, b, w), 1)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(2500 * time.Millisecond)
				if err := run.Cancel(t.Context()); err != nil {
					t.Fatal(err)
				}
				seen.over.Store(true)
				wantState(t, run.Handle, workflow.Cancelled, 5*time.Second)
				quiet(t, b, run.Handle)
				if err := run.Cancel(t.Context()); !errors.Is(err, workflow.ErrRunState) {
					t.Errorf("Cancel() of a run that has ended = %v, want ErrRunState", err)
				}
				time.Sleep(2 * time.Hour)
				if n := seen.late.Load(); n > 0 {
					t.Errorf("%d steps began after Cancel had returned", n)
				}
				sound(t, b)
			})
		})
	}
}

func TestARunThatIsTooLateEndsSoonHoweverItWasUnderWay(t *testing.T) {
	for name, build := range busy {
		for _, paused := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", paused"}[paused], func(t *testing.T) {
				inBubble(t, func(t *testing.T, b broker.Broker) {
					seen := newWatch()
					w := dag.New("busy", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return build(seen, g, in) })
					run, err := w.Start(t.Context(), serve(t, b, w), 1, workflow.RunDeadline(2500*time.Millisecond))
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
					if paused {
						if err := run.Pause(t.Context()); err != nil {
							t.Fatal(err)
						}
					}
					time.Sleep(1500 * time.Millisecond)
					wantState(t, run.Handle, workflow.TimedOut, 5*time.Second)
					quiet(t, b, run.Handle)
				})
			})
		}
	}
}

// unwanted are graphs in which something goes on that a second after the start nobody
// wants any more.
func unwanted(w *watch) map[string]func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	orFails := workflow.NewStep("or-fails", func(ctx context.Context, n int) (int, error) {
		if n == unlucky {
			time.Sleep(time.Second)
			return 0, task.SkipRetry
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(time.Hour):
			return n, nil
		}
	})
	second := workflow.NewStep("second", func(_ context.Context, n int) (int, error) { time.Sleep(time.Second); return n, nil })
	run := dag.New("run", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, orFails, in) })
	deep := dag.New("deep", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, run, in) })
	race := func(g *dag.Graph, in, loser dag.Val[int]) dag.Val[int] {
		return dag.First(g, []dag.Val[int]{dag.Do(g, second, in), loser}, dag.CancelLosers())
	}
	items := []int{unlucky, 1, 2, 3}
	return map[string]func(g *dag.Graph, in dag.Val[int]) dag.Val[int]{
		"a map of steps": func(g *dag.Graph, _ dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, orFails, dag.Const(g, items)))
		},
		"a map of runs": func(g *dag.Graph, _ dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, run, dag.Const(g, items)))
		},
		"a map of runs in runs": func(g *dag.Graph, _ dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, deep, dag.Const(g, items), dag.Parallel(2)))
		},
		"a loser": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return race(g, in, dag.Do(g, orFails, in))
		},
		"a loser that is a run": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return race(g, in, dag.Do(g, deep, in))
		},
		"a loser that is a loop of runs": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return race(g, in, dag.Until(g, run, in, never, 9))
		},
		"a loser that waits": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return race(g, in, dag.Await(g, nudge, time.Hour))
		},
		"a loser that waits for another": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return race(g, in, dag.Do(g, w.brief, in, dag.After(dag.Do(g, deep, in))))
		},
		"a loser that sleeps": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return race(g, in, dag.Do(g, w.brief, in, dag.After(dag.Sleep(g, time.Hour))))
		},
	}
}

func TestWhatNobodyWantsAnyMoreEnds(t *testing.T) {
	for name, build := range unwanted(newWatch()) {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				w := dag.New("unwanted", build)
				run, err := w.Start(t.Context(), serve(t, b, w), 1)
				if err != nil {
					t.Fatal(err)
				}
				want := workflow.Done
				if name[:5] == "a map" {
					want = workflow.Failed
				}
				wantState(t, run.Handle, want, 5*time.Second)
				time.Sleep(5 * time.Second)
				quiet(t, b, run.Handle)
			})
		})
	}
}
