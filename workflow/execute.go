package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A stepHandler runs a step's function.
type stepHandler struct {
	engine *engine
	spec   plan.Spec
}

// ProcessTask runs the step. A task that belongs to no run gets its payload as
// input and leaves its output as its result.
func (h stepHandler) ProcessTask(ctx context.Context, t *task.Task) error {
	running, ok := queue.FromContext(ctx)
	if !ok || running.Lease().Entry.Home.IsZero() {
		return h.alone(ctx, t)
	}
	v, err := h.engine.visit(ctx, running)
	if err != nil {
		putOff(running.Trace(), v, err)
		return errors.Join(err, v.noteDeath(ctx))
	}
	ctx = v.naming(ctx, running)
	if v.cause == causeUndo {
		return v.undo(ctx, h.spec, t)
	}
	return v.runStep(ctx, running, h.spec, t)
}

// naming has what is logged of the step name it and its run, by the step itself with the
// context that it returns, or by the server.
func (v *visit) naming(ctx context.Context, running *queue.Running) context.Context {
	attrs := []slog.Attr{slog.String("run", v.home.ID), slog.String("step", v.node.Name)}
	running.LogAttrs(attrs...)
	return task.WithLogAttrs(ctx, attrs...)
}

func (h stepHandler) alone(ctx context.Context, t *task.Task) error {
	out, err := h.spec.Call(withTask(ctx, t), t.Payload())
	if err != nil {
		return err
	}
	if w := t.ResultWriter(); w != nil && w.Result() == nil {
		_, err = w.Write(out)
	}
	return err
}

// runStep runs the step's function on its input, and says what is committed with
// its outcome: the output, and what follows.
func (v *visit) runStep(ctx context.Context, running *queue.Running, spec plan.Spec, t *task.Task) (err error) {
	o := &stepOutcome{visit: v, began: time.Now(), failure: errUnfinished}
	v.running.OnSettle(o.settle)
	o.failure = o.run(ctx, running.Trace(), spec, t)
	if o.overdue = ctx.Err() != nil; o.overdue && o.failure != nil {
		return errors.Join(o.failure, o.noteDoubt(context.WithoutCancel(ctx)))
	}
	return o.failure
}

// errUnfinished is what a step has come to that has not returned.
var errUnfinished = errors.New("it has not returned")

// run runs the step on its input.
func (o *stepOutcome) run(ctx context.Context, trace queue.TracedAttempt, spec plan.Spec, t *task.Task) error {
	input, err := o.input(ctx)
	if err = stalled(err); err != nil {
		if isPutOff(err) {
			trace.PutOff("stalled")
		}
		return err
	}
	o.tellInputs(ctx)
	output, err := spec.Call(withTask(withStep(ctx, o), t), input)
	if err != nil {
		return err
	}
	o.additions.seal()
	return o.complete(ctx, output)
}

// complete computes what an outcome is committed with, now that the step has an output.
func (o *stepOutcome) complete(ctx context.Context, output []byte) (err error) {
	o.output = output
	if o.node.Kind == plan.Loop && !o.added {
		if err := o.turnLoop(ctx); err != nil {
			return err
		}
	}
	if err := o.limit(); err != nil || o.turned {
		return err
	}
	if o.last() {
		if o.result, err = o.runResult(ctx); err != nil {
			return err
		}
	}
	o.done, err = o.kept(ctx, output)
	return err
}

// limit refuses an output that is too large. What is kept elsewhere may be of any size,
// but a loop's rounds never are.
func (o *stepOutcome) limit() error {
	switch what := "the output of step " + o.node.Name; {
	case o.overflows(len(o.output)) && !o.turned:
		return nil
	case o.added || o.node.Kind == plan.Map:
		return plan.CheckSize(what, len(o.output), o.Terms.MaxOutput)
	default:
		return o.CheckOutput(what, o.node, o.output)
	}
}

// last reports whether the step ends the run, if it is done.
func (o *stepOutcome) last() bool {
	return o.ends(o.node) && !o.added && len(o.additions.made()) == 0
}

// input returns what the step takes: a map's task carries its element, and any
// other computes it from the outputs before it.
func (v *visit) input(ctx context.Context) ([]byte, error) {
	if v.item >= 0 {
		return v.lease.Entry.Payload, nil
	}
	return v.values.of(ctx, v.node.Deps[0])
}

// runResult returns the value that the run ends with, now that the step has output.
func (o *stepOutcome) runResult(ctx context.Context) (record, error) {
	o.values.known[o.node.Index] = o.output
	return o.resultRecord(ctx)
}

// resultRecord returns the value that the run ends with.
func (v *visit) resultRecord(ctx context.Context) (record, error) {
	of := v.End().Deps[0]
	b, err := v.values.of(ctx, of)
	if err != nil {
		return record{}, stalled(err)
	}
	if !v.overflows(len(b)) {
		if err := v.CheckResult("the result of workflow "+v.Name, of, b); err != nil {
			return record{}, err
		}
	}
	return v.kept(ctx, b)
}

// A stepOutcome is what a step's function came to.
type stepOutcome struct {
	*visit
	refusals
	began     time.Time
	output    []byte
	done      record // of the output
	result    record // of the run
	failure   error  // what the step returned
	overdue   bool   // its context had ended when it returned
	additions additions
	turned    bool // of a loop: it goes round again
}

