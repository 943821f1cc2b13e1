package workflow_test

import (
	"context"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A step outside of an arm that only the arm takes is waited for, although the arm is
// not taken; its failure counts as the arm says, if that is taken.
func TestARunWaitsForWhatOnlyAnArmTakes(t *testing.T) {
	build := func(outside workflow.Step[int, int], then bool) flow {
		return dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			out := dag.Do(g, outside, in)
			return dag.If(g, dag.Const(g, then),
				func(g *dag.Graph) dag.Val[int] {
					return dag.Pick(g, dag.Try(g, dag.Do(g, double, dag.Pick(g, dag.Try(g, out), mark))), mark)
				},
				func(*dag.Graph) dag.Val[int] { return in })
		})
	}
	hour := workflow.NewStep("hour", func(_ context.Context, n int) (int, error) { time.Sleep(10 * time.Minute); return n, nil })
	for name, c := range map[string]struct {
		w        flow
		in, want int
		took     time.Duration
	}{
		"the arm is not taken":                 {build(hour, false), 3, 3, 10 * time.Minute},
		"the arm is taken":                     {build(hour, true), 3, 6, 10 * time.Minute},
		"the arm is taken, and looks":          {build(choosy, true), 3, -2, 0},
		"the arm is not taken, and would look": {build(choosy, false), 3, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				began := time.Now()
				run, err := c.w.Start(t.Context(), serve(t, b, c.w), c.in)
				if err != nil {
					t.Fatal(err)
				}
				comesTo(t, run, c.want)
				if took := time.Since(began); took < c.took {
					t.Errorf("the run ended after %v, before its step", took)
				}
			})
		})
	}
}
