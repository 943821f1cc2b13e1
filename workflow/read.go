package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// This file reads the values of a run as they are stored, for those who do not have the
// workflow: JSON, or of what takes or gives a []byte the bytes. What lies in a blob store
// is read only by a program that has the workflow, and its [BlobStore].

// Input returns what the run was started with, or [ErrRunNotFound].
func (h Handle) Input(ctx context.Context) ([]byte, error) {
	c, _, err := h.control(ctx)
	if err != nil {
		return nil, fmt.Errorf("input of run %s: %w", h.ID, err)
	}
	return newValues(h.graphOf(c), h.broker, nil).input(ctx)
}

// Outcome returns what the run has come to. It does not wait: of a run that goes on the
// error is [ErrNoOutput], of one that was not done or is [Stuck] a [RunError], and of one
// that is not kept [ErrRunNotFound].
func (h Handle) Outcome(ctx context.Context) ([]byte, error) {
	c, _, err := h.control(ctx)
	switch {
	case err == nil && c.State == Done:
		var b []byte
		if b, err = h.result(ctx, c); err == nil {
			return b, nil
		}
	case err == nil && (c.State.Ended() || c.State == Stuck):
		return nil, &RunError{ID: h.ID, State: c.State, Cause: c.Failure}
	case err == nil:
		err = fmt.Errorf("%w: it is %s", ErrNoOutput, c.State)
	}
	return nil, fmt.Errorf("result of run %s: %w", h.ID, err)
}

// result reads the result of a run that is done.
func (h Handle) result(ctx context.Context, c control) ([]byte, error) {
	docs, err := h.broker.Documents(ctx, h.home, resultKey)
	if err != nil {
		return nil, err
	}
	if docs[0].Version == 0 {
		return nil, ErrRunNotFound
	}
	r, err := decodeRecord(docs[0].Body)
	if err != nil {
		return nil, err
	}
	return newValues(h.graphOf(c), h.broker, nil).body(ctx, r)
}

// Output returns what a step has given, one that was added as well: a map the list of what its
// items have, a wait its signal, a choice the name of its arm. The error is [ErrStepNotFound] if the workflow has
// no such step, the [StepError] of one that has failed or was cancelled, [ErrSkipped] of
// one that was skipped, and [ErrNoOutput] of one that has not ended, or whose output is
// made by a function that this program does not have.
func (h Handle) Output(ctx context.Context, step string) ([]byte, error) {
	b, err := h.output(ctx, step)
	if err != nil {
		return nil, fmt.Errorf("output of step %s of run %s: %w", step, h.ID, err)
	}
	return b, nil
}

func (h Handle) output(ctx context.Context, step string) ([]byte, error) {
	v, n, err := h.stepOf(ctx, step)
	if errors.Is(err, ErrStepNotFound) && v != nil {
		return v.addedOutput(ctx, step)
	}
	if err != nil {
		return nil, err
	}
	if n.Kind == plan.Map {
		return v.mapOutput(ctx, n)
	}
	r, ok, err := v.recorded(ctx, v.key(n))
	if err == nil {
		err = r.lack(ok)
	}
	switch {
	case err != nil:
		return nil, err
	case n.Kind == plan.Choice:
		arm, err := v.chosen(ctx, n)
		if err != nil {
			return nil, err
		}
		return json.Marshal(n.Arms[arm].Name)
	}
	return v.of(ctx, n.Index)
}

// addedOutput returns what a step has given that was added.
func (v *values) addedOutput(ctx context.Context, step string) ([]byte, error) {
	at := v.place(v.root() + step)
	if !at.added || at.node == nil {
		return nil, ErrStepNotFound
	}
	r, ok, err := v.recorded(ctx, v.addedKey(at.node, at.item))
	if err == nil {
		err = r.lack(ok)
	}
	if err != nil {
		return nil, err
	}
	return v.body(ctx, r)
}

// mapOutput returns the list of what a map's items have given.
func (v *values) mapOutput(ctx context.Context, n *plan.Node) ([]byte, error) {
	var s StepStatus
	look := newSurvey(v)
	if err := look.latchesOf(ctx, n); err != nil {
		return nil, err
	}
	if r, ok, err := v.recorded(ctx, v.key(n)); err != nil || ok {
		return nil, errors.Join(err, r.lack(ok))
	}
	if err := look.mapStatus(ctx, n, &s); err != nil {
		return nil, err
	}
	if s.State != StepDone {
		return nil, record{}.lack(false)
	}
	return v.items(ctx, n)
}

// stepOf returns the step of a name, and what is known of the run, also if the error is
// [ErrStepNotFound].
func (h Handle) stepOf(ctx context.Context, step string) (*values, *plan.Node, error) {
	v, err := h.values(ctx)
	if err != nil {
		return nil, nil, err
	}
	n := v.Node(step)
	if n == nil || n.Kind == plan.End {
		return v, nil, ErrStepNotFound
	}
	return v, n, nil
}

