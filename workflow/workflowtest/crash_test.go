package workflowtest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
	"github.com/leatwork/leat/workflow/workflowtest"
)

func TestACrashBeforeACommitHasTheStepRunAgain(t *testing.T) {
	for _, c := range []struct {
		what   string
		crash  func(*workflowtest.Engine)
		reads  int
		writes int
	}{
		{"none", func(*workflowtest.Engine) {}, 1, 1},
		{"before", func(e *workflowtest.Engine) { e.CrashBefore("look") }, 2, 1},
		{"after", func(e *workflowtest.Engine) { e.CrashAfter("look") }, 1, 1},
		{"before, by the step's own name", func(e *workflowtest.Engine) { e.CrashBefore("read") }, 2, 1},
		{"twice", func(e *workflowtest.Engine) { e.CrashBefore("look"); e.CrashBefore("look") }, 3, 1},
		{"both", func(e *workflowtest.Engine) { e.CrashAfter("look"); e.CrashBefore("double") }, 1, 2},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := workflowtest.New(t, outer)
				c.crash(e)
				run, err := outer.Start(t.Context(), e.Client(), "abc")
				if err != nil {
					t.Fatal(err)
				}
				if n, err := run.Result(t.Context()); n != 1006 || err != nil {
					t.Errorf("Result() = %d, %v, want 1006", n, err)
				}
				if r, w := e.Calls(read), e.Calls(double); r != c.reads || w != c.writes {
					t.Errorf("the steps were called %d times and %d times, want %d and %d", r, w, c.reads, c.writes)
				}
			})
		})
	}
}

func TestACrashThatHasNotComeFailsTheTest(t *testing.T) {
	var said *recorder
	synctest.Test(t, func(t *testing.T) {
		said = &recorder{TB: t}
		e := workflowtest.New(said, each)
		e.CrashAfter("double")
	})
	said.want(t, "nothing was run", "after double has not come")
}

func TestAMapsItemMayCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := workflowtest.New(t, each)
		e.CrashBefore("double")
		run, err := each.Start(t.Context(), e.Client(), []int{1, 2, 3, 4})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); err != nil || !slices.Equal(got, []int{2, 4, 6, 8}) {
			t.Errorf("Result() = %v, %v, want 2 4 6 8", got, err)
		}
		if n := e.Calls(double); n < 5 {
			t.Errorf("the step was called %d times, want 5 at least", n)
		}
	})
}

// A workflow with something of everything that commits in its own way.
var (
	fails = workflow.NewStep("fails", func(context.Context, int) (int, error) { return 0, errors.New("no") }, task.MaxRetry(1))
	all   = dag.New("all", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		list := dag.Map(g, double, dag.Pick(g, in, func(n int) []int { return make([]int, n) }), dag.As("items"))
		long := dag.Pick(g, list, func(l []int) bool { return len(l) > 2 })
		either := dag.If(g, long, func(g *dag.Graph) dag.Val[int] {
			return dag.Do(g, inner, dag.Const(g, "abc"))
		}, func(g *dag.Graph) dag.Val[int] { return dag.Const(g, 0) })
		late := dag.AwaitOr(g, goOn, time.Minute, 7, dag.After(either))
		return dag.Do(g, fails, late)
	})
)

func TestARunBearsACrashAnywhere(t *testing.T) {
	workflowtest.CrashEverywhere(t, func(t *testing.T, e *workflowtest.Engine) {
		run, err := all.Start(t.Context(), e.Client(), 3)
		if err != nil {
			t.Fatal(err)
		}
		err = run.Wait(t.Context())
		failure, _ := errors.AsType[*workflow.StepError](err)
		if failure == nil || failure.Step != "fails" || failure.Message != "no" {
			t.Errorf("Wait() = %v, want what fails says", err)
		}
		faults, err := e.Client().Broker().(broker.Verifier).Verify(t.Context(), time.Now())
		if len(faults) > 0 || err != nil {
			t.Errorf("Verify() = %q, %v, want nothing", faults, err)
		}
	}, all)
}

func TestCrashEverywhereHasAStepRunAgain(t *testing.T) {
	calls := make(map[int]int) // engines, by how often the step ran on them
	workflowtest.CrashEverywhere(t, func(t *testing.T, e *workflowtest.Engine) {
		run, err := each.Start(t.Context(), e.Client(), []int{1})
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		calls[e.Calls(double)]++
	}, each)
	if len(calls) != 2 || calls[2] != 1 {
		t.Errorf("engines by calls of the step: %v, want one of 2, and others of 1", calls)
	}
}
