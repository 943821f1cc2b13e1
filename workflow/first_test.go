package workflow_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

var (
	prompt  = workflow.NewStep("prompt", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	tardy   = workflow.NewStep("tardy", func(_ context.Context, n int) (int, error) { time.Sleep(5 * time.Second); return n + 2, nil })
	later   = workflow.NewStep("later", func(_ context.Context, n int) (int, error) { time.Sleep(time.Minute); return n + 2, nil })
	hapless = workflow.NewStep("hapless", func(context.Context, int) (int, error) { return 0, task.SkipRetry })
)

// What is first on an arm of a choice, or after something else, is so only once that
// is known.
func TestFirstWaitsForWhatItNeedsBesides(t *testing.T) {
	isOdd := func(n int) bool { return n%2 == 1 }
	doneOr := func(o workflow.Outcome[int]) int {
		if o.Failure != nil {
			return -1
		}
		return o.Value
	}
	first := func(g *dag.Graph, opts []dag.Option, vals ...dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, dag.Try(g, dag.First(g, vals, opts...)), doneOr)
	}
	onArm := func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		a, b := dag.Do(g, prompt, in), dag.Do(g, later, in)
		late := dag.Pick(g, dag.Do(g, tardy, in, dag.As("late")), isOdd)
		return dag.If(g, late, func(g *dag.Graph) dag.Val[int] { return dag.Do(g, double, first(g, nil, a, b)) },
			func(*dag.Graph) dag.Val[int] { return in })
	}
	for name, c := range map[string]struct {
		build    func(*dag.Graph, dag.Val[int]) dag.Val[int]
		in, want int
	}{
		"on an arm that is taken":     {onArm, 1, 4},
		"on an arm that is not taken": {onArm, 2, 2},
		"after something slow": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return first(g, []dag.Option{dag.After(dag.Do(g, tardy, in))}, dag.Do(g, prompt, in), dag.Do(g, hapless, in))
		}, 1, 2},
		"after something that fails": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return first(g, []dag.Option{dag.After(dag.Do(g, hapless, in))}, dag.Do(g, prompt, in), dag.Do(g, tardy, in))
		}, 1, -1},
		"after something, and none is done": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return first(g, []dag.Option{dag.After(dag.Do(g, tardy, in))}, dag.Do(g, hapless, in), dag.Do(g, hapless, in, dag.As("other")))
		}, 1, -1},
		"after one of them": {func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			a := dag.Do(g, tardy, in)
			return first(g, []dag.Option{dag.After(a)}, dag.Do(g, prompt, in), a)
		}, 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				wantValue(t, b, dag.New("first-of", c.build), c.in, c.want)
			})
		})
	}
}

// A run that closes is not closed anew by what was still to find out which is first.
func TestARunThatIsCancelledWhileItLooksForTheFirstIsCancelled(t *testing.T) {
	w := dag.New("in-vain", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.First(g, []dag.Val[int]{dag.Do(g, hapless, in), dag.Do(g, hapless, in, dag.As("other"))})
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		var deaf atomic.Bool
		deaf.Store(true)
		serve(t, brokertest.Faulty(b, func(_ int, method string) brokertest.Fault {
			if deaf.Load() && method == "Documents" {
				return brokertest.Fault{Before: errFault}
			}
			return brokertest.Fault{}
		}), w)
		run, err := w.Start(t.Context(), queue.NewClient(b), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if err := run.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		deaf.Store(false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if e, ok := errors.AsType[*workflow.RunError](run.Wait(ctx)); !ok || e.State != workflow.Cancelled {
			t.Errorf("Wait() = %v, want that the run is cancelled", e)
		}
	})
}

// What only an arm needs that is not taken may fail.
func TestAFailureThatNoArmNeedsFailsNoRun(t *testing.T) {
	w := dag.New("unneeded", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		bad := dag.Do(g, hapless, in)
		late := dag.Pick(g, dag.Do(g, tardy, in), func(n int) bool { return n > 10 })
		return dag.If(g, late, func(g *dag.Graph) dag.Val[int] { return dag.Do(g, double, bad) },
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, prompt, in) })
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := wantValue(t, b, w, 1, 2)
		run, err := w.Start(t.Context(), c, 10)
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Result(t.Context())
		if step, ok := errors.AsType[*workflow.StepError](err); !ok || step.Step != "hapless" {
			t.Errorf("Result() where the arm is taken = %v, want the failure of hapless", err)
		}
	})
}

// wantValue serves w, demands what a run of it comes to, and returns the client.
func wantValue(t *testing.T, b broker.Broker, w workflow.Workflow[int, int], in, want int) *queue.Client {
	t.Helper()
	c := serve(t, b, w)
	run, err := w.Start(t.Context(), c, in)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if got, err := run.Result(ctx); got != want || err != nil {
		t.Errorf("Result() of %d = %d, %v, want %d", in, got, err, want)
	}
	return c
}
