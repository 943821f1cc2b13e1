package workflow_test

import (
	"context"
	"errors"
	"testing"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

func TestALoopThatIsRetriedGoesOnWithTheRoundThatFailed(t *testing.T) {
	calls, broken := 0, true
	next := workflow.NewStep("next", func(_ context.Context, n int) (int, error) {
		if calls++; n == 3 && broken {
			return 0, task.SkipRetry
		}
		return n + 1, nil
	})
	w := dag.New("rounds", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Until(g, next, in, isSix, 10) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Wait(t.Context()); !errors.Is(err, workflow.ErrRunFailed) || calls != 4 {
			t.Fatalf("Wait() = %v after %d calls, want that the fourth fails", err, calls)
		}
		broken = false
		if err := run.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 6 || err != nil || calls != 7 {
			t.Errorf("Result() = %d, %v after %d calls in all, want 6 after 7", got, err, calls)
		}
		if err := run.RetryFrom(t.Context(), "next"); err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 6 || err != nil || calls != 13 {
			t.Errorf("Result() = %d, %v after %d calls in all, want 6 after 13", got, err, calls)
		}
	})
}

func isSix(n int) bool { return n == 6 }
