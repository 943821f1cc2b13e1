package workflow_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
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

// doubles is double, for several runs at once.
var doubles = workflow.Batched("doubles", workflow.Batch{MaxSize: 10, MaxWait: time.Second}, doubleAll)

func add(a, b int) int { return a + b }

func add3(a, b, c int) int { return a + b + c }

func even(n int) bool { return n%2 == 0 }

func large(n int) bool { return n >= 100 }

func plusOne(n int) int { return n + 1 }

// isEven is even as a step, so that what is decided on comes late.
var isEven = workflow.NewStep("even", func(_ context.Context, n int) (bool, error) { return even(n), nil })

// choosy fails for good if its input is odd.
var choosy = workflow.NewStep("choosy", func(_ context.Context, n int) (int, error) {
	if !even(n) {
		return 0, fmt.Errorf("%d is odd: %w", n, task.SkipRetry)
	}
	return n, nil
})

// slowly returns what it gets, a while later.
var slowly = workflow.NewStep("slowly", func(_ context.Context, n int) (int, error) {
	time.Sleep(100 * time.Millisecond)
	return n, nil
})

// late is double after an hour.
var late = workflow.NewStep("late", func(ctx context.Context, n int) (int, error) {
	select {
	case <-time.After(time.Hour):
		return 2 * n, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}, task.NoTimeout())

// total is sum of what is read one by one.
var total = workflow.NewStep("total", func(ctx context.Context, s workflow.Stream[int]) (int, error) {
	sum := 0
	for n, err := range s.All(ctx) {
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
})

// mark tells a value from a failure and a skip.
func mark(o workflow.Outcome[int]) int {
	switch _, err := o.Get(); {
	case errors.Is(err, workflow.ErrSkipped):
		return -2
	case err != nil:
		return -1
	}
	return o.Value
}

func sumOfMarks(l []workflow.Outcome[int]) int {
	sum := 0
	for _, o := range l {
		sum += mark(o)
	}
	return sum
}

func length(l []int) int { return len(l) }

func sumOf(l []int) int {
	sum := 0
	for _, n := range l {
		sum += n
	}
	return sum
}

// arm is a step of an arm under a name.
func arm(g *dag.Graph, in dag.Val[int], name string) dag.Val[int] {
	return dag.Do(g, double, in, dag.As(name))
}

var approval = workflow.NewSignal[int]("approval")

// quadruple and deep are workflows within workflows.
var (
	quadruple = dag.New("quadruple", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Do(g, double, in))
	})
	deep = dag.New("deep", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Do(g, quadruple, in))
	})
	picky = dag.New("picky", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, choosy, in) })
)

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
	"if": dag.New("if", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		chosen := dag.If(g, dag.Do(g, isEven, in),
			func(g *dag.Graph) dag.Val[int] { return arm(g, in, "yes") },
			func(g *dag.Graph) dag.Val[int] { return arm(g, arm(g, in, "no"), "no-again") })
		return dag.Do(g, double, chosen, dag.As("after"))
	}),
	"if-without-steps": dag.New("if-without-steps", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.If(g, dag.Pick(g, in, even),
			func(*dag.Graph) dag.Val[int] { return in },
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, double, in) })
	}),
	"if-with-outside": dag.New("if-with-outside", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		outside := dag.Do(g, double, in, dag.As("outside"))
		return dag.If(g, dag.Pick(g, in, even),
			func(*dag.Graph) dag.Val[int] { return outside },
			func(g *dag.Graph) dag.Val[int] {
				return dag.Do(g, double, dag.Join2(g, outside, in, add), dag.As("inside"))
			})
	}),
	"if-with-slow-outside": dag.New("if-with-slow-outside", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		slow := dag.Do(g, slowly, in)
		return dag.If(g, dag.Pick(g, in, even),
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, double, slow) },
			func(g *dag.Graph) dag.Val[int] {
				return dag.Pick(g, dag.Try(g, dag.Do(g, choosy, slow)), mark)
			})
	}),
	"if-in-if": dag.New("if-in-if", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		inner := func(g *dag.Graph) dag.Val[int] {
			first := arm(g, in, "first")
			return dag.If(g, dag.Pick(g, first, large),
				func(g *dag.Graph) dag.Val[int] { return arm(g, first, "large") },
				func(g *dag.Graph) dag.Val[int] { return dag.Pick(g, first, plusOne) })
		}
		outer := dag.If(g, dag.Pick(g, in, even), inner, func(g *dag.Graph) dag.Val[int] { return arm(g, in, "odd") })
		return dag.Do(g, double, outer, dag.As("after"))
	}),
	"if-with-side-effect": dag.New("if-with-side-effect", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.If(g, dag.Pick(g, in, even),
			func(g *dag.Graph) dag.Val[int] {
				arm(g, in, "beside")
				return in
			},
			func(g *dag.Graph) dag.Val[int] { return dag.Pick(g, in, plusOne) })
	}),
	"switch": dag.New("switch", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Switch(g, in, []dag.Branch[int, int]{
			dag.Case(1, func(g *dag.Graph) dag.Val[int] { return arm(g, in, "one") }),
			dag.Case(2, func(g *dag.Graph) dag.Val[int] { return arm(g, arm(g, in, "two"), "two-again") }),
			dag.Default[int](func(g *dag.Graph) dag.Val[int] { return dag.Const(g, -1) }),
		})
	}),
	"switch-without-default": dag.New("switch-without-default", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		chosen := dag.Switch(g, in, []dag.Branch[int, int]{
			dag.Case(1, func(g *dag.Graph) dag.Val[int] { return arm(g, in, "one") }),
		}, dag.As("choice"))
		return dag.Pick(g, dag.Try(g, chosen), mark)
	}),
	"try": dag.New("try", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, dag.Try(g, dag.Do(g, double, dag.Do(g, choosy, in))), mark)
	}),
	"try-skipped": dag.New("try-skipped", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.If(g, dag.Pick(g, in, even),
			func(g *dag.Graph) dag.Val[int] { return arm(g, in, "yes") },
			func(g *dag.Graph) dag.Val[int] {
				return dag.Pick(g, dag.Try(g, dag.If(g, dag.Pick(g, in, large),
					func(g *dag.Graph) dag.Val[int] { return arm(g, in, "large") },
					func(g *dag.Graph) dag.Val[int] { return dag.Do(g, choosy, in) })), mark)
			})
	}),
	"try-map": dag.New("try-map", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		items := dag.Try(g, dag.Map(g, choosy, dag.Do(g, upTo, in)))
		return dag.Pick(g, items, func(o workflow.Outcome[[]int]) int {
			if o.Failure != nil {
				return -1
			}
			return len(o.Value)
		})
	}),
	"first": dag.New("first", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		won := dag.First(g, []dag.Val[int]{
			dag.Do(g, late, in), dag.Pick(g, dag.Do(g, choosy, in), plusOne),
		}, dag.CancelLosers())
		return dag.Do(g, double, won)
	}),
	"first-of-failing": dag.New("first-of-failing", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		won := dag.First(g, []dag.Val[int]{dag.Do(g, choosy, in), dag.Do(g, choosy, dag.Pick(g, in, half))})
		return dag.Pick(g, dag.Try(g, won), mark)
	}),
	"join3": dag.New("join3", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		two := dag.Do(g, double, in)
		return dag.Join3(g, in, two, dag.Do(g, double, two), add3)
	}),
	"const": dag.New("const", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Join2(g, in, dag.Do(g, double, dag.Const(g, 20)), add)
	}),
	"after": dag.New("after", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		first := dag.Do(g, double, in, dag.As("first"))
		return dag.Do(g, double, in, dag.As("second"), dag.After(first, in))
	}),
	"sleep": dag.New("sleep", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		slept := dag.Sleep(g, time.Second, dag.After(dag.Do(g, double, in, dag.As("first"))))
		return dag.Do(g, double, in, dag.As("second"), dag.After(slept))
	}),
	"await-or": dag.New("await-or", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Join2(g, in, dag.AwaitOr(g, approval, time.Second, 7), add)
	}),
	"await-in-vain": dag.New("await-in-vain", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		approved := dag.Await(g, approval, time.Second, dag.After(dag.Do(g, double, in)))
		return dag.Pick(g, dag.Try(g, approved), mark)
	}),
	"batched": dag.New("batched", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Do(g, doubles, in))
	}),
	"until": dag.New("until", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, double, dag.Until(g, double, in, large, 10, dag.As("round")))
	}),
	"until-too-often": dag.New("until-too-often", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, dag.Try(g, dag.Until(g, double, in, large, 3)), mark)
	}),
	"until-of-workflow": dag.New("until-of-workflow", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Until(g, quadruple, in, large, 5)
	}),
	"map-try": dag.New("map-try", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, dag.MapTry(g, choosy, dag.Do(g, upTo, in)), sumOfMarks)
	}),
	"tolerate": dag.New("tolerate", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		kept := dag.Map(g, choosy, dag.Do(g, upTo, in), dag.Tolerate(2))
		return dag.Pick(g, dag.Try(g, dag.Pick(g, kept, sumOf)), mark)
	}),
	"finish-all": dag.New("finish-all", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		all := dag.Map(g, choosy, dag.Do(g, upTo, in), dag.FinishAll(), dag.Parallel(1))
		return dag.Pick(g, dag.Try(g, dag.Pick(g, all, length)), mark)
	}),
	"map-stream": dag.New("map-stream", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, total, dag.MapStream(g, double, dag.Do(g, upTo, in)))
	}),
	"map-of-workflows": dag.New("map-of-workflows", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, quadruple, dag.Do(g, upTo, in), dag.Parallel(3)))
	}),
	"map-try-of-workflows": dag.New("map-try-of-workflows", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, dag.MapTry(g, picky, dag.Do(g, upTo, in)), sumOfMarks)
	}),
	"map-of-map": dag.New("map-of-map", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, double, dag.Map(g, double, dag.Do(g, upTo, in))))
	}),
	"map-in-arm": dag.New("map-in-arm", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		list := dag.Do(g, upTo, in)
		return dag.Do(g, sum, dag.If(g, dag.Pick(g, in, even),
			func(g *dag.Graph) dag.Val[[]int] { return dag.Map(g, double, list) },
			func(*dag.Graph) dag.Val[[]int] { return list }))
	}),
	"deep": dag.New("deeper", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, dag.Do(g, deep, in), plusOne)
	}),
	"try-workflow": dag.New("try-workflow", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, dag.Try(g, dag.Do(g, picky, in)), mark)
	}),
}

