package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// Retry has a run that was not done run again: the steps that failed or were
// cancelled, whose failure nobody has looked at, and all that they kept from running.
// What is done stays done, items of maps and rounds of loops included. The run goes by the plan that it was
// started with, and its deadline counts anew. A run whose steps were undone cannot be
// retried ([RunStateError]): restart it.
func (h Handle) Retry(ctx context.Context) error {
	return h.retry(ctx, "retry", false, func(v *values, s *resets) error { return s.failed(ctx, v) })
}

// RetryFrom has a run that has ended run again from a step on: the step, whatever it
// has come to, all that follows from it, and what [Handle.Retry] has run again. It fails
// with [ErrStepNotFound] if the workflow has no such step.
func (h Handle) RetryFrom(ctx context.Context, step string) error {
	return h.retry(ctx, "retry", true, func(v *values, s *resets) error {
		n := v.Node(step)
		if n == nil {
			return fmt.Errorf("%w: %s", ErrStepNotFound, step)
		}
		s.from(n)
		return s.failed(ctx, v)
	})
}

// RetryAll has a run that has ended run again from its beginning, with the input that it
// had: every step, whatever it has come to.
func (h Handle) RetryAll(ctx context.Context) error {
	return h.retry(ctx, "retry", true, func(v *values, s *resets) error {
		s.all()
		return s.failed(ctx, v)
	})
}

// Skip has a step that failed count as done with an output, and the run go on as with
// [Handle.Retry]. Of a run that goes on it ends a step that is to run, or runs. The
// output is the JSON of what the step gives, or of a step that gives a []byte the bytes.
func (h Handle) Skip(ctx context.Context, step string, output []byte) error {
	c, _, err := h.control(ctx)
	if err == nil && c.State.open() {
		return h.skipOpen(ctx, step, output)
	}
	var given *plan.Node
	return h.retryWith(ctx, "skip step "+step+" of", false, func(v *values, s *resets) error {
		if given, err = skippable(v.Plan, step, output); err != nil {
			return err
		}
		state, _, err := v.outcome(ctx, given)
		if err != nil {
			return err
		}
		if state == StepDone {
			return fmt.Errorf("%w: %s is done", ErrStepNotFound, step)
		}
		s.from(given)
		return s.failed(ctx, v)
	}, func(g graph) []broker.Put {
		return []broker.Put{{Key: g.key(given), Body: doneRecord(output).encode()}}
	})
}

// skippable returns the step, if it can be skipped and output can be what it gives.
func skippable(p *plan.Plan, step string, output []byte) (*plan.Node, error) {
	n := p.Node(step)
	if n == nil || n.Kind == plan.End || n.Kind == plan.Map || n.Kind == plan.Choice || n.Kind == plan.First {
		return nil, fmt.Errorf("%w that can be skipped: %s", ErrStepNotFound, step)
	}
	if n.Unit != nil && !n.Unit.Gives.Raw() && !json.Valid(output) {
		return nil, task.Invalid("output of step "+step, string(output[:min(len(output), 80)]), "is no JSON")
	}
	return n, p.CheckOutput("the output of step "+step, n, output)
}

// skipOpen skips a step of a run that goes on. Its entry, if it is being run, loses.
func (h Handle) skipOpen(ctx context.Context, step string, output []byte) error {
	v, err := h.values(ctx)
	if err != nil {
		return fmt.Errorf("skip step %s of run %s: %w", step, h.ID, err)
	}
	n, err := skippable(v.Plan, step, output)
	if err != nil {
		return fmt.Errorf("skip step of run %s: %w", h.ID, err)
	}
	ref, gone := v.entry(n).EntryRef, v.tracedStep(n, n.Name, -1)
	begun := false
	if n.Wait != nil {
		ref = v.timer(n, time.Time{}).EntryRef
		var wait waitState
		if wait, begun, err = v.waited(ctx, n); err != nil {
			return fmt.Errorf("skip step of run %s: %w", h.ID, err)
		}
		gone.Began = wait.Since
	}
	e, err := h.broker.Entry(ctx, ref)
	if err != nil && !begun {
		return fmt.Errorf("skip step of run %s: %w: %s has not begun, or has ended", h.ID, ErrStepNotFound, step)
	}
	err = h.operate(ctx, "skip step "+step+" of", func(c control) (control, broker.Change, error) {
		if !c.State.open() {
			return c, broker.Change{}, h.refuse("skip step of", c)
		}
		next := c.noted("skipped", step)
		g := graph{v.Plan, h.home, next}
		docs, err := h.broker.Documents(ctx, h.home, g.key(n))
		if err != nil {
			return c, broker.Change{}, fmt.Errorf("skip step of run %s: %w", h.ID, err)
		}
		if docs[0].Version > 0 {
			return c, broker.Change{}, fmt.Errorf("skip step of run %s: %w: %s has ended", h.ID, ErrStepNotFound, step)
		}
		return next, broker.Change{
			Put:     []broker.Put{{Key: g.key(n), Body: doneRecord(output).encode()}},
			Enqueue: []broker.Entry{g.anew(causeRebuild)},
		}, nil
	})
	if err != nil {
		return err
	}
	gone.Headers = e.Headers
	return h.drop(ctx, v.graph, ref, gone)
}

