package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// What functions of users do that do not return. Their owner has them block until it is
// closed.
type misdeed struct {
	name string
	do   func(end <-chan struct{})
	want string // of the run's failure
}

var misdeeds = []misdeed{
	{"panics", func(<-chan struct{}) { panic("crash") }, "crash"},
	{"exits its goroutine", func(<-chan struct{}) { runtime.Goexit() }, "Goexit"},
	{"blocks", func(end <-chan struct{}) { <-end }, "timed out|has not returned"},
}

// TestFunctionsThatDoNotReturnFailTheirRun has each kind of function misbehave in each
// way. Its step is retried, or not, but in the end the run has failed, and says why.
func TestFunctionsThatDoNotReturnFailTheirRun(t *testing.T) {
	few := dag.With(task.MaxRetry(1), task.Timeout(time.Minute))
	for where, build := range map[string]func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int]{
		"a step": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Do(g, workflow.NewStep("bad", func(_ context.Context, n int) (int, error) { return bad(n), nil }), in, few)
		},
		"a raw step": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			raw := workflow.Raw("bad", func(context.Context, *task.Task) error { bad(0); return nil })
			return dag.Pick(g, dag.Do(g, raw, dag.Const(g, []byte("x")), few), func([]byte) int { return 0 })
		},
		"an item": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			step := workflow.NewStep("bad", func(_ context.Context, n int) (int, error) { return bad(n), nil })
			return dag.Do(g, sum, dag.Map(g, step, dag.Const(g, []int{1, 2}), few))
		},
		"a pick before a step": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Do(g, double, dag.Pick(g, in, bad), few)
		},
		"a pick of the result": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Pick(g, dag.Do(g, double, in, few), bad)
		},
		"a join at the end": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Join2(g, dag.Do(g, double, in), dag.Do(g, double, in), func(a, _ int) int { return bad(a) })
		},
		"the condition of an if": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.If(g, dag.Pick(g, in, func(n int) bool { return bad(n) > 0 }),
				func(g *dag.Graph) dag.Val[int] { return dag.Do(g, double, in) },
				func(*dag.Graph) dag.Val[int] { return in })
		},
		"the key of a switch": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Switch(g, dag.Pick(g, in, bad), []dag.Branch[int, int]{dag.Default[int](func(*dag.Graph) dag.Val[int] { return in })})
		},
		"the list of a map": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, double, dag.Pick(g, in, func(n int) []int { return []int{bad(n)} })))
		},
		"the end of a loop": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Until(g, double, in, func(n int) bool { return bad(n) > 0 }, 3, few)
		},
		"the end of a loop of runs": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Until(g, quadruple, in, func(n int) bool { return bad(n) > 0 }, 3)
		},
		"the input of a loop": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Until(g, double, dag.Pick(g, in, bad), even, 3)
		},
		"the input of a run within": func(g *dag.Graph, in dag.Val[int], bad func(int) int) dag.Val[int] {
			return dag.Do(g, quadruple, dag.Pick(g, in, bad))
		},
	} {
		for _, m := range misdeeds {
			t.Run(fmt.Sprintf("%s %s", where, m.name), func(t *testing.T) {
				inBubble(t, func(t *testing.T, b broker.Broker) {
					end := make(chan struct{})
					once := sync.OnceFunc(func() { close(end) })
					w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
						return build(g, in, func(n int) int { m.do(end); return n })
					})
					run, err := w.Start(t.Context(), serve(t, b, w), 1)
					t.Cleanup(once) // before the server stops
					if err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
					defer cancel()
					_, err = run.Result(ctx)
					cause, ok := errors.AsType[*workflow.StepError](err)
					if !ok || !slices.ContainsFunc(strings.Split(m.want, "|"), func(w string) bool { return strings.Contains(cause.Message, w) }) {
						t.Errorf("Result() = %v, want a StepError that says %s", err, m.want)
						explain(t, b)
					}
				})
			})
		}
	}
}
