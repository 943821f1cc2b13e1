package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A survey is how the steps of a run stand. What it needs beside documents is read for all
// of them together, and only of those that can have begun.
type survey struct {
	*values
	latches map[int]broker.LatchState // of maps that have begun, by node
	tasks   map[int]broker.Stored     // of steps that have not ended, by node
	ended   map[int]time.Time         // when steps have; zero: it is not known
	added   map[int][]addedStep       // what steps have added, by node
}

func newSurvey(v *values) *survey {
	return &survey{v, make(map[int]broker.LatchState), make(map[int]broker.Stored), make(map[int]time.Time), make(map[int][]addedStep)}
}

// read reads what is not in documents.
func (s *survey) read(ctx context.Context) error {
	if err := s.latchesOf(ctx, s.Settling()...); err != nil {
		return err
	}
	if err := s.loadParts(ctx); err != nil {
		return err
	}
	var refs []broker.EntryRef
	var nodes []*plan.Node
	for _, n := range s.Settling() {
		if may, err := s.mayHaveTask(ctx, n); err != nil {
			return err
		} else if may {
			ref, err := s.taskOf(ctx, n)
			if err != nil {
				return err
			}
			nodes, refs = append(nodes, n), append(refs, ref)
		}
	}
	found := make([]broker.Stored, len(refs))
	err := abreast(len(refs), func(i int) (err error) {
		if found[i], err = s.broker.Entry(ctx, refs[i]); errors.Is(err, broker.ErrNotFound) {
			return nil // it has not begun
		}
		return err
	})
	for i, n := range nodes {
		if found[i].ID != "" {
			s.tasks[n.Index] = found[i]
		}
	}
	if err != nil {
		return err
	}
	return s.readAdded(ctx)
}

