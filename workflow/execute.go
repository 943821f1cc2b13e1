package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// runStep runs the step's function on its input, and says what is committed with
// its outcome: the output, and what follows.
func (v *visit) runStep(ctx context.Context) (err error) {
	outcome := &stepOutcome{visit: v, failure: errUnfinished}
	v.running.OnSettle(outcome.settle)
	input, err := v.input(ctx)
	if err == nil {
		outcome.output, err = v.node.Spec.Call(ctx, input)
	}
	if err == nil && v.ends(v.node) {
		outcome.result, err = v.result(ctx, outcome.output)
	}
	outcome.failure = err
	return err
}

// errUnfinished is what a step has come to that has not returned.
var errUnfinished = errors.New("it has not returned")

// input returns what the step takes: a map's task carries its element, any other
// computes it from the outputs before it.
func (v *visit) input(ctx context.Context) ([]byte, error) {
	if v.index >= 0 {
		return v.lease.Entry.Payload, nil
	}
	return v.values.of(ctx, v.node.Deps[0])
}

// result returns the value that the run ends with, now that the step has output.
func (v *visit) result(ctx context.Context, output []byte) ([]byte, error) {
	v.values.known[v.node.Index] = output
	return v.values.of(ctx, v.Node(plan.EndName).Deps[0])
}

// A stepOutcome is what a step's function came to.
type stepOutcome struct {
	*visit
	output  []byte
	result  []byte // the run's, if this step ends it
	failure error  // what the step returned

	recorded bool            // the control document no longer lets anything follow
	exists   map[string]bool // entries that follow and are there already
}

// settle returns the change that records the step's settlement s. If the change
// before was refused, it returns one that takes the reason into account: the run
// goes on from what is recorded, whoever recorded it first, and a change that no
// broker takes fails the step.
func (o *stepOutcome) settle(s broker.Settlement, refused error) broker.Change {
	alone := broker.Change{Settle: []broker.Settlement{s}}
	if done := s.To == broker.Done || s.To == broker.Completed; done && o.failure != nil {
		// Between the step and the server somebody has dropped its error.
		s.To, s.Failed = broker.Archived, true
		s.Entry.LastErr = fmt.Sprintf("a middleware reports success, and the step has none: %v", o.failure)
	}
	if refused != nil {
		switch o.learn(refused) {
		case nothingLeft:
			return alone
		case impossible:
			s.To, s.Failed, s.Entry.LastErr = broker.Archived, true, refused.Error()
		}
	}
	switch s.To {
	case broker.Done, broker.Completed:
		return o.succeed(s)
	case broker.Archived:
		return o.fail(s)
	default:
		return alone
	}
}

// A lesson is what a refusal means for the next try.
type lesson int

const (
	again       lesson = iota // with what is known now
	nothingLeft               // the outcome stands in the run already, or the run has gone
	impossible                // no broker takes this change
)

// learn takes in why the last change was refused.
func (o *stepOutcome) learn(refused error) lesson {
	if exists, ok := errors.AsType[*broker.ExistsError](refused); ok && exists.Latch == "" {
		if o.exists == nil {
			o.exists = make(map[string]bool)
		}
		o.exists[exists.Entry.ID] = true
		return again
	}
	conflict, ok := errors.AsType[*broker.ConflictError](refused)
	if !ok {
		return impossible
	}
	if conflict.Document.Key != plan.ControlKey {
		return nothingLeft
	}
	c, err := decodeControl(conflict.Document)
	if err != nil {
		return nothingLeft
	}
	o.version, o.recorded = conflict.Document.Version, c.State.Ended()
	return again
}

// succeed records the output and starts what follows, or ends the run. In a run
// that has ended meanwhile the output is recorded and nothing follows.
func (o *stepOutcome) succeed(s broker.Settlement) broker.Change {
	c := o.change(s)
	if o.index >= 0 {
		c.Put = []broker.Put{{Key: o.node.ItemKey(o.index), Body: o.output}}
	} else {
		c.Put = []broker.Put{{Key: o.node.Name, Body: o.output}}
	}
	switch {
	case o.recorded:
	case o.index >= 0:
		c.Arrive = []broker.Arrival{{Latch: o.node.Name, Member: o.index}}
	case o.ends(o.node):
		c.Put = append(c.Put, broker.Put{Key: plan.ResultKey, Body: o.result})
		o.end(&c, o.control.done(time.Now()))
	default:
		next := o.follow(o.node)
		c.Enqueue, c.Arrive = o.missing(next.Enqueue), next.Arrive
	}
	return c
}

// fail records why the step failed for good. A map's item marks its arrival; any
// other step has the run failed.
func (o *stepOutcome) fail(s broker.Settlement) broker.Change {
	c := o.change(s)
	if o.recorded {
		c.Require = nil
		return c
	}
	failure := encodeFailure(StepError{Step: o.node.Name, Item: o.index, Message: s.Entry.LastErr})
	c.Put = []broker.Put{{Key: o.node.ErrorKey(), Body: failure, If: broker.AnyVersion}}
	if o.index >= 0 {
		c.Arrive = []broker.Arrival{{Latch: o.node.Name, Member: o.index, Mark: true}}
		return c
	}
	c.Enqueue = o.missing([]broker.Entry{o.failed(o.node)})
	return c
}

// missing returns the entries that are not known to exist.
func (o *stepOutcome) missing(entries []broker.Entry) []broker.Entry {
	if o.exists == nil {
		return entries
	}
	var rest []broker.Entry
	for _, e := range entries {
		if !o.exists[e.ID] {
			rest = append(rest, e)
		}
	}
	return rest
}
