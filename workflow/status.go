package workflow

import (
	"context"
	"fmt"
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
	Parent     string            // id of the run that it is a step of
	Headers    map[string]string // that all its tasks have for a [Tracer]; nil: none. They must not be modified
	Events     []Event           // what was done to it, the last fifty things, the oldest first
	Steps      []StepStatus      // in the order in which the workflow declares them
}

// A StepStatus is how far a step of a run has come.
type StepStatus struct {
	Name  string
	Kind  string // "step", "map", "loop", "choice", "first", "gate", "await" or "sleep"
	State StepState

	After  []string // the steps that it waits for, in the order in which they are declared
	Choice string   // the choice on an arm of which it is; "": on none
	Case   string   // that arm

	Runs     string // type of its tasks, or name of the workflow whose runs it is
	Workflow bool   // it is a run of a workflow, or several
	Queue    string // that its tasks are in, or beside which its runs are kept
	TaskID   string // its task, as long as that is kept; of a loop that of its round. "": it has none, or several
	Child    string // id of the run that it is, if that has begun. For maps see [Handle.Items]
	Signal   string // that it waits for

	Known  bool // whether Width is; that of a map is when it begins
	Width  int  // how many tasks it consists of
	Ended  int  // of those, how many have ended
	Failed int  // of those, how many have failed
	Rounds int  // of a loop: how many are over

	Added []StepStatus // the steps that it has added to the run, see [Add]; those have none, and wait for it

	// ReadyAt is when the last step that it waits for had ended; zero if that is not known.
	// Began is when the attempt began that it came to its outcome by, or a wait; zero if it
	// has not, or nobody has written it down: that a task runs is known to its server. Of a map
	// that has ended it is when the first of its items began, if it has few.
	ReadyAt time.Time
	Began   time.Time

	Until   time.Time     // of a step that waits: until when
	EndedAt time.Time     // when it came to its outcome; zero for a map of many items that was done
	Took    time.Duration // how long the attempt took that it came to it by
	Tries   int           // how many attempts that took
	Arm     string        // of a choice: the arm that was taken
	Failure *StepError    // why it failed

	// Of a step whose task has not ended: the task's state, 0 if it has none; when it is tried
	// again; and the attempts so far, the last ones.
	TaskState task.State
	NextTry   time.Time
	Attempts  []broker.Attempt

	// Problem is what keeps the step's task: the error of its last attempt, that there
	// is no server that can carry it out, or that it is parked. Of maps it is not told.
	Problem string
}

// Status reads how far the run has come, or [ErrRunNotFound]. It takes five trips or so,
// however many steps there are, and one for each task that is under way.
func (h Handle) Status(ctx context.Context) (Status, error) {
	v, err := h.values(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("run %s: %w", h.ID, err)
	}
	s, err := v.status(ctx)
	if err != nil {
		return s, fmt.Errorf("run %s: %w", h.ID, err)
	}
	return s, nil
}

func (v *values) status(ctx context.Context) (Status, error) {
	c := v.control
	s := Status{
		ID: v.home.ID, Workflow: c.Workflow, State: c.State, Started: c.Started, Begins: c.Begins, Deadline: c.Deadline, Ended: c.Ended,
		Failure: c.Failure, Retries: c.Epoch, Attributes: c.Attributes, Headers: c.Trace, Events: c.Events,
	}
	if c.Parent != nil {
		s.Parent = c.Parent.ID
	}
	look := newSurvey(v)
	if err := look.read(ctx); err != nil {
		return s, err
	}
	for _, n := range v.Settling() {
		if n.Kind == plan.End {
			continue
		}
		step, err := look.step(ctx, n)
		if err != nil {
			return s, err
		}
		s.Steps = append(s.Steps, step)
	}
	return s, nil
}
