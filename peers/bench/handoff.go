package main

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// handOff measures how long it takes from the moment in which a step of a run returns
// to that in which the next begins, on a server that has nothing else to do.
func handOff(ctx context.Context, c call, s system) (r reading, err error) {
	l, ok := s.(*leat)
	if !ok {
		return reading{}, fmt.Errorf("%s has no workflows", c.System)
	}
	lag := make(chan float64, 1)
	give := workflow.NewStep("give", func(context.Context, int) (time.Time, error) { return time.Now(), nil })
	take := workflow.NewStep("take", func(_ context.Context, given time.Time) (int, error) {
		lag <- time.Since(given).Seconds()
		return 0, nil
	})
	flow := dag.New("hand-off", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, take, dag.Do(g, give, in))
	}, workflow.Queue(c.queueNames()[0]))
	mux := task.NewMux()
	workflow.Register(mux, flow)
	stop, err := l.serveWith(c, mux)
	if err != nil {
		return r, err
	}
	defer func() {
		if fault := stop(); err == nil {
			err = fault
		}
	}()
	if err := pause(ctx, c.Settle); err != nil {
		return r, err
	}
	for i := range c.Tasks {
		if err := pause(ctx, c.chance()); err != nil {
			return r, err
		}
		if _, err := flow.Start(ctx, l.client, i); err != nil {
			return r, err
		}
		if err := r.take(ctx, lag); err != nil {
			return r, err
		}
	}
	return r, nil
}

// weighRuns measures how many bytes of Redis a step takes of a run that is kept.
func weighRuns(ctx context.Context, c call, s system) (reading, error) {
	l, ok := s.(*leat)
	if !ok {
		return reading{}, fmt.Errorf("%s has no workflows", c.System)
	}
	pad := string(c.payload())
	step := workflow.NewStep("step", func(_ context.Context, text string) (string, error) { return text, nil })
	flow := dag.New("chain", func(g *dag.Graph, text dag.Val[string]) dag.Val[string] {
		for range chainLength {
			text = dag.Do(g, step, text)
		}
		return text
	}, workflow.Queue(c.queueNames()[0]))
	mux := task.NewMux()
	workflow.Register(mux, flow)
	stop, err := l.serveWith(c, mux)
	if err != nil {
		return reading{}, err
	}
	run := func(n int) error {
		inputs := make([]string, n)
		for i := range inputs {
			inputs[i] = pad
		}
		runs, err := flow.StartMany(ctx, l.client, inputs, nil)
		if err != nil {
			return err
		}
		for _, r := range runs {
			if err := r.Wait(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	if err := run(10); err != nil {
		return reading{}, err
	}
	m := newMeter(c)
	defer m.close()
	before, err := m.read(ctx)
	if err != nil {
		return reading{}, err
	}
	if err := run(c.Tasks); err != nil {
		return reading{}, err
	}
	after, err := m.read(ctx)
	if err != nil {
		return reading{}, err
	}
	each := after.redis.since(before.redis).memory / float64(c.Tasks*chainLength)
	return reading{Values: map[string]float64{weight: each}}, stop()
}
