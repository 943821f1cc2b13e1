package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Status is how far a run has come.
type Status struct {
	ID         string
	Workflow   string
	State      State
	Started    time.Time
	Begins     time.Time // when it is to begin, if not at its start
	Deadline   time.Time // zero: none
	Ended      time.Time // zero as long as it has not
	Failure    *StepError
	Retries    int // how often it was begun again
	Attributes map[string]string
	Parent     string       // id of the run that it is a step of
	Steps      []StepStatus // in the order in which the workflow declares them
}

// A StepStatus is how far a step of a run has come.
type StepStatus struct {
	Name  string
	Kind  string // "step", "map", "loop", "choice", "first", "gate", "await" or "sleep"
	State StepState

	Known  bool // whether Width is; that of a map is when it begins
	Width  int  // how many tasks it consists of
	Ended  int  // of those, how many have ended
	Failed int  // of those, how many have failed

	Until   time.Time     // of a step that waits: until when
	EndedAt time.Time     // when it came to its outcome; zero for a map that was done
	Took    time.Duration // how long the attempt took that it came to it by
	Tries   int           // how many attempts that took
	Arm     string        // of a choice: the arm that was taken
	Failure *StepError    // why it failed

	// Problem is what keeps the step's task: the error of its last attempt, that there
	// is no server that can carry it out, or that it is parked. Of maps and loops it is
	// not told.
	Problem string
}

// Status reads how far the run has come, or [ErrRunNotFound].
func (h Handle) Status(ctx context.Context) (Status, error) {
	v, err := h.values(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("run %s: %w", h.ID, err)
	}
	c := v.control
	s := Status{
		ID: h.ID, Workflow: c.Workflow, State: c.State, Started: c.Started, Begins: c.Begins, Deadline: c.Deadline, Ended: c.Ended,
		Failure: c.Failure, Retries: c.Epoch, Attributes: c.Attributes,
	}
	if c.Parent != nil {
		s.Parent = c.Parent.ID
	}
	for _, n := range v.Settling() {
		if n.Kind == plan.End {
			continue
		}
		step, err := v.step(ctx, n)
		if err != nil {
			return s, fmt.Errorf("run %s: %w", h.ID, err)
		}
		s.Steps = append(s.Steps, step)
	}
	return s, nil
}

// step returns how far a step has come.
func (v *values) step(ctx context.Context, n *plan.Node) (StepStatus, error) {
	s := StepStatus{Name: n.Name, Kind: string(n.Kind)}
	r, recorded, err := v.recorded(ctx, v.key(n))
	if err != nil {
		return s, err
	}
	if recorded {
		s.State, s.EndedAt, s.Took, s.Tries = r.state, r.ended, r.took, r.tries
	}
	if r.state.bad() {
		s.Failure = r.failure()
	}
	switch n.Kind {
	case plan.Map:
		return s, v.mapStatus(ctx, n, &s)
	case plan.Choice:
		if s.State == StepDone {
			arm, err := v.chosen(ctx, n)
			if err != nil {
				return s, err
			}
			s.Arm = n.Arms[arm].Name
		}
	case plan.Step:
		if err := v.taskStatus(ctx, n, &s); err != nil {
			return s, err
		}
	case plan.Await, plan.Sleep:
		if err := v.waitStatus(ctx, n, &s); err != nil {
			return s, err
		}
	}
	s.Known, s.Width = true, 1
	if s.State.Ended() {
		s.Ended = 1
	}
	if s.State.bad() {
		s.Failed = 1
	}
	return s, nil
}

func (v *values) mapStatus(ctx context.Context, n *plan.Node, s *StepStatus) error {
	m, begun, err := v.mapped(ctx, n)
	if err != nil || !begun {
		return err
	}
	latches, err := v.broker.Latches(ctx, v.home, itemLatch(n, m.Epoch))
	if err != nil {
		return err
	}
	l := latches[0]
	s.Known, s.Width, s.Failed = true, m.Width, l.Marked
	s.Ended = m.Width - l.Total + l.Arrived
	switch {
	case s.State != StepWaiting:
	case l.Complete && l.Marked <= tolerated(n, m.Width):
		s.State = StepDone
	default:
		s.State = StepRunning
	}
	return nil
}

// taskStatus says how the task of a step stands that has no outcome.
func (v *values) taskStatus(ctx context.Context, n *plan.Node, s *StepStatus) error {
	if s.State.Ended() || v.control.State.Ended() {
		return nil
	}
	e, err := v.broker.Entry(ctx, v.entry(n).EntryRef)
	switch {
	case errors.Is(err, broker.ErrNotFound):
		return nil // it has not begun
	case err != nil:
		return err
	case e.End == broker.Undecodable:
		s.Problem = "its task cannot be read, and is parked"
	default:
		s.Problem = e.LastErr
	}
	if e.State == task.Active || e.Retried > 0 || n.Unit.Workflow {
		s.State = StepRunning
	}
	return nil
}

func (v *values) waitStatus(ctx context.Context, n *plan.Node, s *StepStatus) error {
	d, err := v.document(ctx, v.waitKey(n))
	if err != nil || d.Version == 0 || s.State != StepWaiting {
		return err
	}
	s.State = StepRunning
	wait, err := decodeWait(d)
	s.Until = wait.Until
	return err
}

// A Happening is one thing in the history of a run.
type Happening struct {
	At    time.Time
	What  string // "started", a step's outcome such as "done", or what was done to the run, such as "paused"
	Step  string // the step, if it is about one
	Took  time.Duration
	Tries int
	Why   string // why it failed, or what was said of it
}

// History returns what has happened in the run, the oldest first: the outcomes of its
// steps, as they count now, and the last fifty things that were done to it. Of maps it
// tells the failure, and nothing of their items.
func (h Handle) History(ctx context.Context) ([]Happening, error) {
	s, err := h.Status(ctx)
	if err != nil {
		return nil, err
	}
	c, _, err := h.control(ctx)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", h.ID, err)
	}
	all := []Happening{{At: c.Started, What: "started"}}
	for _, e := range c.Events {
		all = append(all, Happening{At: e.At, What: e.What, Why: e.Why})
	}
	for _, step := range s.Steps {
		if step.EndedAt.IsZero() {
			continue
		}
		happening := Happening{At: step.EndedAt, What: step.State.String(), Step: step.Name, Took: step.Took, Tries: step.Tries, Why: step.Arm}
		if step.Failure != nil {
			happening.Why = step.Failure.Message
		}
		all = append(all, happening)
	}
	if !c.Ended.IsZero() {
		all = append(all, Happening{At: c.Ended, What: string(c.State)})
	}
	slices.SortStableFunc(all, func(a, b Happening) int {
		return a.At.Truncate(time.Millisecond).Compare(b.At.Truncate(time.Millisecond))
	})
	return all, nil
}
