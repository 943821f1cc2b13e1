package workflow

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A loopState is the document that says how far a loop has come. Its rounds leave
// nothing else.
type loopState struct {
	Round int    `json:"round"` // the next one
	Value []byte `json:"value"`
}

// beginLoop goes round for the first time, or on from where it has come to.
func (v *visit) beginLoop(ctx context.Context) (broker.Change, error) {
	c, n := v.writes(), v.node
	if state, _, err := v.values.outcome(ctx, n); err != nil || state != StepWaiting {
		return c, err
	}
	state := loopState{}
	d, err := v.values.document(ctx, v.loopKey(n))
	if err != nil {
		return c, err
	}
	if d.Version > 0 {
		err = json.Unmarshal(d.Body, &state)
	} else {
		state.Value, err = v.values.of(ctx, n.Deps[0])
	}
	if err != nil {
		return c, err
	}
	c.Require = append(c.Require, broker.Condition{Key: d.Key, Version: d.Version}, v.values.seen(n))
	c.Enqueue = append(c.Enqueue, v.itemEntry(n, itemPart(n, state.Round), state.Value))
	return c, nil
}

// roundOver reports whether a round of a loop that was lost is over all the same.
func (v *visit) roundOver(ctx context.Context) (bool, error) {
	if state, _, err := v.values.outcome(ctx, v.node); err != nil || state != StepWaiting {
		return true, err
	}
	d, err := v.values.document(ctx, v.loopKey(v.node))
	if err != nil || d.Version == 0 {
		return false, err
	}
	var state loopState
	err = json.Unmarshal(d.Body, &state)
	return state.Round > v.part.item, err
}

// turnLoop finds out whether the loop goes round again after this round.
func (o *stepOutcome) turnLoop(ctx context.Context) error {
	over, err := pure(ctx, o.node, func() (bool, error) { return o.node.Until(o.output) })
	switch {
	case err != nil:
		return err
	case !over && o.item+1 >= o.node.Bound:
		return fmt.Errorf("loop is not over after %d rounds: %w", o.node.Bound, task.SkipRetry)
	}
	o.turned = !over
	return nil
}

// nextRound adds to c the round after the visit's, which has given value.
func (v *visit) nextRound(c *broker.Change, value []byte) {
	next := loopState{v.item + 1, value}
	b, err := json.Marshal(next)
	if err != nil {
		panic(fmt.Sprintf("workflow: encode loop state: %v", err)) // plain values: it cannot fail
	}
	c.Put = append(c.Put, broker.Put{Key: v.loopKey(v.node), Body: b, If: broker.AnyVersion})
	if v.goesOn() {
		c.Enqueue = append(c.Enqueue, v.itemEntry(v.node, itemPart(v.node, next.Round), value))
	}
}
