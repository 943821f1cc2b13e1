package stock

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
)

// A position is how one of the small runs stands.
type position struct {
	id    string
	flow  workflow.Workflow[order, string]
	goes  string
	state workflow.State
	step  string // that is under way; "": none
	then  func(workflow.Handle, context.Context) error
}

var positions = []position{
	{id: "reorder-1001", flow: quick, state: workflow.Done},
	{id: "reorder-1002", flow: quick, state: workflow.Done},
	{id: "reorder-1003", flow: quick, goes: "declined", state: workflow.Failed},
	{id: "reorder-1004", flow: quick, goes: "debit", state: workflow.Running, step: "debit"},
	{id: "reorder-1005", flow: quick, state: workflow.Done},
	{id: "order-2001", flow: orders, state: workflow.Running, step: "approval"},
	{id: "order-2002", flow: orders, goes: "price", state: workflow.Running, step: "price"},
	{id: "order-2003", flow: orders, state: workflow.Paused, step: "approval", then: workflow.Handle.Pause},
	{id: "order-2004", flow: orders, state: workflow.Cancelled, step: "approval", then: workflow.Handle.Cancel},
	{id: "order-2005", flow: orders, state: workflow.Running, step: "approval"},
}

func (p position) start(ctx context.Context, c *queue.Client) error {
	in := order{Number: p.id, Customer: 17, Lines: []string{"tea", "cup", "pot"}, Goes: p.goes}
	run, err := p.flow.Start(ctx, c, in, workflow.RunID(p.id), workflow.Attribute("customer", "17"))
	if err != nil || p.then == nil {
		return err
	}
	if err := awaitStep(ctx, run.Handle, p.step, 0); err != nil {
		return err
	}
	return p.then(run.Handle, ctx)
}

// await waits until the run stands as it is to stand.
func (p position) await(ctx context.Context, c *queue.Client) error {
	h := workflow.OpenRun(c, flowQueue, p.id)
	if p.state != workflow.Running {
		return until(ctx, func() (bool, error) {
			s, err := h.Status(ctx)
			return s.State == p.state, err
		})
	}
	return awaitStep(ctx, h, p.step, 0)
}

// awaitStep waits until a step is the only one of a run that is under way, and so many of
// its tasks have ended.
func awaitStep(ctx context.Context, h workflow.Handle, name string, ended int) error {
	return until(ctx, func() (bool, error) {
		s, err := h.Status(ctx)
		if err != nil {
			return false, err
		}
		var under []workflow.StepStatus
		for _, step := range s.Steps {
			if step.State == workflow.StepRunning || step.State == workflow.StepWaiting && isReady(s, step) {
				under = append(under, step)
			}
		}
		return len(under) == 1 && under[0].Name == name && under[0].State == workflow.StepRunning && under[0].Ended >= ended, nil
	})
}

// isReady reports whether all that a step waits for has ended.
func isReady(s workflow.Status, step workflow.StepStatus) bool {
	for _, before := range s.Steps {
		if slices.Contains(step.After, before.Name) && !before.State.Ended() {
			return false
		}
	}
	return true
}

// patience is how long a run may take to stand where it is to stand.
const patience = time.Minute

// until waits until holds is true.
func until(ctx context.Context, holds func() (bool, error)) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for began := time.Now(); ; {
		ok, err := holds()
		switch {
		case ok || err != nil:
			return err
		case time.Since(began) > patience:
			return fmt.Errorf("it does not stand as it should after %v", patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
}
