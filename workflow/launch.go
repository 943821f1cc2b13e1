package workflow

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A launch is a run that is about to begin.
type launch struct {
	plan    *plan.Plan
	home    broker.Home
	control control
	input   []byte
	start   start

	audience audience
	byTask   bool              // a task starts it
	above    map[string]string // the headers of the run that it is a step of
}

func newControl(p *plan.Plan, input []byte, s start) control {
	now := time.Now()
	c := control{Workflow: p.Name, Plan: p.Hash, Input: hashOf(input), Tag: newTag(), State: Running, Started: now, Attributes: s.attributes}
	if s.at.After(now) {
		c.Begins = s.at
		now = s.at
	}
	if limit := orElse(s.deadline, p.Terms.Deadline); limit > 0 {
		c.Deadline = now.Add(limit)
	}
	return c
}

func orElse(d, other time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return other
}

// change returns what begins the run: its control document, its input, its latches
// and its first entries; or, if it is to begin later, the decide that adds the latter.
func (l launch) change() broker.Change {
	g := graph{l.plan, l.home, l.control}
	c := broker.Change{Home: l.home, Put: []broker.Put{l.control.put(0)}, List: l.control.listing(), Quota: l.plan.Terms.MaxRun}
	c.Put = append(c.Put, broker.Put{Key: inputKey, Body: doneRecord(l.input).encode()})
	if l.control.Begins.IsZero() {
		c.Open, c.Enqueue = g.begin()
	} else {
		e := g.about(causeStart)
		e.DueAt = l.control.Begins
		c.Enqueue = []broker.Entry{e}
	}
	if !l.control.Deadline.IsZero() {
		c.Enqueue = append(c.Enqueue, g.deadline())
	}
	return c
}

// deadline returns the decide that closes the run when it is too late.
func (g graph) deadline() broker.Entry {
	e := g.about(causeDeadline)
	e.DueAt = g.control.Deadline
	return e
}

// never is the time to which a home is kept that is not to be deleted after all.
func never() time.Time { return time.Now().AddDate(100, 0, 0) }

// start begins a run that was started for now.
func (v *visit) start(context.Context) (broker.Change, error) {
	c := v.writes()
	c.Open, c.Enqueue = v.begin()
	return c, nil
}

// begin commits the start of a run. It reports whether there is one already.
func (l launch) begin(ctx context.Context, b broker.Broker) (existing *broker.Document, err error) {
	if l.byTask && tracerOf(l.audience) != nil { // which is not told of those who only look after the run
		docs, err := b.Documents(ctx, l.home, controlKey)
		if err != nil {
			return nil, err
		}
		if docs[0].Version > 0 {
			return &docs[0], nil
		}
	}
	l, started := l.announced(ctx)
	outcome, err := apply(ctx, b, l.change())
	if err != nil {
		started(err)
		return nil, err
	}
	l.concluded(ctx, started, outcome)
	return l.existing(outcome)
}

// existing returns the run's control document if it was not begun because there is one.
func (l launch) existing(outcome error) (*broker.Document, error) {
	if conflict, ok := errors.AsType[*broker.ConflictError](outcome); ok && conflict.Document.Key == controlKey {
		return &conflict.Document, nil
	}
	return nil, outcome
}

// announced tells a tracer that the run is about to begin, and returns it with what that
// wants to have kept.
func (l launch) announced(ctx context.Context) (_ launch, started func(error)) {
	g := graph{l.plan, l.home, l.control}
	started = g.begins(ctx, l.audience, func(r *TracedRun) {
		if r.ByTask = l.byTask; r.Parent != nil {
			r.Parent.Headers = l.above
		}
	})
	l.control = g.control
	return l, started
}

// concluded tells what has come of the start.
func (l launch) concluded(ctx context.Context, started func(error), outcome error) {
	if d, _ := l.existing(outcome); d != nil {
		outcome = &RunExistsError{ID: l.home.ID, Workflow: l.plan.Name}
	}
	if started(outcome); outcome == nil {
		graph{l.plan, l.home, l.control}.begun(ctx, l.audience)
	}
}

// ensure begins the run, or finds the one that has its id, as the start wants it.
func (l launch) ensure(ctx context.Context, b broker.Broker) (existed bool, err error) {
	if err := storePlan(ctx, b, l.plan); err != nil {
		return false, err
	}
	for {
		d, err := l.begin(ctx, b)
		if err != nil || d == nil {
			return false, err
		}
		other, err := decodeControl(*d)
		if err != nil {
			return false, fmt.Errorf("run %s: %w", l.home.ID, err)
		}
		verdict, err := l.meet(other)
		switch {
		case err != nil:
			return true, err
		case verdict == use:
			return true, nil
		case verdict == cancelFirst:
			if err = l.cancel(ctx, b); l.start.ended == UseEnded {
				l.start.ended = AgainAlways // that it has ended is our doing
			}
		default:
			err = l.replace(ctx, b, d.Version)
		}
		if err != nil {
			return true, err
		}
	}
}

