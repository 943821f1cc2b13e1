package main

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// chainLength is how many steps a chain has.
const chainLength = 5

// chain measures how fast the steps of many chains are run, from the start of the
// server, before which all chains are started, until the last has been recorded.
func chain(ctx context.Context, c call, s system) (reading, error) {
	if l, ok := s.(*leat); ok {
		return chainInWorkflow(ctx, c, l)
	}
	return chainByHand(ctx, c, s)
}

// chainByHand has the handler of each step enqueue the next.
func chainByHand(ctx context.Context, c call, s system) (reading, error) {
	chains := c.orders(c.Tasks)
	for i := range chains {
		chains[i].payload[0] = 1
	}
	if err := fill(ctx, s, chains); err != nil {
		return reading{}, err
	}
	f := newFinish(c.Tasks)
	return f.measure(ctx, c, s, func() (func() error, error) {
		return s.serve(c, func(ctx context.Context, payload []byte) error {
			if payload[0] == chainLength {
				f.pass()
				return nil
			}
			payload[0]++
			return s.enqueue(ctx, order{queue: c.queueNames()[0], payload: payload})
		})
	})
}

// chainInWorkflow runs the chains as runs of a workflow.
func chainInWorkflow(ctx context.Context, c call, l *leat) (reading, error) {
	f := newFinish(c.Tasks)
	pad := string(c.payload())
	step := workflow.NewStep("step", func(_ context.Context, text string) (string, error) { return text, nil })
	last := workflow.NewStep("last", func(_ context.Context, text string) (string, error) {
		f.pass()
		return text, nil
	})
	flow := dag.New("chain", func(g *dag.Graph, text dag.Val[string]) dag.Val[string] {
		for range chainLength - 1 {
			text = dag.Do(g, step, text)
		}
		return dag.Do(g, last, text)
	}, workflow.Queue(c.queueNames()[0]))
	err := together(fillGoroutines, c.Tasks, func() error {
		_, err := flow.Start(ctx, l.client, pad)
		return err
	})
	if err != nil {
		return reading{}, fmt.Errorf("start runs: %w", err)
	}
	mux := task.NewMux()
	workflow.Register(mux, flow)
	return f.measure(ctx, c, l, func() (func() error, error) { return l.serveWith(c, mux) })
}

// measure reads what a step costs from serve on until all chains have finished and
// everything has been recorded.
func (f *finish) measure(ctx context.Context, c call, s system, serve func() (func() error, error)) (reading, error) {
	return measure(ctx, c, c.Tasks*chainLength, func() (func() error, error) {
		stop, err := serve()
		if err != nil {
			return nil, err
		}
		if err := wait(ctx, f.done); err != nil {
			return nil, err
		}
		return stop, settled(ctx, s, c.queueNames())
	})
}
