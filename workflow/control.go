package workflow

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A State says how a run stands.
type State string

// The states of a run.
const (
	Running State = "running"
	Done    State = "done"   // it has a result
	Failed  State = "failed" // a step of it failed for good
)

// Ended reports whether the run will not change any more.
func (s State) Ended() bool { return s != Running }

// A control is a run's control document: what decides whether its steps go on.
// Starting a run writes it, and ending it does, and nothing in between: steps
// only require the version they have seen, so that wide maps never conflict.
type control struct {
	Workflow string     `json:"workflow"`
	Plan     string     `json:"plan"`  // hash of the plan that the run was started with
	Input    string     `json:"input"` // hash of its input
	Tag      string     `json:"tag"`   // what the ids of its entries have, and those of no other run
	State    State      `json:"state"`
	Started  time.Time  `json:"started"`
	Ended    time.Time  `json:"ended,omitzero"`
	Failure  *StepError `json:"failure,omitempty"`
}

// decodeControl reads a control document. One that does not exist, because the
// run is unknown or its retention has ended, is [ErrRunNotFound].
func decodeControl(d broker.Document) (control, error) {
	var c control
	if d.Version == 0 {
		return c, ErrRunNotFound
	}
	if err := json.Unmarshal(d.Body, &c); err != nil {
		return c, fmt.Errorf("control document: %w", err)
	}
	return c, nil
}

// encode returns c as a document's body. It consists of plain values: encoding
// cannot fail.
func (c control) encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("workflow: encode control document: %v", err))
	}
	return b
}

// put returns the write that makes c the control document that was at version.
func (c control) put(version int64) broker.Put {
	return broker.Put{Key: plan.ControlKey, Body: c.encode(), If: version}
}

// done returns c at the end of a run that succeeded.
func (c control) done(now time.Time) control {
	c.State, c.Ended = Done, now
	return c
}

// failed returns c at the end of a run in which a step failed.
func (c control) failed(now time.Time, failure StepError) control {
	c.State, c.Ended, c.Failure = Failed, now, &failure
	return c
}