// drop ends the entry of a step that was skipped.
func (h Handle) drop(ctx context.Context, g graph, ref broker.EntryRef, step TracedStep) error {
	for _, act := range []broker.Act{broker.Delete, broker.Cancel} {
		outcome, err := apply(ctx, h.broker, broker.Change{Move: []broker.Move{{EntryRef: ref, Do: act}}})
		if err != nil {
			return err
		}
		waited := step.Kind == KindWait || step.Kind == KindSleep
		if t := tracerOf(h.audience); t != nil && act == broker.Delete && (outcome == nil || waited) && step.Kind != KindRun {
			step.State, step.Ended = StepSkipped, time.Now()
			t.EndStep(ctx, g.traced(), step)
		}
		if outcome == nil {
			return nil
		}
	}
	return nil // it has ended by itself
}

// Restart starts another run of the same workflow with the same input, and returns it.
// Its id is this one's with something added, unless [RunID] says otherwise.
func (r Run[Out]) Restart(ctx context.Context, opts ...StartOption) (Run[Out], error) {
	again, err := r.restart(ctx, opts)
	if err != nil {
		return Run[Out]{}, fmt.Errorf("restart run %s: %w", r.ID, err)
	}
	return again, nil
}

func (r Run[Out]) restart(ctx context.Context, opts []StartOption) (Run[Out], error) {
	c, _, err := r.control(ctx)
	if err != nil {
		return r, err
	}
	input, err := newValues(graph{r.plan, r.home, c}, r.broker, nil).input(ctx)
	if err != nil {
		return r, err
	}
	s := start{id: r.ID + "." + newTag(), attributes: c.Attributes}
	for _, o := range opts {
		o(&s)
	}
	if err := s.check(); err != nil {
		return r, err
	}
	again := r
	again.ID, again.home.ID = s.id, s.id
	l := launch{plan: r.plan, home: again.home, control: newControl(r.plan, input, s), input: input, start: s, audience: r.audience}
	again.Existed, err = l.ensure(ctx, r.broker)
	return again, err
}

// retry has the run run again: reset says what of it.
func (h Handle) retry(ctx context.Context, want string, done bool, reset func(*values, *resets) error) error {
	return h.retryWith(ctx, want, done, reset, func(graph) []broker.Put { return nil })
}

// retryWith is retry with documents that are written with it. done says whether a run
// may be that is done.
func (h Handle) retryWith(ctx context.Context, want string, done bool, reset func(*values, *resets) error, put func(graph) []broker.Put) error {
	var next graph
	started := func(error) {}
	err := h.operate(ctx, want, func(c control) (control, broker.Change, error) {
		if !c.State.Ended() || c.Undone || c.State == Done && !done {
			return c, broker.Change{}, h.refuse(want, c)
		}
		v, err := h.valuesOf(ctx, c)
		if err != nil {
			return c, broker.Change{}, fmt.Errorf("%s run %s: %w", want, h.ID, err)
		}
		s := newResets(v.Plan)
		if err := reset(v, s); err != nil {
			return c, broker.Change{}, fmt.Errorf("%s run %s: %w", want, h.ID, err)
		}
		next = graph{v.Plan, h.home, s.apply(c)}
		started = next.begins(ctx, h.audience, nil)
		made := broker.Change{Put: put(next), Close: never(), Enqueue: []broker.Entry{next.anew(causeRebuild)}}
		if !next.control.Deadline.IsZero() {
			made.Enqueue = append(made.Enqueue, next.deadline())
		}
		return next.control, made, nil
	})
	if started(err); err == nil {
		next.begun(ctx, h.audience)
	}
	return err
}

// values returns what is known of the run.
func (h Handle) values(ctx context.Context) (*values, error) {
	c, _, err := h.control(ctx)
	if err != nil {
		return nil, err
	}
	return h.valuesOf(ctx, c)
}

func (h Handle) valuesOf(ctx context.Context, c control) (*values, error) {
	p, err := h.planOf(ctx, c)
	if err != nil {
		return nil, err
	}
	v := newValues(graph{p, h.home, c}, h.broker, nil)
	return v, v.loadAll(ctx)
}