// A meeting is what is done when the id of a start belongs to a run.
type meeting int

const (
	use meeting = iota
	cancelFirst
	takePlace
)

// meet says what becomes of the start now that there is another run of its id.
func (l launch) meet(other control) (meeting, error) {
	exists := &RunExistsError{ID: l.home.ID, Workflow: other.Workflow}
	ended := other.State.Ended()
	switch s := l.start; {
	case other.Workflow != l.plan.Name:
		return use, exists
	case !ended && s.running == RejectRunning, ended && s.ended == RejectEnded:
		exists.State = other.State
		return use, exists
	case !ended && s.running == CancelRunning:
		return cancelFirst, nil
	case ended && (s.ended == AgainAlways || s.ended == AgainFailed && other.State != Done):
		return takePlace, nil
	case other.Input != l.control.Input:
		exists.Input = true
		return use, exists
	}
	return use, nil
}

// cancel ends the run that has the id, and waits for that.
func (l launch) cancel(ctx context.Context, b broker.Broker) error {
	h := Handle{ID: l.home.ID, home: l.home, broker: b}
	if err := h.Cancel(ctx); err != nil && !errors.Is(err, ErrRunState) {
		return err
	}
	last, err := h.wait(ctx)
	switch {
	case errors.Is(err, ErrRunNotFound):
		return nil
	case err == nil && last.State == Stuck:
		return &RunExistsError{ID: h.ID, Workflow: last.Workflow, State: Stuck}
	}
	return err
}

// How often a start looks whether a run that it takes the place of has gone, and for how
// long it waits in between.
const (
	replaceLooks = 200
	replacePause = 10 * time.Millisecond
)

// replace deletes the run that has ended, whose control document is at version, so that
// another can begin under its id. If that has changed meanwhile nothing happens.
func (l launch) replace(ctx context.Context, b broker.Broker, version int64) error {
	outcome, err := apply(ctx, b, broker.Change{
		Home:    l.home,
		Require: []broker.Condition{{Key: controlKey, Version: version}},
		Close:   time.Now(),
	})
	if errors.Is(outcome, broker.ErrConflict) || err != nil {
		return err
	}
	if outcome != nil {
		return outcome
	}
	for range replaceLooks {
		if _, err := b.Advance(ctx, time.Now(), broker.AdvanceRequest{Queues: []string{l.home.Queue}, Limit: broker.MaxParts}); err != nil {
			return err
		}
		docs, err := b.Documents(ctx, l.home, controlKey)
		if err != nil || docs[0].Version != version {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(replacePause):
		}
	}
	return &RunExistsError{ID: l.home.ID, Workflow: l.plan.Name}
}

// apply applies one change. An outcome is what the broker says of the change,
// an error that it could not be asked or did not answer.
func apply(ctx context.Context, b broker.Broker, c broker.Change) (outcome, err error) {
	applied, err := b.Apply(ctx, time.Now(), []broker.Change{c}, broker.LeaseRequest{})
	switch {
	case errors.Is(err, broker.ErrRefused):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", queue.ErrUnknown, err)
	case len(applied.Outcomes) != 1:
		return nil, fmt.Errorf("%w: broker answered one change with %d outcomes", queue.ErrUnknown, len(applied.Outcomes))
	}
	return applied.Outcomes[0], nil
}

// newTag returns eight characters by chance. A run that is started under an id
// that was used before, or beside another queue, then never takes an entry that
// is left of the other for one of its own.
func newTag() string { return strings.ToLower(rand.Text()[:8]) }

func hashOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}

// planHome is where the plan of a workflow is stored, by its hash, for servers that
// have another version of it.
func planHome(queue, workflow, hash string) broker.Home {
	return broker.Home{Queue: queue, ID: workflow + joint + "plan" + joint + hash}
}

const planKey = joint + "plan"

// storePlan stores a plan, unless this process has stored it last with the same
// broker.
func storePlan(ctx context.Context, b broker.Broker, p *plan.Plan) error {
	if !p.Stored.Begin(b) {
		return nil
	}
	outcome, err := apply(ctx, b, broker.Change{Home: planHome(p.Queue, p.Name, p.Hash), Put: []broker.Put{{Key: planKey, Body: p.Encode()}}})
	if errors.Is(outcome, broker.ErrConflict) {
		outcome = nil
	}
	if err := errors.Join(err, outcome); err != nil {
		return fmt.Errorf("store plan of %s: %w", p.Name, err)
	}
	p.Stored.End(b)
	return nil
}

// storedPlan reads a plan that was stored.
func storedPlan(ctx context.Context, b broker.Broker, queue, workflow, hash string) ([]byte, error) {
	docs, err := b.Documents(ctx, planHome(queue, workflow, hash), planKey)
	if err != nil {
		return nil, fmt.Errorf("read plan %s of %s: %w", hash, workflow, err)
	}
	if docs[0].Version == 0 {
		return nil, fmt.Errorf("plan %s of %s: %w", hash, workflow, broker.ErrNotFound)
	}
	return docs[0].Body, nil
}
