package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Workflow is a graph of steps that turns an In into an Out. It is made by
// package dag, and is a value that can be used by several goroutines at once.
type Workflow[In, Out any] struct{ plan *plan.Plan }

// FromPlan is for package dag.
func FromPlan[In, Out any](p *plan.Plan) Workflow[In, Out] { return Workflow[In, Out]{p} }

// Plan is for this package: see [Registrable].
func (w Workflow[In, Out]) Plan() *plan.Plan { return w.plan }

// Name returns the name that the workflow was given.
func (w Workflow[In, Out]) Name() string { return w.plan.Name }

// A StartOption changes how one run starts.
type StartOption func(*start)

type start struct {
	id    string
	given bool
}

// RunID gives the run its id. Starting the same workflow with the same id and
// input again finds the run instead of starting a second one.
func RunID(id string) StartOption { return func(s *start) { s.id, s.given = id, true } }

// Start starts a run with input in. When it returns without error, the run will
// be carried to its end by the servers on which the workflow is registered, even
// if every process stops now.
//
// Without [RunID] the run gets an id of its own (a UUID). If a run of that id
// exists, and is of this workflow and has this input, it is returned with
// Existed set, whether or not it has ended; otherwise the error is a
// [RunExistsError]. An error that matches [queue.ErrUnknown] leaves open whether
// the run was started; starting it again with its id tells.
func (w Workflow[In, Out]) Start(ctx context.Context, c *queue.Client, in In, opts ...StartOption) (Run[Out], error) {
	var s start
	for _, o := range opts {
		o(&s)
	}
	if !s.given {
		s.id = uuid.NewString()
	}
	if c == nil {
		return Run[Out]{}, fmt.Errorf("start %s: %w", w.plan.Name, task.Invalid("client", nil, "must not be nil"))
	}
	if err := task.CheckName("run id", s.id); err != nil {
		return Run[Out]{}, fmt.Errorf("start %s: %w", w.plan.Name, err)
	}
	input, err := plan.Encode(in)
	if err != nil {
		return Run[Out]{}, fmt.Errorf("start %s: input: %w", w.plan.Name, err)
	}
	run := w.Open(c, s.id)
	run.Existed, err = begin(ctx, c.Broker(), w.plan, run.home, input)
	if err != nil {
		return Run[Out]{}, fmt.Errorf("start %s: %w", w.plan.Name, err)
	}
	return run, nil
}

// Open returns the run of this workflow that has the given id, without asking
// whether there is one.
func (w Workflow[In, Out]) Open(c *queue.Client, id string) Run[Out] {
	return Run[Out]{ID: id, home: broker.Home{Queue: w.plan.Queue, ID: id}, plan: w.plan, broker: c.Broker()}
}

// An Option sets what holds for all runs of a workflow.
type Option func(*plan.Plan)

// Queue sets the queue beside which the workflow's runs are kept, and into which
// its steps go unless they say otherwise. The default is [task.DefaultQueue].
func Queue(name string) Option { return func(p *plan.Plan) { p.Queue = name } }

// DefaultRetention is how long a run is kept after it has ended.
const DefaultRetention = 24 * time.Hour

// Retention sets how long a run is kept after it has ended, for its result to be
// read and its id to be remembered. It is a second at least; the default is
// [DefaultRetention].
func Retention(d time.Duration) Option { return func(p *plan.Plan) { p.Retention = d } }
