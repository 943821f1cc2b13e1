package workflow

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// verdict says what has come of the value of node i: StepDone if it can be
// computed, StepWaiting if something that it needs has no outcome yet, or else
// why it never will be.
func (v *values) verdict(ctx context.Context, i int) (StepState, *StepError, error) {
	switch n := v.Nodes[i]; n.Kind {
	case plan.Input, plan.Const:
		return StepDone, nil, nil
	case plan.Bind, plan.Stream:
		return v.worst(ctx, n.Deps)
	case plan.Try:
		state, _, err := v.verdict(ctx, n.Deps[0])
		if state != StepWaiting {
			state = StepDone
		}
		return state, nil, err
	case plan.Merge:
		return v.mergeVerdict(ctx, n)
	default:
		return v.outcome(ctx, n)
	}
}

func (v *values) mergeVerdict(ctx context.Context, n *plan.Node) (StepState, *StepError, error) {
	choice := v.Nodes[n.Deps[0]]
	state, failure, err := v.outcome(ctx, choice)
	if err != nil || state != StepDone {
		return state, failure, err
	}
	arm, err := v.chosen(ctx, choice)
	if err != nil {
		return StepWaiting, nil, err
	}
	return v.verdict(ctx, n.Deps[1+arm])
}

// worst returns what has come of several values together: a failure counts more
// than a skip, and both more than that something is not known.
func (v *values) worst(ctx context.Context, deps []int) (StepState, *StepError, error) {
	worst, why := StepDone, (*StepError)(nil)
	for _, d := range deps {
		state, failure, err := v.verdict(ctx, d)
		if err != nil {
			return StepWaiting, nil, err
		}
		if weight(state) > weight(worst) {
			worst, why = state, failure
		}
	}
	return worst, why, nil
}

func weight(s StepState) int {
	switch {
	case s == StepDone:
		return 0
	case s.bad():
		return 3
	case s == StepSkipped:
		return 2
	default:
		return 1
	}
}

// seen returns the condition that nothing has come of n since that was looked at.
func (v *values) seen(n *plan.Node) broker.Condition {
	key := v.key(n)
	return broker.Condition{Key: key, Version: v.read[key].Version}
}

// outcome returns what has come of a node that settles. StepWaiting: nothing yet.
func (v *values) outcome(ctx context.Context, n *plan.Node) (StepState, *StepError, error) {
	if _, ok := v.known[n.Index]; ok {
		return StepDone, nil, nil // its outcome may be about to be recorded
	}
	r, ok, err := v.recorded(ctx, v.key(n))
	switch {
	case err != nil:
		return StepWaiting, nil, err
	case ok && r.state.bad():
		return r.state, r.failure(), nil
	case ok:
		return r.state, nil, nil
	case n.Kind == plan.Map:
		return v.mapOutcome(ctx, n)
	}
	return StepWaiting, nil, nil
}

// mapOutcome returns what has come of a map that nothing is recorded of: that its
// items are done is for their latch to say.
func (v *values) mapOutcome(ctx context.Context, n *plan.Node) (StepState, *StepError, error) {
	m, begun, err := v.mapped(ctx, n)
	if err != nil || !begun {
		return StepWaiting, nil, err
	}
	latches, err := v.broker.Latches(ctx, v.home, itemLatch(n, m.Epoch))
	if err != nil {
		return StepWaiting, nil, fmt.Errorf("latch of %s: %w", n, err)
	}
	switch l := latches[0]; {
	case !l.Complete:
		return StepWaiting, nil, nil
	case l.Marked > tolerated(n, m.Width):
		failure, err := v.mapFailure(ctx, n, m.Width, l.Marked)
		return StepFailed, failure, err
	}
	return StepDone, nil, nil
}

// mapFailure returns why a map has failed: the first of its items that has.
func (v *values) mapFailure(ctx context.Context, n *plan.Node, width, failed int) (*StepError, error) {
	var first *StepError
	var of StepState
	err := v.eachItem(ctx, n, width, func(_ int, r record, ok bool) error {
		if ok && r.state.bad() && (first == nil || of == StepCancelled && r.state == StepFailed) {
			first, of = r.failure(), r.state
		}
		return nil
	})
	if first == nil {
		first = &StepError{Step: n.Name, Item: -1, Message: "failed"}
	}
	if failed > 1 {
		first.Message += fmt.Sprintf(" (and %d more items of %d)", failed-1, width)
	}
	return first, err
}

// ready says whether n may begin, or why it never will. It looks at what n really
// needs, while the marks of a latch only say that something has failed.
func (v *values) ready(ctx context.Context, n *plan.Node) (StepState, *StepError, error) {
	if err := v.load(ctx, v.reads(n)...); err != nil {
		return StepWaiting, nil, err
	}
	if state, failure, err := v.taken(ctx, n); err != nil || state != StepDone {
		return state, failure, err
	}
	state, failure, err := v.worst(ctx, append(n.After[:len(n.After):len(n.After)], n.Deps...))
	if err != nil || n.Kind != plan.End || state != StepDone {
		return state, failure, err
	}
	return v.sinks(ctx, n)
}

// taken says whether the arm that n is on was taken.
func (v *values) taken(ctx context.Context, n *plan.Node) (StepState, *StepError, error) {
	if n.Guard == nil {
		return StepDone, nil, nil
	}
	choice := v.Nodes[n.Guard.Choice]
	state, failure, err := v.outcome(ctx, choice)
	if err != nil || state != StepDone {
		return state, failure, err
	}
	arm, err := v.chosen(ctx, choice)
	if err == nil && arm != n.Guard.Arm {
		state = StepSkipped
	}
	return state, nil, err
}

// sinks says what has come of the nodes that only the end waits for.
func (v *values) sinks(ctx context.Context, end *plan.Node) (StepState, *StepError, error) {
	worst, why := StepDone, (*StepError)(nil)
	for _, e := range end.Sources {
		state, failure, err := v.outcome(ctx, v.Nodes[e.Node])
		if err != nil {
			return StepWaiting, nil, err
		}
		tolerated := e.Maybe || e.Skipped && state == StepSkipped || e.Failed && state.bad()
		if !tolerated && weight(state) > weight(worst) {
			worst, why = state, failure
		}
	}
	return worst, why, nil
}
