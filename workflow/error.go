package workflow

import (
	"errors"
	"fmt"
	"strings"

	"github.com/leatwork/leat/task"
)

// What a program branches on.
var (
	// ErrRunNotFound is returned for a run that was never started, or whose
	// retention has ended.
	ErrRunNotFound = errors.New("run not found")

	// ErrRunExists is matched by [RunExistsError].
	ErrRunExists = errors.New("run exists already")

	// ErrRunFailed is matched by [RunError].
	ErrRunFailed = errors.New("run failed")

	// ErrRunState is matched by [RunStateError].
	ErrRunState = errors.New("state of the run does not allow it")

	// ErrStepNotFound is returned for a step that the workflow does not have, or
	// that stands otherwise than is asked for.
	ErrStepNotFound = errors.New("no such step")

	// ErrNoOutput is returned for what has no output, or none yet.
	ErrNoOutput = errors.New("no output")

	// ErrInboxFull is returned for a signal when as many wait in the run as it keeps.
	ErrInboxFull = errors.New("too many signals wait")
)

// A RunExistsError is returned by Start if the id belongs to a run of another
// workflow, to one with another input, or to one that the [IfRunning] or [IfEnded]
// of the start refuses. It matches [ErrRunExists].
type RunExistsError struct {
	ID       string
	Workflow string // of the run that exists
	Input    bool   // it is this workflow's, and its input differs
	State    State  // set if it is refused for that
}

// Error says what differs.
func (e *RunExistsError) Error() string {
	switch {
	case e.Input:
		return fmt.Sprintf("run %s of %s exists already, with another input", e.ID, e.Workflow)
	case e.State != "":
		return fmt.Sprintf("run %s of %s exists already, and is %s", e.ID, e.Workflow, e.State)
	}
	return fmt.Sprintf("run %s exists already, of workflow %s", e.ID, e.Workflow)
}

// Is reports whether target is [ErrRunExists].
func (e *RunExistsError) Is(target error) bool { return target == ErrRunExists }

// A StepError says which step failed for good, and why. The error that the step
// returned has become text on its way through storage.
type StepError struct {
	Step    string `json:"step"`
	Item    int    `json:"item"` // of a map: the element's index; of a loop: the round; otherwise -1
	Message string `json:"message"`
}

// Error names the step, and the item if it was a map's.
func (e *StepError) Error() string {
	switch {
	case e.Step == "":
		return e.Message
	case e.Item >= 0:
		return fmt.Sprintf("step %s, item %d: %s", e.Step, e.Item, e.Message)
	}
	return fmt.Sprintf("step %s: %s", e.Step, e.Message)
}

// A RunError is the result of a run that was not done. It matches [ErrRunFailed],
// and unwraps to the [StepError] that failed it.
type RunError struct {
	ID    string
	State State      // Failed, Cancelled, TimedOut or Stuck
	Cause *StepError // nil: no step is to blame
}

// Error names the run, how it ended and why.
func (e *RunError) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("run %s: %s", e.ID, e.State)
	}
	return fmt.Sprintf("run %s %s: %v", e.ID, e.State, e.Cause)
}

// Is reports whether target is [ErrRunFailed].
func (e *RunError) Is(target error) bool { return target == ErrRunFailed }

// Unwrap returns the cause.
func (e *RunError) Unwrap() error {
	if e.Cause == nil {
		return nil
	}
	return e.Cause
}

// A RunStateError is returned for what cannot be done to a run as it stands. It
// matches [ErrRunState].
type RunStateError struct {
	ID    string
	State State
	Want  string // what was to be done
}

// Error names the run, its state and what was asked for.
func (e *RunStateError) Error() string {
	return fmt.Sprintf("%s run %s, which is %s: %v", e.Want, e.ID, e.State, ErrRunState)
}

// Is reports whether target is [ErrRunState].
func (e *RunStateError) Is(target error) bool { return target == ErrRunState }

// reason returns what is told of a task's last error: without the wish not to be tried
// again, which says nothing of why.
func reason(lastErr string) string {
	return strings.TrimSuffix(lastErr, ": "+task.SkipRetry.Error())
}