func half(n int) int { return n / 2 }

// A shapeCase is a shape with its value.
type shapeCase struct {
	shape    string
	in, want int
}

var shapeCases = []shapeCase{
	{"chain", 1, 8}, {"diamond", 1, 16},
	{"map", 5, 20}, {"map", 1, 0}, {"map", 0, 0}, {"map", 1234, 1233 * 1234}, {"map-of-input", 3, 3}, {"map-of-input", 0, 0},
	{"map-of-join", 3, 36}, {"join-of-maps", 4, 24}, {"map-of-map", 4, 24}, {"map-in-arm", 4, 12}, {"map-in-arm", 3, 3},
	{"side-effect", 3, 6}, {"no-steps", 3, 4},
	{"if", 2, 8}, {"if", 3, 24}, {"if-without-steps", 2, 2}, {"if-without-steps", 3, 6},
	{"if-with-outside", 2, 4}, {"if-with-outside", 3, 18},
	{"if-with-slow-outside", 2, 4}, {"if-with-slow-outside", 3, -1},
	{"if-in-if", 2, 10}, {"if-in-if", 100, 800}, {"if-in-if", 3, 12}, {"if-with-side-effect", 2, 2}, {"if-with-side-effect", 3, 4},
	{"switch", 1, 2}, {"switch", 2, 8}, {"switch", 3, -1}, {"switch-without-default", 1, 2}, {"switch-without-default", 3, -1},
	{"try", 2, 4}, {"try", 3, -1}, {"try-skipped", 2, 4}, {"try-skipped", 3, -1}, {"try-skipped", 101, 202},
	{"try-map", 1, 1}, {"try-map", 4, -1},
	{"first", 2, 6}, {"first-of-failing", 6, 6}, {"first-of-failing", 5, 2}, {"first-of-failing", 3, -1},
	{"join3", 1, 7}, {"batched", 3, 12}, {"const", 2, 42}, {"after", 2, 4}, {"sleep", 3, 6}, {"await-or", 3, 10}, {"await-in-vain", 3, -1},
	{"until", 1, 256}, {"until", 200, 800}, {"until-too-often", 1, -1}, {"until-too-often", 20, 160}, {"until-of-workflow", 3, 192},
	{"map-try", 4, 0}, {"tolerate", 5, 6}, {"tolerate", 7, -1}, {"finish-all", 1, 1}, {"finish-all", 4, -1},
	{"map-stream", 4, 12}, {"map-stream", 0, 0}, {"map-stream", 1100, 1099 * 1100},
	{"map-of-workflows", 4, 24}, {"map-of-workflows", 0, 0}, {"map-try-of-workflows", 4, 0}, {"deep", 3, 25}, {"try-workflow", 2, 2}, {"try-workflow", 3, -1},
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

func nan() float64 { return math.NaN() }
