package workflow_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

func TestMistakesInADefinitionPanic(t *testing.T) {
	build := func(opts ...dag.Option) func() {
		return func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in, opts...) })
		}
	}
	for _, c := range []struct {
		name string
		make func()
		want string
	}{
		{"a workflow's name", func() { dag.New("a b", func(_ *dag.Graph, in dag.Val[int]) dag.Val[int] { return in }) }, `"a b"`},
		{"a step's name", func() { workflow.NewStep("{x}", func(context.Context, int) (int, error) { return 0, nil }) }, `"{x}"`},
		{"a step without a function", func() { workflow.NewStep[int, int]("x", nil) }, "no function"},
		{"a name that the engine keeps for itself", build(dag.As("a~b")), `"a~b"`},
		{"a name used twice", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				dag.Do(g, double, in, dag.As("x"))
				return dag.Do(g, double, in, dag.As("x"))
			})
		}, "another step"},
		{"a negative window", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[[]int]) dag.Val[[]int] {
				return dag.Map(g, double, in, dag.Parallel(-1))
			})
		}, "-1"},
		{"a window for one step", build(dag.Parallel(2)), "dag.Map"},
		{"an option that a step cannot have", build(dag.With(task.Unique(1e12))), "a step takes"},
		{"an option with a bad value", build(dag.With(task.MaxRetry(-3))), "-3"},
		{"a queue that is no name", func() {
			dag.New("w", func(_ *dag.Graph, in dag.Val[int]) dag.Val[int] { return in }, workflow.Queue("{q}"))
		}, `"{q}"`},
		{"a negative retention", func() {
			dag.New("w", func(_ *dag.Graph, in dag.Val[int]) dag.Val[int] { return in }, workflow.Retention(-time.Hour))
		}, "-1h0m0s"},
		{"the second of two mistakes", func() {
			dag.New("a b", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in, dag.As("c d")) })
		}, `"c d"`},
		{"the second of two bad options", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				one := dag.Do(g, double, in, dag.With(task.MaxRetry(-3)))
				return dag.Do(g, double, one, dag.With(task.MaxRetry(-4)))
			})
		}, "-4"},
		{"a value of an arm outside of it", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				var inner dag.Val[int]
				dag.If(g, dag.Const(g, true),
					func(g *dag.Graph) dag.Val[int] { inner = dag.Do(g, double, in); return inner },
					func(*dag.Graph) dag.Val[int] { return in })
				return dag.Do(g, double, inner)
			})
		}, "dag.Val \"double\": is of an arm, and used outside of it"},
		{"a value of an arm in the other", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				var inner dag.Val[int]
				return dag.If(g, dag.Const(g, true),
					func(g *dag.Graph) dag.Val[int] { inner = dag.Do(g, double, in); return inner },
					func(*dag.Graph) dag.Val[int] { return inner })
			})
		}, "used outside of it"},
		{"a step of an arm that is added to the graph around it", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.If(g, dag.Const(g, true),
					func(*dag.Graph) dag.Val[int] { return dag.Do(g, double, in) },
					func(*dag.Graph) dag.Val[int] { return in })
			})
		}, "dag.Graph \"double\": is added to another graph than that of the arm"},
		{"a graph used when it is done", func() {
			var kept *dag.Graph
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { kept = g; return in })
			dag.Const(kept, 1)
		}, "has returned"},
		{"a workflow without a function", func() { dag.New[int, int]("w", nil) }, "has no function"},
		{"an arm without a function", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.If(g, dag.Const(g, true), func(*dag.Graph) dag.Val[int] { return in }, nil)
			})
		}, "dag.if \"else\": has no function"},
		{"a switch without arms", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Switch[int, int](g, in, nil) })
		}, "has no arms"},
		{"a case twice", func() {
			same := func(g *dag.Graph) dag.Val[int] { return dag.Const(g, 1) }
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.Switch(g, in, []dag.Branch[int, int]{dag.Case(1, same), dag.Case(1, same)})
			})
		}, "dag.Switch \"1\": is a case twice"},
		{"two defaults", func() {
			same := func(g *dag.Graph) dag.Val[int] { return dag.Const(g, 1) }
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.Switch(g, in, []dag.Branch[int, int]{dag.Default[int](same), dag.Default[int](same)})
			})
		}, "dag.Switch \"default\": is a case twice"},
		{"a first of one", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.First(g, []dag.Val[int]{dag.Do(g, double, in)})
			})
		}, "takes two values at least"},
		{"a first of what is joined", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				one, two := dag.Do(g, double, in), dag.Do(g, double, in)
				return dag.First(g, []dag.Val[int]{one, dag.Join2(g, one, two, add)})
			})
		}, "use Do on what is joined"},
		{"a first of the input", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.First(g, []dag.Val[int]{in, dag.Do(g, double, in)})
			})
		}, "takes values of one step each"},
		{"losers of one step", build(dag.CancelLosers()), "CancelLosers is for dag.First"},
		{"tasks of a wait", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.Await(g, approval, 0, dag.With(task.MaxRetry(1)))
			})
		}, "With is for what runs steps"},
		{"tasks of a workflow", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.Do(g, quadruple, in, dag.With(task.MaxRetry(1)))
			})
		}, "dag.With \"quadruple\": is a workflow"},
		{"tolerance of what tolerates all", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[[]int]) dag.Val[[]workflow.Outcome[int]] {
				return dag.MapTry(g, double, in, dag.Tolerate(1))
			})
		}, "dag.MapTry"},
		{"an option that is nil", build(nil), "an option that is nil"},
		{"a loop without a bound", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Until(g, double, in, even, 0) })
		}, "must be at least 1"},
		{"a loop without an end", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Until(g, double, in, nil, 5) })
		}, "dag.Until \"\": has no function"},
		{"a pick without a function", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Pick[int, int](g, in, nil) })
		}, "dag.Pick \"\": has no function"},
		{"a join without a function", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Join2[int, int, int](g, in, in, nil) })
		}, "dag.Join2 \"\": has no function"},
		{"a sleep of no time", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { dag.Sleep(g, 0); return in })
		}, "dag.Sleep 0s: must be positive"},
		{"a fallback of no time", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.AwaitOr(g, approval, 0, 1) })
		}, "dag.AwaitOr 0s: must be positive"},
		{"a negative wait", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Await(g, approval, -1) })
		}, "must not be negative"},
		{"a signal that was not made", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.Await(g, workflow.Signal[int]{}, 0)
			})
		}, "signal \"\""},
		{"a workflow that was not made", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.Do(g, workflow.Workflow[int, int]{}, in)
			})
		}, "dag.New has not made"},
		{"a constant that cannot be stored", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				return dag.Pick(g, dag.Const(g, math.NaN()), func(float64) int { return 0 })
			})
		}, "NaN"},
		{"too many steps", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				for range 300 {
					in = dag.Do(g, double, in)
				}
				return in
			})
		}, "has 301 steps, more than 250"},
		{"too many edges of an arm", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				chosen := dag.If(g, dag.Const(g, true), func(g *dag.Graph) dag.Val[int] {
					all := in
					for range 40 {
						all = dag.Join2(g, all, dag.Do(g, double, in), add)
					}
					return all
				}, func(*dag.Graph) dag.Val[int] { return in })
				for range 30 {
					dag.Do(g, double, chosen)
				}
				return in
			})
		}, "make workflows of them"},
		{"two steps of one name", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				other := workflow.NewStep("double", func(_ context.Context, n int) (int, error) { return n, nil })
				return dag.Do(g, double, dag.Do(g, other, in))
			})
		}, "step \"double\": is the name of another step"},
		{"a loop over what can be undone", func() {
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
				undo := workflow.NewStep("undo", func(context.Context, workflow.Undo[int, int]) (workflow.None, error) { return workflow.None{}, nil })
				return dag.Until(g, workflow.Reversible(double, undo), in, even, 3)
			})
		}, "is reversible, which a loop is not"},
		{"a value of another graph", func() {
			var other dag.Val[int]
			dag.New("v", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { other = in; return in })
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, other) })
		}, "another graph"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), c.want) {
					t.Errorf("got panic %v, want one that says %s", p, c.want)
				}
			}()
			c.make()
		})
	}
}

func TestAllMistakesInADefinitionAreNamedAtOnce(t *testing.T) {
	defer func() {
		p := fmt.Sprint(recover())
		for _, want := range []string{`"a b"`, `"{q}"`, "1ms", "-2", "CancelLosers", `"c d"`, "-3", "two values at least", "must be at least 1"} {
			if !strings.Contains(p, want) {
				t.Errorf("got panic %s, want one that says %s, too", p, want)
			}
		}
	}()
	dag.New("a b", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		list := dag.Map(g, double, dag.Do(g, upTo, in, dag.CancelLosers()), dag.Parallel(-2), dag.As("c d"))
		one := dag.Do(g, double, in, dag.With(task.MaxRetry(-3)))
		dag.Until(g, double, in, even, 0)
		return dag.Join2(g, dag.First(g, []dag.Val[int]{one}), dag.Pick(g, list, length), add)
	}, workflow.Queue("{q}"), workflow.Retention(time.Millisecond))
}
