package workflow

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A control is a run's control document: what decides whether its steps go on.
// Starting, pausing, retrying and ending a run writes it, and nothing else does:
// steps only require the version they have seen, so that wide maps never conflict.
type control struct {
	Workflow string    `json:"workflow"`
	Plan     string    `json:"plan"`  // hash of the plan that the run was started with
	Input    string    `json:"input"` // hash of its input
	Tag      string    `json:"tag"`   // what the ids of its entries have, and those of no other run
	State    State     `json:"state"`
	Started  time.Time `json:"started"`
	Begins   time.Time `json:"begins,omitzero"`   // it was started to begin then
	Deadline time.Time `json:"deadline,omitzero"` // when it is too late
	Ended    time.Time `json:"ended,omitzero"`

	// Failure is why the run is not done. To is the state that it closes to.
	Failure *StepError `json:"failure,omitempty"`
	To      State      `json:"to,omitempty"`
	Undone  bool       `json:"undone,omitempty"` // steps of it were undone, or begun to be

	// Epoch counts how often it was retried. Resets says from which epoch on the outcomes
	// of some of its steps count, and Items the same of the items of maps and the rounds of
	// loops.
	Epoch  int            `json:"epoch,omitempty"`
	Resets map[string]int `json:"resets,omitempty"`
	Items  map[string]int `json:"items,omitempty"`

	Again time.Time `json:"again,omitzero"` // when it last began again
	Past  []past    `json:"past,omitempty"` // the epochs before, the last ones

	// Trace are headers that all its tasks have, so that they are found to be its. What
	// was decoded is shared: it must not be modified.
	Trace map[string]string `json:"trace,omitempty"`

	Attributes map[string]string `json:"attributes,omitempty"`
	Parent     *parent           `json:"parent,omitempty"`
	Depth      int               `json:"depth,omitempty"` // of runs within runs
	Events     []Event           `json:"events,omitempty"`
}

// A parent is the step that a run is of.
type parent struct {
	Workflow string `json:"workflow"`
	Queue    string `json:"queue"` // of its home
	ID       string `json:"id"`
	Tag      string `json:"tag"`
	Part     string `json:"part"` // the step, or its item
}

// graph returns the parent's graph: enough to give names.
func (p *parent) graph() graph {
	return graph{&plan.Plan{Name: p.Workflow}, broker.Home{Queue: p.Queue, ID: p.ID}, control{Tag: p.Tag}}
}

// An Event is something that was done to a run from outside, or that ended it.
type Event struct {
	At   time.Time `json:"at"`
	What string    `json:"what"` // such as "paused"
	Why  string    `json:"why,omitempty"`
}

// maxEvents is how many events a run keeps: the last ones.
const maxEvents = 50

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
	return broker.Put{Key: controlKey, Body: c.encode(), If: version}
}

// listing returns what the run is found by.
func (c control) listing() *broker.Listing {
	terms := []string{workflowTerm(c.Workflow), stateTerm(c.State)}
	for _, k := range slices.Sorted(maps.Keys(c.Attributes)) {
		terms = append(terms, attributeTerm(k, c.Attributes[k]))
	}
	return &broker.Listing{At: c.Started, Terms: terms}
}

func workflowTerm(name string) string    { return "workflow=" + name }
func stateTerm(s State) string           { return "state=" + string(s) }
func attributeTerm(key, v string) string { return "attribute " + key + "=" + v }

// with returns c in another state, with an event that says so.
func (c control) with(s State, why string) control {
	c.State = s
	return c.noted(string(s), why)
}

// noted returns c with one more event.
func (c control) noted(what, why string) control {
	c.Events = append(slices.Clip(c.Events), Event{At: time.Now(), What: what, Why: why})
	c.Events = c.Events[max(0, len(c.Events)-maxEvents):]
	return c
}

// pausedAt reports whether the run was paused at a time, which is in milliseconds.
func (c control) pausedAt(t time.Time) bool {
	paused := false
	for _, e := range c.Events {
		if !e.At.Truncate(time.Millisecond).After(t) {
			paused = e.What == string(Paused) || paused && e.What == "skipped"
		}
	}
	return paused
}

// done returns c at the end of a run that succeeded.
func (c control) done() control {
	c.State, c.Ended = Done, time.Now()
	return c
}

// closing returns c at the beginning of the end of a run that does not succeed.
// One that fails when it is too late is too late: what its deadline ended has not failed
// by itself.
func (c control) closing(to State, failure *StepError) control {
	if to == Failed && !c.Deadline.IsZero() && !time.Now().Before(c.Deadline) {
		to, failure = TimedOut, nil
	}
	c.To, c.Failure = to, failure
	return c.with(Closing, why(to, failure))
}

func why(to State, failure *StepError) string {
	if failure != nil {
		return failure.Error()
	}
	return string(to)
}

// unstuck returns c of a run that is stuck and goes on.
func (c control) unstuck() control {
	if !c.Undone {
		c.Again = time.Now()
		return c.with(Closing, "resumed")
	}
	c = c.afresh()
	return c.with(Undoing, "resumed")
}

// closed returns c at the end of a run that did not succeed.
func (c control) closed() control {
	c.State, c.Ended = c.To, time.Now()
	return c
}
