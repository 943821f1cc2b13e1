package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Run is one execution of a workflow. It is a name, not a connection: it costs
// nothing to keep and may be used by several goroutines.
type Run[Out any] struct {
	ID      string
	Existed bool // Start found it instead of starting it

	home   broker.Home
	plan   *plan.Plan
	broker broker.Broker
}

// A Status is how far a run has come.
type Status struct {
	ID       string
	Workflow string
	State    State
	Started  time.Time
	Ended    time.Time    // zero while it is running
	Failure  *StepError   // of a run that failed
	Steps    []StepStatus // in the order in which the workflow declares them
}

// A StepStatus is how far a step of a run has come.
type StepStatus struct {
	Name   string
	Known  bool // whether Width is; that of a map is when it begins
	Width  int  // how many tasks it consists of
	Ended  int  // of those, how many have ended
	Failed int  // of those, how many have failed
}

// Status reads how far the run has come, or [ErrRunNotFound].
func (r Run[Out]) Status(ctx context.Context) (Status, error) {
	c, err := r.control(ctx)
	if err != nil {
		return Status{}, fmt.Errorf("run %s: %w", r.ID, err)
	}
	s := Status{ID: r.ID, Workflow: c.Workflow, State: c.State, Started: c.Started, Ended: c.Ended, Failure: c.Failure}
	s.Steps, err = r.steps(ctx)
	return s, err
}

func (r Run[Out]) control(ctx context.Context) (control, error) {
	docs, err := r.broker.Documents(ctx, r.home, plan.ControlKey)
	if err != nil {
		return control{}, err
	}
	return decodeControl(docs[0])
}

// steps reads the progress of each step: its output is there or not, and a map's
// latch counts what has arrived.
func (r Run[Out]) steps(ctx context.Context) ([]StepStatus, error) {
	var nodes []*plan.Node
	var keys []string
	for _, n := range r.plan.Nodes {
		if n.Kind == plan.Step || n.Kind == plan.Map {
			nodes, keys = append(nodes, n), append(keys, n.Name, n.ErrorKey())
		}
	}
	docs, err := r.broker.Documents(ctx, r.home, keys...)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.ID, err)
	}
	steps := make([]StepStatus, len(nodes))
	for i, n := range nodes {
		done, failed := docs[2*i].Version > 0, docs[2*i+1].Version > 0
		switch {
		case n.Kind == plan.Step:
			steps[i] = StepStatus{Name: n.Name, Known: true, Width: 1, Ended: count(done || failed), Failed: count(failed)}
		case done: // a map under way, or over
			latches, err := r.broker.Latches(ctx, r.home, n.Name)
			if err != nil {
				return nil, fmt.Errorf("run %s: %w", r.ID, err)
			}
			steps[i] = StepStatus{Name: n.Name, Known: true, Width: latches[0].Total, Ended: latches[0].Arrived, Failed: latches[0].Marked}
		default:
			steps[i] = StepStatus{Name: n.Name}
		}
	}
	return steps, nil
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// How often Result looks: soon at first, less often as the run takes longer.
const (
	firstLook = 5 * time.Millisecond
	lastLook  = 250 * time.Millisecond
)

// Result waits until the run has ended or ctx does. It returns what the run came
// to, a [RunError] if it failed, or [ErrRunNotFound].
func (r Run[Out]) Result(ctx context.Context) (out Out, err error) {
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		docs, err := r.broker.Documents(ctx, r.home, plan.ControlKey, plan.ResultKey)
		if err != nil {
			return out, fmt.Errorf("result of run %s: %w", r.ID, err)
		}
		c, err := decodeControl(docs[0])
		if err != nil {
			return out, fmt.Errorf("result of run %s: %w", r.ID, err)
		}
		switch c.State {
		case Done:
			if out, err = plan.Decode[Out](docs[1].Body); err != nil {
				err = fmt.Errorf("result of run %s: %w", r.ID, err)
			}
			return out, err
		case Failed:
			return out, &RunError{ID: r.ID, Cause: c.Failure}
		}
		select {
		case <-ctx.Done():
			return out, fmt.Errorf("result of run %s: %w", r.ID, context.Cause(ctx))
		case <-time.After(wait):
		}
	}
}
