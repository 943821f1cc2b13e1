package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// This file carries out runs within runs: a step that is another workflow. The
// run within has a home of its own, beside that of its own workflow, and an id
// that begins with its parent's. In the parent an entry stands for it, which begins
// it, looks after it now and then, and ends it if the parent closes. The commit that
// ends it tells the parent.

// MaxDepth is how deep runs may be within runs.
const MaxDepth = 16

// How often an entry looks after the run that it stands for, in case that nobody
// tells of its end.
const childLook = time.Minute

// childHome is the home of the run that the visit's entry stands for: one of its own in
// each epoch, so that a step that is tried again begins its run anew.
func (v *visit) childHome(p *plan.Plan) broker.Home {
	return broker.Home{Queue: p.Queue, ID: v.root() + v.name}
}

// tendChild begins the run that the entry stands for, looks whether it has ended, or
// ends it.
func (v *visit) tendChild(ctx context.Context) (broker.Change, error) {
	spec, ok := v.Specs[v.node.Unit.Type]
	if !ok {
		return broker.Change{}, fmt.Errorf("workflow %s is not registered: %w", v.node.Unit.Type, task.SkipRetry)
	}
	outcome, err := v.unsettled(ctx)
	if err != nil {
		return broker.Change{}, err
	}
	v.running.OnSettle(func(s broker.Settlement, refused error) broker.Change { return v.doze(outcome, s, refused) })
	child := v.childHome(spec.Plan)
	docs, err := v.running.Broker().Documents(ctx, child, controlKey) // after the outcome
	if err != nil {
		return broker.Change{}, fmt.Errorf("look after run %s: %w", child.ID, err)
	}
	c, err := decodeControl(docs[0])
	closing := v.control.State == Closing
	switch {
	case errors.Is(err, ErrRunNotFound) && closing:
		return v.writes(), nil
	case errors.Is(err, ErrRunNotFound):
		if err := v.beginChild(ctx, spec.Plan, child); err != nil {
			return broker.Change{}, err
		}
	case err != nil:
		return broker.Change{}, fmt.Errorf("run %s: %w", child.ID, err)
	case c.State.Ended():
		return v.joinChild(ctx)
	case closing && c.State.open():
		if err := v.handle(child).Cancel(ctx); err != nil && !errors.Is(err, ErrRunState) {
			return broker.Change{}, err
		}
	}
	return broker.Change{}, fmt.Errorf("run %s goes on: %w", child.ID, task.Snooze(childLook))
}

// handle returns a run within this one.
func (v *visit) handle(home broker.Home) Handle {
	return Handle{ID: home.ID, home: home, broker: v.running.Broker()}
}

// unsettled returns the condition that what the entry stands for has not been recorded
// since, as far as it is now.
func (v *visit) unsettled(ctx context.Context) ([]broker.Condition, error) {
	keys := []string{v.unitKey(v.node, v.item)}
	if v.node.Kind == plan.Loop {
		keys = []string{v.key(v.node), v.loopKey(v.node)}
	}
	if err := v.values.load(ctx, keys...); err != nil {
		return nil, err
	}
	var outcome []broker.Condition
	for _, key := range keys {
		outcome = append(outcome, broker.Condition{Key: key, Version: v.values.read[key].Version})
	}
	return outcome, nil
}

// beginChild starts the run that the entry stands for.
func (v *visit) beginChild(ctx context.Context, p *plan.Plan, home broker.Home) error {
	if v.control.Depth >= MaxDepth {
		return fmt.Errorf("%w: %w", task.Invalid("depth of workflow "+p.Name, v.control.Depth+1, fmt.Sprintf("is more than %d", MaxDepth)), task.SkipRetry)
	}
	input, err := v.input(ctx)
	if err != nil {
		return err
	}
	s := launch{plan: p, home: home, input: input, audience: v.running, above: v.control.Trace}
	s.control = newControl(p, input, start{})
	s.control.Depth, s.control.Deadline = v.control.Depth+1, earliest(s.control.Deadline, v.control.Deadline)
	s.control.Parent = &parent{Workflow: v.Name, Queue: v.home.Queue, ID: v.home.ID, Tag: v.control.Tag, Part: v.name}
	if err := storePlan(ctx, v.running.Broker(), p); err != nil {
		return err
	}
	_, err = s.begin(ctx, v.running.Broker())
	if _, invalid := errors.AsType[*task.InvalidError](err); invalid || errors.Is(err, broker.ErrQuota) {
		err = fmt.Errorf("begin run %s: %w: %w", home.ID, err, task.SkipRetry)
	}
	return err
}

