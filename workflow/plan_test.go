package workflow_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

var rewrite = flag.Bool("rewrite", false, "write the transcripts in testdata anew")

// Steps on numbers, enough for every shape.
var (
	double = workflow.NewStep("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	upTo   = workflow.NewStep("upto", func(_ context.Context, n int) ([]int, error) {
		list := make([]int, n)
		for i := range list {
			list[i] = i
		}
		return list, nil
	})
	sum = workflow.NewStep("sum", func(_ context.Context, list []int) (int, error) {
		total := 0
		for _, n := range list {
			total += n
		}
		return total, nil
	}, task.Queue("heavy"))
)

func add(a, b int) int { return a + b }

// shapes are workflows from a number to a number, one for each shape of graph.
var shapes = map[string]workflow.Workflow[int, int]{
	"chain": dag.New("chain", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Do(g, double, dag.Do(g, double, in)))
	}),
	"diamond": dag.New("diamond", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		top := dag.Do(g, double, in)
		left, right := dag.Do(g, double, top, dag.As("left")), dag.Do(g, double, top, dag.As("right"))
		return dag.Do(g, double, dag.Join2(g, left, right, add), dag.As("bottom"))
	}),
	"map": dag.New("map", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, double, dag.Do(g, upTo, in), dag.Parallel(4)))
	}),
	"map-of-input": dag.New("map-of-input", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		list := dag.Pick(g, in, func(n int) []int { return make([]int, n) })
		return dag.Pick(g, dag.Map(g, double, list), func(l []int) int { return len(l) })
	}),
	"map-of-join": dag.New("map-of-join", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		a, b := dag.Do(g, upTo, in), dag.Do(g, upTo, dag.Do(g, double, in, dag.As("twice")))
		both := dag.Join2(g, a, b, func(x, y []int) []int { return append(x, y...) })
		return dag.Do(g, sum, dag.Map(g, double, both))
	}),
	"join-of-maps": dag.New("join-of-maps", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		list := dag.Do(g, upTo, in)
		a, b := dag.Map(g, double, list), dag.Map(g, double, list)
		return dag.Do(g, sum, dag.Join2(g, a, b, func(x, y []int) []int { return append(x, y...) }))
	}),
	"side-effect": dag.New("side-effect", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		dag.Do(g, double, in, dag.As("unused"))
		return dag.Do(g, double, in)
	}),
	"no-steps": dag.New("no-steps", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, in, func(n int) int { return n + 1 })
	}),
}

func TestWhatFollowsFromWhat(t *testing.T) {
	for name, w := range shapes {
		t.Run(name, func(t *testing.T) {
			got := workflow.Explain(w)
			file := filepath.Join("testdata", name+".txt")
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the plan of %s (-want +got):\n%s", name, diff)
			}
		})
	}
}

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
		{"a value of another graph", func() {
			var other dag.Val[int]
			dag.New("v", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { other = in; return in })
			dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, other) })
		}, "another graph"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), c.want) {
					t.Errorf("got panic %v, want one that says %s", p, c.want)
				}
			}()
			c.make()
		})
	}
}
