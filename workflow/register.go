package workflow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Registrable is what a server can carry out: a [Workflow] or a [Step], whatever
// its types.
type Registrable interface{ Spec() plan.Spec }

// Register makes the servers that serve mux carry out runs of the workflows: it
// adds a handler for each of their steps, and one for each workflow that decides
// what follows from a failure, a map or an end, in a queue that is reserved for
// it and served with workers of its own. It must be called before the server
// starts, with the mux that the server is given.
//
// Workflows that are steps of others are registered with them. A step is given
// to have it carried out although no workflow here has it any more: by runs that
// were started before it was taken out of one, or as a task of its own. Several
// workflows of one name are versions of it: the first one is started where it is a
// step of another, and runs of any of them go on.
//
// Steps go into ordinary queues, which the server's Config must name. Workflows
// that share a step must be registered in one call. Register panics, as Mux does,
// if a step's name is taken by another handler or another step.
func Register(mux *task.Mux, flows ...Registrable) *Registration {
	e := newEngine()
	for _, f := range flows {
		e.adopt(f.Spec())
	}
	for typ, s := range e.program.Specs {
		if !s.Workflow {
			mux.Handle(typ, stepHandler{e, s})
		}
	}
	if units := e.batched(); len(units) > 0 {
		mux.Background(units[0].Type+joint+units[0].Queue+joint+"batches", e.gather(units))
	}
	for name := range e.names {
		mux.Handle(decideName(name), decideHandler{e})
		mux.Handle(StartType(name), startHandler{e.program.Specs[name].Plan})
		mux.Reserve(decideName(name))
		mux.Background(name+joint+"sweep", e.sweep(e.program.Specs[name].Plan))
	}
	return &Registration{e}
}

// A Registration is what was registered together. Its methods may be called from several
// goroutines.
type Registration struct{ engine *engine }

// A Sweep is a round in which a server has looked after all runs of a workflow that have
// not ended, in case that something of them has gone without a word.
type Sweep struct {
	Workflow     string
	Began, Ended time.Time
	Runs         int // that were looked at
	Entries      int // of theirs
	Mended       int // how much was found missing, and the runs told of
}

// Sweeps returns the last round of each workflow that a server of this process has
// finished, in order of the workflows' names. How long it takes, and how long ago it
// ended, is for how long a run may wait for what nobody tells it of.
func (r *Registration) Sweeps() []Sweep {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	var all []Sweep
	for _, name := range slices.Sorted(maps.Keys(r.engine.sweeps)) {
		all = append(all, r.engine.sweeps[name])
	}
	return all
}

// An engine carries out the runs of what was registered with it.
type engine struct {
	program plan.Program
	names   map[string]bool       // of workflows
	plans   map[string]*plan.Plan // by their hashes

	mu     sync.Mutex
	linked map[string]linked // plans that were stored by other versions, by their hashes
	sweeps map[string]Sweep  // the last of each workflow

	controls controlCache
}

type linked struct {
	plan *plan.Plan
	err  error // what is missing
}

func newEngine() *engine {
	return &engine{
		program: plan.Program{Specs: make(map[string]plan.Spec)},
		names:   make(map[string]bool),
		plans:   make(map[string]*plan.Plan),
		linked:  make(map[string]linked),
		sweeps:  make(map[string]Sweep),
	}
}

// adopt takes in a step or a workflow, and what it consists of.
func (e *engine) adopt(s plan.Spec) {
	if s.Workflow {
		e.adoptPlan(s)
		return
	}
	other, taken := e.program.Specs[s.Type]
	if taken && (other.Workflow || other.Origin != s.Origin) {
		panic(fmt.Sprintf("workflow.Register: two steps are called %q", s.Type))
	}
	if !taken || s.Undoing != nil {
		e.program.Specs[s.Type] = s
	}
	if s.Undoing != nil {
		e.adopt(*s.Undoing)
	}
}

func (e *engine) adoptPlan(s plan.Spec) {
	if e.plans[s.Plan.Hash] != nil {
		return
	}
	e.plans[s.Plan.Hash], e.names[s.Plan.Name] = s.Plan, true
	e.program.Plans = append(e.program.Plans, s.Plan)
	if other, taken := e.program.Specs[s.Type]; !taken {
		e.program.Specs[s.Type] = s
	} else if !other.Workflow {
		panic(fmt.Sprintf("workflow.Register: a step and a workflow are called %q", s.Type))
	}
	for _, part := range s.Plan.Specs {
		e.adopt(part)
	}
}

// plan returns the plan of the given hash: one that was registered, or one that
// was stored when the run began, if all that it consists of is registered.
func (e *engine) plan(ctx context.Context, running server, workflow, hash string) (*plan.Plan, error) {
	if p := e.plans[hash]; p != nil {
		return p, nil
	}
	e.mu.Lock()
	known, ok := e.linked[hash]
	e.mu.Unlock()
	if ok {
		return known.plan, known.err
	}
	data, err := storedPlan(ctx, running.Broker(), running.Lease().Entry.Home.Queue, workflow, hash)
	if err != nil {
		return nil, err
	}
	known.plan, known.err = plan.Link(data, e.program)
	if known.err == nil && known.plan.Hash != hash {
		known.plan, known.err = nil, fmt.Errorf("stored plan %s reads as %s", hash, known.plan.Hash)
	}
	e.mu.Lock()
	e.linked[hash] = known
	e.mu.Unlock()
	return known.plan, known.err
}
