package workflow_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// Steps are undone under whatever names they have, also if these look like those of
// items: the second of "add" is called "add.2".
func TestStepsAndItemsOfMapsAreUndone(t *testing.T) {
	var mu sync.Mutex
	var undone []int
	undo := workflow.NewStep("subtract", func(_ context.Context, u workflow.Undo[int, int]) (workflow.None, error) {
		mu.Lock()
		defer mu.Unlock()
		undone = append(undone, u.Input)
		return workflow.None{}, nil
	})
	add := workflow.Reversible(workflow.NewStep("add", func(_ context.Context, n int) (int, error) { return n + 1, nil }), undo)
	bad := workflow.NewStep("bad", func(context.Context, int) (int, error) { return 0, errSome }, task.MaxRetry(0))
	w := dag.New("undoes", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		n := dag.Do(g, add, dag.Do(g, add, dag.Do(g, add, in)))
		list := dag.Map(g, add, dag.Pick(g, n, func(n int) []int { return []int{n, n + 1, n + 2} }), dag.Parallel(1))
		return dag.Do(g, bad, dag.Pick(g, list, func(l []int) int { return len(l) }))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Wait(t.Context()); !errors.Is(err, workflow.ErrRunFailed) {
			t.Errorf("Wait() = %v, want ErrRunFailed", err)
		}
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff([]int{5, 4, 3, 2, 1, 0}, slices.Compact(undone)); diff != "" {
			t.Errorf("undone, in this order (-want +got):\n%s", diff)
		}
	})
}