// settle returns the change that records the step's settlement s. If the change
// before was refused, it returns one that takes the reason into account: the run
// goes on from what is recorded, whoever recorded it first, and a change that no
// broker takes fails the step.
func (o *stepOutcome) settle(s broker.Settlement, refused error) broker.Change {
	o.untold()
	alone := broker.Change{Settle: []broker.Settlement{s}}
	if done := s.To == broker.Done || s.To == broker.Completed; done && o.failure != nil {
		s = unsuccessful(s, o.failure)
	}
	if refused != nil {
		switch o.learn(&o.refusals, refused) {
		case nothingLeft:
			return alone
		case impossible:
			s.To, s.Failed, s.Entry.LastErr = broker.Archived, true, refused.Error()
		}
	}
	var c broker.Change
	switch s.To {
	case broker.Done, broker.Completed:
		c = o.succeed(s)
	case broker.Archived:
		c = o.fail(s)
	default:
		c = o.putOff(s)
	}
	o.apply(&c)
	o.handsOff(c)
	o.told()
	return c
}

// unsuccessful returns s for what reports success and has none: somebody has dropped its
// error between the step and the server, or it asks to be forgotten.
func unsuccessful(s broker.Settlement, failure error) broker.Settlement {
	s.To, s.Failed = broker.Archived, true
	s.Entry.LastErr = fmt.Sprintf("a middleware reports success, and the step has none: %v", failure)
	return s
}

// stamp completes a record of this attempt.
func (o *stepOutcome) stamp(s broker.Settlement, r record) record {
	r.took, r.tries = time.Since(o.began), s.Entry.Retried
	if r.state == StepDone {
		r.tries++
	}
	return r
}

// succeed records the output and starts what follows, or ends the run. In a run
// that is paused, or closes, the output is recorded and nothing follows.
func (o *stepOutcome) succeed(s broker.Settlement) broker.Change {
	c := o.change(s)
	c.Quota = o.Terms.MaxRun
	r := o.stamp(s, o.done)
	switch {
	case o.added:
		o.settleAdded(&c, r)
	case o.turned:
		o.nextRound(&c, o.output)
	case o.node.Kind == plan.Map:
		o.settleItem(&c, r)
	case len(o.additions.made()) > 0 && o.control.State.open():
		c.Put = append(c.Put, broker.Put{Key: o.key(o.node), Body: r.encode()})
		o.openAdditions(&c)
	case !o.goesOn():
		o.record(&c, o.node, r)
		o.noteAdditions(&c)
	case o.last():
		c.Put = append(c.Put, broker.Put{Key: o.key(o.node), Body: r.encode()}, broker.Put{Key: resultKey, Body: o.result.encode(), If: broker.AnyVersion})
		o.end(&c, o.control.done())
	default:
		o.record(&c, o.node, r)
	}
	return c
}

// settleItem adds to c what has come of an item of a map.
func (v *visit) settleItem(c *broker.Change, r record) {
	n, put := v.node, broker.Put{Key: v.unitKey(v.node, v.item), Body: r.encode()}
	if v.control.Epoch > 0 {
		put.If = broker.AnyVersion // a failure that is tried again
	}
	c.Put = append(c.Put, put)
	if !v.goesOn() {
		return
	}
	c.Arrive = append(c.Arrive, broker.Arrival{Latch: itemLatch(n, v.control.Epoch), Member: v.member, Mark: r.state.bad()})
	if r.state.bad() && n.Fold.StopAt > 0 {
		c.Enqueue = append(c.Enqueue, v.decision(causeHalt, n.Name))
	}
}

// fail records why the step failed for good.
func (o *stepOutcome) fail(s broker.Settlement) broker.Change {
	c := o.change(s)
	r := o.stamp(s, failedRecord(StepFailed, StepError{Step: o.node.Name, Item: o.item, Message: reason(s.Entry.LastErr)}))
	r.unknown = o.doubtful()
	o.settleFailure(&c, r)
	return c
}

// settleFailure adds to c that what the entry is for has come to nothing.
func (v *visit) settleFailure(c *broker.Change, r record) {
	switch {
	case v.added:
		v.settleAdded(c, r)
	case v.node.Kind == plan.Map && v.item >= 0:
		v.settleItem(c, r)
	default:
		v.record(c, v.node, r)
	}
}

// putOff settles an attempt that is not the last. That the step may have taken
// effect is noted if it can be undone.
func (o *stepOutcome) putOff(s broker.Settlement) broker.Change {
	if s.To != broker.Retry || !o.doubtful() {
		return broker.Change{Settle: []broker.Settlement{s}}
	}
	c := o.change(s)
	c.Put = []broker.Put{{Key: o.doubtKey(o.node, o.item), If: broker.AnyVersion}}
	return c
}

// noteDoubt notes that the step, if it can be undone, may have taken effect. Who stops
// it settles it, and does not know.
func (v *visit) noteDoubt(ctx context.Context) error {
	if v.cause != "" || v.added || !v.node.Reversible() {
		return nil
	}
	c := v.writes()
	c.Put = []broker.Put{{Key: v.doubtKey(v.node, v.item), If: broker.AnyVersion}}
	for {
		outcomes, err := v.commit(ctx, c)
		if err != nil || outcomes[0] == nil {
			return err
		}
		var none refusals
		if v.learn(&none, outcomes[0]) != again {
			return nil // the run has gone, or begun again
		}
		c.Require = v.writes().Require
	}
}

// noteDeath is noteDoubt for a step that is not wanted now, and of which a worker died
// before: that is forgotten with the settlement.
func (v *visit) noteDeath(ctx context.Context) error {
	if v == nil || v.lease.Entry.Crashes == 0 {
		return nil
	}
	return v.noteDoubt(ctx)
}

// doubtful reports whether the step, which has not succeeded, may have taken effect
// all the same, and can be undone: it did not return by itself, or its worker died.
func (o *stepOutcome) doubtful() bool {
	return o.node.Reversible() && (o.overdue || errors.Is(o.failure, errUnfinished) || o.lease.Entry.Crashes > 0)
}
