package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// maxTogether is how many runs are started in one commit of the storage.
const maxTogether = 100

// StartMany starts a run for each of inputs, a hundred in one trip. opts holds for all
// of them; ids, if it is not nil, gives each its id, as [RunID] does. The runs are
// returned in the order of the inputs.
//
// It stops at the first that cannot be started, and returns those before it with the
// error of [Workflow.Start]; of those behind it in the same hundred some may have been
// started: starting them again with their ids tells.
func (w Workflow[In, Out]) StartMany(ctx context.Context, c *queue.Client, inputs []In, ids []string, opts ...StartOption) ([]Run[Out], error) {
	runs, err := w.startMany(ctx, c, inputs, ids, opts)
	if err != nil {
		return runs, fmt.Errorf("start %s, number %d of %d: %w", w.plan.Name, len(runs), len(inputs), err)
	}
	return runs, nil
}

func (w Workflow[In, Out]) startMany(ctx context.Context, c *queue.Client, inputs []In, ids []string, opts []StartOption) (runs []Run[Out], err error) {
	switch {
	case c == nil:
		return nil, task.Invalid("client", nil, "must not be nil")
	case ids != nil && len(ids) != len(inputs):
		return nil, task.Invalid("ids", len(ids), fmt.Sprintf("must be as many as the %d inputs", len(inputs)))
	}
	launches := make([]launch, len(inputs))
	for i, in := range inputs {
		if launches[i], err = w.launch(c, in, idOf(ids, i), opts); err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	if err := storePlan(ctx, c.Broker(), w.plan); err != nil {
		return nil, err
	}
	for from := 0; from < len(launches); from += maxTogether {
		found, err := w.startTogether(ctx, c, launches[from:min(from+maxTogether, len(launches))])
		if runs = append(runs, found...); err != nil {
			return runs, err
		}
	}
	return runs, nil
}

func idOf(ids []string, i int) string {
	if ids == nil {
		return uuid.NewString()
	}
	return ids[i]
}

// startTogether begins runs in one call of the broker; those whose ids are taken are
// looked at one by one.
func (w Workflow[In, Out]) startTogether(ctx context.Context, c *queue.Client, launches []launch) (runs []Run[Out], err error) {
	changes := make([]broker.Change, len(launches))
	started := make([]func(error), len(launches))
	for i := range launches {
		launches[i], started[i] = launches[i].announced(ctx)
		changes[i] = launches[i].change()
	}
	applied, err := c.Broker().Apply(ctx, time.Now(), changes, broker.LeaseRequest{})
	switch {
	case errors.Is(err, broker.ErrRefused):
	case err != nil, len(applied.Outcomes) != len(changes):
		err = fmt.Errorf("%w: %w", queue.ErrUnknown, err)
	}
	if err != nil {
		for _, told := range started {
			told(err)
		}
		return nil, err
	}
	for i, outcome := range applied.Outcomes {
		launches[i].concluded(ctx, started[i], outcome)
	}
	for i, outcome := range applied.Outcomes {
		run := w.Open(c, launches[i].home.ID)
		if outcome != nil {
			if run.Existed, err = launches[i].ensure(ctx, c.Broker()); err != nil {
				return runs, err
			}
		}
		runs = append(runs, run)
	}
	return runs, nil
}
