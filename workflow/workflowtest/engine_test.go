package workflowtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
	"github.com/leatwork/leat/workflow/workflowtest"
)

var (
	read   = workflow.NewStep("read", func(_ context.Context, name string) (int, error) { return len(name), nil }, task.Queue("files"))
	double = workflow.NewStep("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	unread = workflow.NewStep("unread", func(context.Context, workflow.Undo[string, int]) (workflow.None, error) { return workflow.None{}, nil }, task.Queue("undoes"))
	other  = workflow.NewStep("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	goOn   = workflow.NewSignal[int]("go-on")

	inner = dag.New("inner", func(g *dag.Graph, in dag.Val[string]) dag.Val[int] {
		return dag.Do(g, workflow.Reversible(read, unread), in, dag.As("look"))
	})
	outer = dag.New("outer", func(g *dag.Graph, in dag.Val[string]) dag.Val[int] {
		n := dag.Do(g, double, dag.Do(g, inner, in))
		more := dag.AwaitOr(g, goOn, time.Minute, 1000, dag.After(n))
		return dag.Join2(g, n, more, func(a, b int) int { return a + b })
	})
	each = dag.New("each", func(g *dag.Graph, in dag.Val[[]int]) dag.Val[[]int] { return dag.Map(g, double, in) })
)

func TestADayIsOverAtOnce(t *testing.T) {
	day := dag.New("day", func(g *dag.Graph, in dag.Val[string]) dag.Val[int] {
		return dag.Do(g, inner, in, dag.After(dag.Sleep(g, 24*time.Hour)))
	})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		e := workflowtest.New(t, day)
		run, err := day.Start(t.Context(), e.Client(), "abc")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := run.Result(t.Context()); n != 3 || err != nil {
			t.Errorf("Result() = %d, %v, want 3", n, err)
		}
		if took := time.Since(began); took < 24*time.Hour || took > 25*time.Hour {
			t.Errorf("it took %v, want a day", took)
		}
	})
}

func TestASignalIsSentWhenTheTestSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, outer)
		run, err := outer.Start(t.Context(), e.Client(), "abc")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Second)
		if err := goOn.Send(t.Context(), run, 4); err != nil {
			t.Fatal(err)
		}
		if n, err := run.Result(t.Context()); n != 10 || err != nil {
			t.Errorf("Result() = %d, %v, want 10", n, err)
		}
	})
}

func TestAMockStandsInForAStepWhereverItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, outer)
		workflowtest.Mock(e, read, func(context.Context, string) (int, error) {
			if e.Calls(read) == 1 {
				return 0, errors.New("not yet")
			}
			return 50, nil
		})
		run, err := outer.Start(t.Context(), e.Client(), "abc")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := run.Result(t.Context()); n != 1100 || err != nil {
			t.Errorf("Result() = %d, %v, want 1100", n, err)
		}
		if r, d := e.Calls(read), e.Calls(double); r != 2 || d != 1 {
			t.Errorf("the steps were called %d times and %d times, want 2 and 1", r, d)
		}
	})
}

func TestAMockOfOneEngineIsNoneOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mocked := workflowtest.New(t, each)
		workflowtest.Mock(mocked, double, func(context.Context, int) (int, error) { return 0, nil })
		run, err := each.Start(t.Context(), workflowtest.New(t, each).Client(), []int{21})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); err != nil || got[0] != 42 {
			t.Errorf("Result() = %v, %v, want 42", got, err)
		}
	})
}

func TestAnUndoIsServedAndMocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, inner)
		var undone string
		workflowtest.Mock(e, unread, func(_ context.Context, u workflow.Undo[string, int]) (workflow.None, error) {
			undone = u.Input
			return workflow.None{}, nil
		})
		workflowtest.Mock(e, read, func(ctx context.Context, _ string) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		run, err := inner.Start(t.Context(), e.Client(), "abc", workflow.RunDeadline(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		err = run.Wait(t.Context())
		failure, ok := errors.AsType[*workflow.RunError](err)
		if !ok || failure.State != workflow.TimedOut || undone != "abc" {
			t.Errorf("Wait() = %v, and %q was undone; want it timed out and abc", err, undone)
		}
	})
}

func TestWhatTheWorkflowsDoNotHaveIsRefused(t *testing.T) {
	for name, f := range map[string]func(*workflowtest.Engine){
		"mock of a step of that name":  func(e *workflowtest.Engine) { workflowtest.Mock(e, other, nil) },
		"mock of a step not there":     func(e *workflowtest.Engine) { workflowtest.Mock(e, read, nil) },
		"calls of a step of that name": func(e *workflowtest.Engine) { e.Calls(other) },
		"crash before":                 func(e *workflowtest.Engine) { e.CrashBefore("read") },
		"crash after":                  func(e *workflowtest.Engine) { e.CrashAfter("") },
	} {
		synctest.Test(t, func(t *testing.T) {
			said := &recorder{TB: t}
			e := workflowtest.New(said, each)
			said.during(func() { f(e) })
			said.want(t, name, "do not have step")
		})
	}
}

func TestABatchedStepIsMockedInputByInput(t *testing.T) {
	batched := workflow.Batched("batched", workflow.Batch{MaxSize: 10, MaxWait: time.Second}, func(context.Context, []int) ([]workflow.Result[int], error) {
		return nil, errors.New("not mocked")
	})
	w := dag.New("batches", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, batched, in) })
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, w)
		workflowtest.Mock(e, batched, func(_ context.Context, n int) (int, error) { return 2 * n, nil })
		e.CrashBefore("batched")
		for i := range 3 {
			run, err := w.Start(t.Context(), e.Client(), i)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := run.Result(t.Context()); n != 2*i || err != nil {
				t.Errorf("Result() = %d, %v, want %d", n, err, 2*i)
			}
		}
	})
}
