package workflow

import "fmt"

// A State says how a run stands.
type State string

// The states of a run.
const (
	Running   State = "running"
	Paused    State = "paused"  // nothing new of it begins
	Closing   State = "closing" // it has failed, was cancelled or is too late: what runs is waited for
	Undoing   State = "undoing" // its reversible steps are being undone
	Stuck     State = "stuck"   // a step could not be undone: see [Handle.Resume]
	Done      State = "done"    // it has a result
	Failed    State = "failed"  // a step of it failed for good
	Cancelled State = "cancelled"
	TimedOut  State = "timed out" // its deadline has passed
)

// Ended reports whether the run will not change any more, unless it is retried.
func (s State) Ended() bool {
	switch s {
	case Done, Failed, Cancelled, TimedOut:
		return true
	}
	return false
}

// open reports whether steps of the run may yet begin, now or after a pause.
func (s State) open() bool { return s == Running || s == Paused }

// A StepState says how a step of a run stands.
type StepState int

// The states of a step.
const (
	StepWaiting   StepState = iota // for others, or for a worker
	StepRunning                    // it has begun, or been tried
	StepDone                       // it has an output
	StepFailed                     // its retries are used up, or something that it needs has failed
	StepSkipped                    // it is on an arm that was not taken
	StepCancelled                  // it was cancelled or deleted before it was done
)

var stepStateNames = [...]string{"waiting", "running", "done", "failed", "skipped", "cancelled"}

// String returns the state's word.
func (s StepState) String() string {
	if s < StepWaiting || s > StepCancelled {
		return fmt.Sprintf("StepState(%d)", int(s))
	}
	return stepStateNames[s]
}

// Ended reports whether the step has an outcome.
func (s StepState) Ended() bool { return s >= StepDone }

// bad reports whether the step has come to nothing, other than by a decision.
func (s StepState) bad() bool { return s == StepFailed || s == StepCancelled }