// planOf returns the plan that the run goes by: the program's, or else the stored one,
// which lacks all functions.
func (h Handle) planOf(ctx context.Context, c control) (*plan.Plan, error) {
	if h.plan != nil && h.plan.Hash == c.Plan {
		return h.plan, nil
	}
	data, err := storedPlan(ctx, h.broker, h.home.Queue, c.Workflow, c.Plan)
	if err != nil {
		return nil, err
	}
	p := new(plan.Plan)
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("plan %s of %s: %w", c.Plan, c.Workflow, err)
	}
	p.Connect()
	p.Hash, p.Blobs = c.Plan, h.blobs()
	return p, nil
}

// loadAll looks at what has come of every step.
func (v *values) loadAll(ctx context.Context) error {
	var keys []string
	for _, n := range v.Settling() {
		keys = append(keys, v.key(n))
		switch n.Kind {
		case plan.Map:
			keys = append(keys, v.widthKey(n))
		case plan.Await, plan.Sleep:
			keys = append(keys, v.waitKey(n))
		case plan.Step:
			keys = append(keys, v.addsKey(n))
		case plan.Loop:
			keys = append(keys, v.loopKey(n))
		}
	}
	return v.load(ctx, keys...)
}

// resets are the steps of a run whose outcomes do not count any more.
type resets struct {
	plan  *plan.Plan
	steps map[string]bool
	items map[string]bool // maps of which the items do not count, either
}

func newResets(p *plan.Plan) *resets {
	return &resets{p, make(map[string]bool), make(map[string]bool)}
}

// from resets a step and all that follows from it.
func (s *resets) from(n *plan.Node) {
	if s.steps[n.Name] && s.items[n.Name] {
		return
	}
	s.steps[n.Name], s.items[n.Name] = true, true
	for _, e := range n.Consumers {
		s.from(s.plan.Nodes[e.Node])
	}
}

// all resets every step.
func (s *resets) all() {
	for _, n := range s.plan.Nodes {
		s.from(n)
	}
}

// failed resets the steps that have come to nothing, unless somebody has looked at
// that and done something, and what they kept from running.
func (s *resets) failed(ctx context.Context, v *values) error {
	s.steps[plan.EndName] = true
	for _, n := range v.Settling() {
		state, _, err := v.outcome(ctx, n)
		if err != nil {
			return err
		}
		bad := state.bad()
		if !bad && state == StepDone {
			if bad, err = v.addedBadly(ctx, n); err != nil {
				return err
			}
		}
		switch {
		case bad && !v.looked(ctx, n):
			s.again(ctx, v, n)
		case state == StepWaiting && n.Wait != nil:
			s.steps[n.Name] = true // its time counts anew
		}
	}
	return nil
}

// again resets a step that has come to nothing, with those that did for that reason.
func (s *resets) again(ctx context.Context, v *values, n *plan.Node) {
	if s.steps[n.Name] && n.Kind != plan.End {
		return
	}
	s.steps[n.Name] = true
	for _, e := range n.Consumers {
		next := s.plan.Nodes[e.Node]
		if state, _, err := v.outcome(ctx, next); err == nil && state != StepDone {
			s.again(ctx, v, next)
		}
	}
}

// looked reports whether what waits for n has gone on in spite of its failure.
func (v *values) looked(ctx context.Context, n *plan.Node) bool {
	for _, e := range n.Consumers {
		if state, _, err := v.outcome(ctx, v.Nodes[e.Node]); err == nil && state == StepDone && (e.Failed || e.Maybe) {
			return true
		}
	}
	return false
}

// addedBadly reports whether n has added steps of which some are not done.
func (v *values) addedBadly(ctx context.Context, n *plan.Node) (bool, error) {
	records, err := v.addedRecords(ctx, n)
	return slices.ContainsFunc(records, func(r record) bool { return r.state != StepDone }), err
}

// apply returns the control document of the run that begins again.
func (s *resets) apply(c control) control {
	c = c.afresh()
	c.To, c.Failure = "", nil
	c.Resets, c.Items = merged(c.Resets, s.steps, c.Epoch), merged(c.Items, s.items, c.Epoch)
	if !c.Deadline.IsZero() {
		c.Deadline = time.Now().Add(max(c.Deadline.Sub(later(c.Started, c.Begins)), time.Second))
	}
	c.Ended = time.Time{}
	return c.with(Running, "retried")
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func merged(m map[string]int, names map[string]bool, epoch int) map[string]int {
	m = maps.Clone(m)
	if m == nil {
		m = make(map[string]int)
	}
	for name := range names {
		m[name] = epoch
	}
	return m
}
