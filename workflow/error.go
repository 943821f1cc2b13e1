package workflow

import (
	"errors"
	"fmt"
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
)

// A RunExistsError is returned by Start if the id belongs to a run of another
// workflow, or one with another input. It matches [ErrRunExists].
type RunExistsError struct {
	ID       string
	Workflow string // of the run that exists
	Input    bool   // it is this workflow's, and its input differs
}

// Error says what differs.
func (e *RunExistsError) Error() string {
	if e.Input {
		return fmt.Sprintf("run %s of %s exists already, with another input", e.ID, e.Workflow)
	}
	return fmt.Sprintf("run %s exists already, of workflow %s", e.ID, e.Workflow)
}

// Is reports whether target is [ErrRunExists].
func (e *RunExistsError) Is(target error) bool { return target == ErrRunExists }

// A StepError says which step failed for good, and why. The error that the step
// returned has become text on its way through storage.
type StepError struct {
	Step    string `json:"step"`
	Item    int    `json:"item"` // of a map: the element's index; otherwise -1
	Message string `json:"message"`
}

// Error names the step, and the item if it was a map's.
func (e *StepError) Error() string {
	if e.Item >= 0 {
		return fmt.Sprintf("step %s, item %d: %s", e.Step, e.Item, e.Message)
	}
	return fmt.Sprintf("step %s: %s", e.Step, e.Message)
}

// A RunError is the result of a run that failed. It matches [ErrRunFailed] and
// unwraps to the [StepError] that failed it.
type RunError struct {
	ID    string
	Cause *StepError
}

// Error names the run and its cause.
func (e *RunError) Error() string { return fmt.Sprintf("run %s failed: %v", e.ID, e.Cause) }

// Is reports whether target is [ErrRunFailed].
func (e *RunError) Is(target error) bool { return target == ErrRunFailed }

// Unwrap returns the cause.
func (e *RunError) Unwrap() error { return e.Cause }