// latchesOf reads the latches of those of the nodes that are maps, and have begun.
func (s *survey) latchesOf(ctx context.Context, nodes ...*plan.Node) error {
	var ids []string
	var maps []int
	for _, n := range nodes {
		if n.Kind != plan.Map {
			continue
		}
		m, begun, err := s.mapped(ctx, n)
		if err != nil {
			return err
		}
		if begun {
			ids, maps = append(ids, itemLatch(n, m.Epoch)), append(maps, n.Index)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	latches, err := s.broker.Latches(ctx, s.home, ids...)
	for i, l := range latches {
		s.latches[maps[i]] = l
	}
	return err
}

// mayHaveTask reports whether n has a task of its own, perhaps: it has not ended, and all
// that it is bound to wait for has.
func (s *survey) mayHaveTask(ctx context.Context, n *plan.Node) (bool, error) {
	if n.Kind != plan.Step && n.Kind != plan.Loop || s.control.State.Ended() {
		return false, nil
	}
	for _, e := range n.Sources {
		if e.Maybe {
			continue
		}
		if over, err := s.over(ctx, s.Nodes[e.Node]); err != nil || !over {
			return false, err
		}
	}
	_, recorded, err := s.recorded(ctx, s.key(n))
	return !recorded, err
}

// over reports whether n has ended.
func (s *survey) over(ctx context.Context, n *plan.Node) (bool, error) {
	if s.latches[n.Index].Complete {
		return true, nil
	}
	_, recorded, err := s.recorded(ctx, s.key(n))
	return recorded, err
}

// taskOf names the entry that stands for n, or for the round that a loop is in.
func (s *survey) taskOf(ctx context.Context, n *plan.Node) (broker.EntryRef, error) {
	if n.Kind == plan.Step {
		return s.taskRef(n, n.Name), nil
	}
	round, err := s.round(ctx, n)
	return s.taskRef(n, itemPart(n, round)), err
}

// round returns how many rounds of a loop are over.
func (s *survey) round(ctx context.Context, n *plan.Node) (int, error) {
	d, err := s.document(ctx, s.loopKey(n))
	if err != nil || d.Version == 0 {
		return 0, err
	}
	var state loopState
	if err := json.Unmarshal(d.Body, &state); err != nil {
		return 0, fmt.Errorf("document %s of %s: %w", d.Key, s.graph, err)
	}
	return state.Round, nil
}

// step returns how far a step has come.
func (s *survey) step(ctx context.Context, n *plan.Node) (StepStatus, error) {
	status := s.declared(n)
	r, recorded, err := s.recorded(ctx, s.key(n))
	if err != nil {
		return status, err
	}
	if recorded {
		status.State, status.EndedAt, status.Took, status.Tries = r.state, r.ended, r.took, r.tries
	}
	if r.took > 0 || r.tries > 0 {
		status.Began = r.ended.Add(-r.took)
	}
	if r.state.bad() {
		status.Failure = r.failure()
	}
	status.ReadyAt = s.readyAt(n)
	s.ended[n.Index] = status.EndedAt
	if err := s.perKind(ctx, n, &status); err != nil || n.Kind == plan.Map {
		return status, err
	}
	status.Known, status.Width = true, 1
	if status.State.Ended() {
		status.Ended = 1
	}
	if status.State.bad() {
		status.Failed = 1
	}
	return status, nil
}

// declared returns what is known of n by the plan.
func (s *survey) declared(n *plan.Node) StepStatus {
	status := StepStatus{Name: n.Name, Kind: string(n.Kind), Queue: queueOf(s.graph, n)}
	for _, e := range n.Sources {
		status.After = append(status.After, s.Nodes[e.Node].Name)
	}
	if n.Guard != nil {
		choice := s.Nodes[n.Guard.Choice]
		status.Choice, status.Case = choice.Name, choice.Arms[n.Guard.Arm].Name
	}
	if n.Unit != nil {
		status.Runs, status.Workflow = n.Unit.Type, n.Unit.Workflow
	}
	if n.Wait != nil {
		status.Signal = n.Wait.Signal
	}
	return status
}

// readyAt returns when the last of what n waits for has ended, or zero.
func (s *survey) readyAt(n *plan.Node) time.Time {
	ready := s.since(n)
	for _, e := range n.Sources {
		ended := s.ended[e.Node]
		if ended.IsZero() && !e.Maybe {
			return time.Time{}
		}
		if n.Kind != plan.First {
			ready = later(ready, ended)
		}
	}
	return ready
}

func (s *survey) perKind(ctx context.Context, n *plan.Node, status *StepStatus) error {
	switch n.Kind {
	case plan.Map:
		return s.mapStatus(ctx, n, status)
	case plan.Choice:
		return s.choiceStatus(ctx, n, status)
	case plan.Step, plan.Loop:
		status.Added = s.addedStatuses(n, status)
		for _, a := range status.Added {
			if s.ended[n.Index] = later(s.ended[n.Index], a.EndedAt); a.EndedAt.IsZero() {
				s.ended[n.Index] = time.Time{} // what waits for the step waits for this, too
				break
			}
		}
		return s.taskStatus(ctx, n, status)
	case plan.Await, plan.Sleep:
		return s.waitStatus(ctx, n, status)
	}
	return nil
}

func (s *survey) choiceStatus(ctx context.Context, n *plan.Node, status *StepStatus) error {
	if status.State != StepDone {
		return nil
	}
	arm, err := s.chosen(ctx, n)
	if err == nil {
		status.Arm = n.Arms[arm].Name
	}
	return err
}

func (s *survey) mapStatus(ctx context.Context, n *plan.Node, status *StepStatus) error {
	l, begun := s.latches[n.Index]
	if !begun {
		return nil
	}
	m, _, err := s.mapped(ctx, n)
	if err != nil {
		return err
	}
	status.Known, status.Width, status.Failed = true, m.Width, l.Marked
	status.Ended = m.Width - l.Total + l.Arrived
	switch {
	case status.State != StepWaiting:
	case l.Complete && l.Marked <= tolerated(n, m.Width):
		status.State = StepDone
	default:
		status.State = StepRunning
	}
	if status.State.Ended() && isNarrow(m) {
		err = s.mapTimes(ctx, n, m, status)
	}
	s.ended[n.Index] = status.EndedAt
	return err
}

// taskStatus says what is known of the task of a step, or of a loop's round.
func (s *survey) taskStatus(ctx context.Context, n *plan.Node, status *StepStatus) error {
	if n.Kind == plan.Loop {
		if err := s.loopStatus(ctx, n, status); err != nil {
			return err
		}
	}
	e, stored := s.tasks[n.Index]
	if stored {
		storedStatus(e, n.Unit.Workflow, status)
	}
	if !stored && status.Tries == 0 && (!n.Unit.Workflow || status.State == StepWaiting || status.State == StepSkipped) {
		return nil // it has not begun
	}
	g, known := s.then(status.EndedAt)
	part := n.Name
	if n.Kind == plan.Loop {
		part = itemPart(n, status.lastRound())
	}
	if begun := e.State != task.Pending && e.State != task.Aggregating; known && (begun || !n.Unit.Workflow) {
		status.TaskID, status.Child = g.idsOf(n, part)
	}
	return nil
}

func (s *survey) loopStatus(ctx context.Context, n *plan.Node, status *StepStatus) error {
	round, err := s.round(ctx, n)
	status.Rounds = round
	switch {
	case status.State == StepDone && status.Tries > 0:
		status.Rounds++
	case status.State == StepWaiting && round > 0:
		status.State = StepRunning
	}
	return err
}

// lastRound is the number of the round that a loop is in, or was in last.
func (s StepStatus) lastRound() int {
	if s.State == StepDone {
		return max(s.Rounds-1, 0)
	}
	return s.Rounds
}

// storedStatus says how the task of a step stands that has no outcome, or what looks after
// the run that it is.
func storedStatus(e broker.Stored, isRun bool, status *StepStatus) {
	status.Problem = e.LastErr
	if e.End == broker.Undecodable {
		status.Problem = "its task cannot be read, and is parked"
	}
	if e.State == task.Active || e.Retried > 0 || isRun {
		status.State = StepRunning
	}
	if isRun {
		return
	}
	status.TaskState, status.Attempts = e.State, slices.Clone(e.Attempts)
	if e.State == task.Retry || e.State == task.Scheduled {
		status.NextTry = e.DueAt
	}
}

func (s *survey) waitStatus(ctx context.Context, n *plan.Node, status *StepStatus) error {
	wait, begun, err := s.waited(ctx, n)
	if err != nil || !begun {
		return err
	}
	status.Began = wait.Since
	if status.State == StepWaiting {
		status.State, status.Until = StepRunning, wait.Until
	}
	return nil
}