// lack returns why there is no output of what r is the record of, or nil. ok says whether
// there is a record.
func (r record) lack(ok bool) error {
	switch {
	case !ok:
		return fmt.Errorf("%w: it has not ended", ErrNoOutput)
	case r.state.bad():
		return r.failure()
	case r.state == StepSkipped:
		return ErrSkipped
	}
	return nil
}

// OutputOf returns what an item of a map has given, with the errors of [Handle.Output].
// [ErrStepNotFound] is also that of a step that is no map, or has fewer items.
func (h Handle) OutputOf(ctx context.Context, step string, item int) ([]byte, error) {
	b, err := h.outputOf(ctx, step, item)
	if err != nil {
		return nil, fmt.Errorf("output of item %d of step %s of run %s: %w", item, step, h.ID, err)
	}
	return b, nil
}

func (h Handle) outputOf(ctx context.Context, step string, item int) ([]byte, error) {
	v, n, m, err := h.mapOf(ctx, step)
	if err != nil {
		return nil, err
	}
	if item < 0 || item >= m.Width {
		return nil, ErrStepNotFound
	}
	r, ok, err := v.recorded(ctx, v.unitKey(n, item))
	if err == nil {
		err = r.lack(ok)
	}
	if err != nil {
		return nil, err
	}
	return v.body(ctx, r)
}

// mapOf returns the map of a name, and how wide it is: 0 before it begins.
func (h Handle) mapOf(ctx context.Context, step string) (*values, *plan.Node, mapState, error) {
	v, n, err := h.stepOf(ctx, step)
	if err != nil {
		return nil, nil, mapState{}, err
	}
	if n.Kind != plan.Map {
		return nil, nil, mapState{}, fmt.Errorf("%w: it is no map", ErrStepNotFound)
	}
	m, _, err := v.mapped(ctx, n)
	return v, n, m, err
}

// An ItemStatus is how an item of a map stands. One that has no outcome is waiting,
// whether it has begun or not.
type ItemStatus struct {
	Item    int
	State   StepState
	EndedAt time.Time
	Took    time.Duration
	Tries   int
	Failure *StepError

	Queue  string // that its task is in, or beside which the run is kept that it is
	TaskID string // its task; "" if it is a run
	Child  string // id of the run that it is, if the map runs another workflow; it may not have begun
}

// Items returns how the items of a map stand, from the given one on, at most most and at
// most 500: none before the map has begun, and behind its end. The error is
// [ErrStepNotFound] for a step that there is not, or that is no map.
func (h Handle) Items(ctx context.Context, step string, from, most int) ([]ItemStatus, error) {
	v, n, m, err := h.mapOf(ctx, step)
	if err == nil && from < 0 {
		err = task.Invalid("from", from, "is negative")
	}
	var items []ItemStatus
	if err == nil {
		items, err = v.itemStatuses(ctx, n, from, min(from+min(most, pageSize), m.Width))
	}
	if err != nil {
		return nil, fmt.Errorf("items of step %s of run %s: %w", step, h.ID, err)
	}
	return items, nil
}

// itemStatuses returns how the items of a map stand, from one to before another.
func (v *values) itemStatuses(ctx context.Context, n *plan.Node, from, to int) (items []ItemStatus, err error) {
	names := make(map[int]func(int) (string, bool)) // by epoch
	err = v.eachItemFrom(ctx, n, from, to, func(i int, r record, ok bool) error {
		s := ItemStatus{Item: i}
		if ok {
			s.State, s.EndedAt, s.Took, s.Tries = r.state, r.ended, r.took, r.tries
		}
		if r.state.bad() {
			s.Failure = r.failure()
		}
		g, known := v.then(s.EndedAt)
		if names[g.control.Epoch] == nil && known {
			if names[g.control.Epoch], err = v.itemParts(ctx, n, g); err != nil {
				return err
			}
		}
		s.Queue = queueOf(v.graph, n)
		if known {
			if part, ok := names[g.control.Epoch](i); ok {
				s.TaskID, s.Child = g.idsOf(n, part)
			}
		}
		items = append(items, s)
		return nil
	})
	return items, err
}

// idsOf returns the id of the task that a part of n is, or of the run.
func (g graph) idsOf(n *plan.Node, part string) (taskID, child string) {
	if n.Unit.Workflow {
		return "", g.child(n, part).ID
	}
	return g.taskRef(n, part).ID, ""
}

// queueOf returns the queue of what n runs: of its tasks, or beside which its runs are
// kept.
func queueOf(g graph, n *plan.Node) string {
	switch {
	case n.Unit == nil:
		return ""
	case n.Unit.Workflow:
		return g.child(n, "").Queue
	}
	return n.Unit.Queue
}
