package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A decideHandler runs a workflow's own entries: those that feed a map, end the
// run, or fail it.
type decideHandler struct{ engine *engine }

// ProcessTask decides what its entry asks for.
func (h decideHandler) ProcessTask(ctx context.Context, t *task.Task) error {
	running, ok := queue.FromContext(ctx)
	if !ok {
		return fmt.Errorf("decide %s: no lease in the context: %w", t.Type(), task.SkipRetry)
	}
	v, err := h.engine.visit(running)
	if err != nil {
		return err
	}
	switch v.cause {
	case "expand":
		return v.expand(ctx)
	case "end":
		return v.finish(ctx)
	case "fail":
		return v.giveUp(ctx)
	case "lost":
		return v.lose(ctx)
	default:
		return fmt.Errorf("decide %s: unknown cause %q: %w", v.lease.Entry, v.cause, task.SkipRetry)
	}
}

// finish ends the run with its result.
func (v *visit) finish(ctx context.Context) error {
	var result []byte
	v.running.OnSettle(v.unlessEnded(func(s broker.Settlement) broker.Change {
		c := v.change(s)
		c.Put = []broker.Put{{Key: plan.ResultKey, Body: result, If: broker.AnyVersion}}
		v.end(&c, v.control.done(time.Now()))
		return c
	}))
	var err error
	result, err = v.values.of(ctx, v.node.Deps[0])
	return err
}

// giveUp fails the run for the reason that a step has left.
func (v *visit) giveUp(ctx context.Context) error {
	failure := StepError{Step: v.node.Name, Item: -1, Message: "failed"}
	v.running.OnSettle(v.unlessEnded(func(s broker.Settlement) broker.Change {
		c := v.change(s)
		v.end(&c, v.control.failed(time.Now(), failure))
		return c
	}))
	b, err := v.values.document(ctx, v.node.ErrorKey())
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &failure)
}

// unlessEnded returns a settle function that commits what done returns when the
// decide has succeeded, fails the run when it has failed for good, and settles
// alone when the run has ended meanwhile.
func (v *visit) unlessEnded(done func(broker.Settlement) broker.Change) queue.SettleFunc {
	return func(s broker.Settlement, refused error) broker.Change {
		if conflict, ok := errors.AsType[*broker.ConflictError](refused); ok && conflict.Document.Key == plan.ControlKey {
			c, err := decodeControl(conflict.Document)
			if err != nil || c.State.Ended() {
				return broker.Change{Settle: []broker.Settlement{s}}
			}
			v.version = conflict.Document.Version
		}
		switch s.To {
		case broker.Done, broker.Completed:
			return done(s)
		case broker.Archived:
			c := v.change(s)
			v.end(&c, v.control.failed(time.Now(), StepError{Step: v.node.Name, Item: -1, Message: s.Entry.LastErr}))
			return c
		default:
			return broker.Change{Settle: []broker.Settlement{s}}
		}
	}
}

func encodeFailure(e StepError) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("workflow: encode failure: %v", err)) // plain values: it cannot fail
	}
	return b
}
