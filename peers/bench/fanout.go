package main

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// fanOut measures a workflow that lists so many numbers, squares each in a task of
// its own, and joins them: from its start until the step after the join begins,
// with every square at hand.
func fanOut(ctx context.Context, c call, s system) (reading, error) {
	l, ok := s.(*leat)
	if !ok {
		return reading{}, fmt.Errorf("%s has no workflows", c.System)
	}
	joined := newFinish(1)
	list := workflow.NewStep("list", func(_ context.Context, n int) ([]int, error) { return make([]int, n), nil })
	square := workflow.NewStep("square", func(_ context.Context, n int) (int, error) { return n * n, nil })
	count := workflow.NewStep("count", func(_ context.Context, squares []int) (int, error) {
		joined.pass()
		return len(squares), nil
	})
	flow := dag.New("fan-out", func(g *dag.Graph, n dag.Val[int]) dag.Val[int] {
		return dag.Do(g, count, dag.Map(g, square, dag.Do(g, list, n)))
	}, workflow.Queue(c.queueNames()[0]))
	mux := task.NewMux()
	workflow.Register(mux, flow)
	stop, err := l.serveWith(c, mux)
	if err != nil {
		return reading{}, err
	}
	if err := pause(ctx, c.Settle); err != nil {
		return reading{}, err
	}
	return measure(ctx, c, c.Width, func() (func() error, error) {
		if _, err := flow.Start(ctx, l.client, c.Width); err != nil {
			return stop, err
		}
		return stop, wait(ctx, joined.done)
	})
}