// standsForRun reports whether the visit is about an entry that stands for a run.
func (v *visit) standsForRun() bool {
	n := v.node
	return n.Unit != nil && n.Unit.Workflow && !v.added && (v.item >= 0 || n.Kind == plan.Step)
}

// loseChild ends the run that an entry stood for that was lost, and returns how it
// stands: its end is told. "" means that there is none.
func (v *visit) loseChild(ctx context.Context) (State, error) {
	e, err := v.running.Broker().Entry(ctx, v.subject())
	if err == nil && !e.State.Ended() {
		return Running, nil // somebody has it run again
	}
	spec, ok := v.Specs[v.node.Unit.Type]
	if err != nil && !errors.Is(err, broker.ErrNotFound) || !ok {
		return "", err
	}
	child := v.handle(v.childHome(spec.Plan))
	if err := child.Cancel(ctx); err != nil && !errors.Is(err, ErrRunState) {
		if errors.Is(err, ErrRunNotFound) {
			err = nil
		}
		return "", err
	}
	c, _, err := child.control(ctx)
	return c.State, err
}

// joined returns the entry that tells the parent that this run has ended.
func (g graph) joined() broker.Entry {
	p := g.control.Parent
	return p.graph().decision(causeJoined, p.Part)
}

// joinChild records what has come of a run within the run.
func (v *visit) joinChild(ctx context.Context) (broker.Change, error) {
	c := v.writes()
	spec, ok := v.Specs[v.node.Unit.Type]
	if !ok {
		return c, fmt.Errorf("workflow %s is not registered: %w", v.node.Unit.Type, task.SkipRetry)
	}
	if settled, err := v.settledAlready(ctx); settled || err != nil {
		return c, err
	}
	child := v.childHome(spec.Plan)
	docs, err := v.running.Broker().Documents(ctx, child, controlKey, resultKey)
	if err != nil {
		return c, fmt.Errorf("result of run %s: %w", child.ID, err)
	}
	last, err := decodeControl(docs[0])
	switch {
	case errors.Is(err, ErrRunNotFound):
		return c, fmt.Errorf("run %s has ended and is not kept any more: %w: %w", child.ID, err, task.SkipRetry)
	case err != nil:
		return c, fmt.Errorf("run %s: %w", child.ID, err)
	case !last.State.Ended():
		return c, nil // it was retried, and its end is told again
	}
	if v.cause == causeJoined {
		c.Move = append(c.Move, v.dismissal())
	}
	if last.State != Done {
		e := RunError{ID: child.ID, State: last.State, Cause: last.Failure}
		v.settleFailure(&c, failedRecord(childState(last.State), StepError{Step: v.node.Name, Item: v.item, Message: e.Error()}))
		return c, nil
	}
	r, err := decodeRecord(docs[1].Body)
	if err != nil {
		return c, fmt.Errorf("result of run %s: %w", child.ID, err)
	}
	if r.blob {
		if r, err = v.moved(ctx, graph{spec.Plan, child, last}, r); err != nil {
			return c, err
		}
	}
	r.ended, r.took = last.Ended, last.Ended.Sub(last.Started)
	c.Quota = v.Terms.MaxRun
	return c, v.settleChild(ctx, &c, r)
}

// moved returns the record of a value that lies in the blob store of a run within the
// run: this one's workflow may have another one, or none.
func (v *visit) moved(ctx context.Context, child graph, r record) (record, error) {
	b, err := newValues(child, v.running.Broker(), nil).body(ctx, r)
	if err == nil && !v.overflows(len(b)) {
		err = plan.CheckSize("the output of step "+v.node.Name, len(b), v.Terms.MaxOutput)
	}
	if err != nil {
		return r, err
	}
	return v.kept(ctx, b)
}

// dismissal ends the entry that stands for the run.
func (v *visit) dismissal() broker.Move {
	return broker.Move{EntryRef: v.decision(causeChild, v.name).EntryRef, Do: broker.Delete}
}

func childState(s State) StepState {
	if s == Cancelled {
		return StepCancelled
	}
	return StepFailed
}

// settleChild adds to c that a run within the run is done.
func (v *visit) settleChild(ctx context.Context, c *broker.Change, r record) error {
	switch v.node.Kind {
	case plan.Map:
		v.settleItem(c, r)
		return nil
	case plan.Loop:
		value, err := v.values.body(ctx, r)
		if err != nil {
			return err
		}
		o := stepOutcome{visit: v, output: value}
		if err := o.turnLoop(ctx); err != nil {
			return err
		}
		if o.turned {
			c.Require = append(c.Require, broker.Condition{Key: v.loopKey(v.node), Version: v.values.read[v.loopKey(v.node)].Version})
			v.nextRound(c, value)
			return nil
		}
	}
	v.record(c, v.node, r)
	return nil
}
