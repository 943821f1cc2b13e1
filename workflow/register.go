package workflow

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Registrable is a [Workflow], whatever its types.
type Registrable interface{ Plan() *plan.Plan }

// Register makes the servers that serve mux carry out runs of the workflows: it
// adds a handler for each of their steps, and one for each workflow that decides
// what follows from a failure, a map or an end, in a queue that is reserved for
// it and served with workers of its own. It must be called before the server
// starts, with the mux that the server is given.
//
// Steps go into ordinary queues, which the server's Config must name. Workflows
// that share a step must be registered in one call. Register panics, as Mux does,
// if a step's name is taken by another handler or another step, or two workflows
// have one name.
func Register(mux *task.Mux, flows ...Registrable) {
	e := &engine{plans: make(map[string]*plan.Plan)}
	steps := make(map[string]*plan.Origin)
	for _, f := range flows {
		p := f.Plan()
		if e.plans[p.Name] != nil {
			panic(fmt.Sprintf("workflow.Register: two workflows are called %q", p.Name))
		}
		e.plans[p.Name] = p
		for _, n := range p.Nodes {
			switch {
			case n.Spec.Call == nil:
			case steps[n.Spec.Type] == nil:
				steps[n.Spec.Type] = n.Spec.Origin
				mux.Handle(n.Spec.Type, stepHandler{e, n.Spec})
			case steps[n.Spec.Type] != n.Spec.Origin:
				panic(fmt.Sprintf("workflow.Register: two steps are called %q", n.Spec.Type))
			}
		}
		mux.Handle(decideName(p), decideHandler{e})
		mux.Reserve(decideName(p))
	}
}

// An engine carries out the runs of the workflows that were registered with it.
type engine struct{ plans map[string]*plan.Plan }

// elsewhere is how long an entry waits that this server cannot run, because it
// does not have the workflow, or another version of it: another server may.
const elsewhere = 5 * time.Second

// A visit is one lease of an entry that belongs to a run.
type visit struct {
	graph
	running *queue.Running
	lease   broker.Lease
	node    *plan.Node
	cause   string // of a decide; "" for a step
	index   int    // of a map's element; otherwise -1
	control control
	version int64 // of the control document, as last seen
	values  *values
}

// visit finds out what a leased entry is for. The errors are outcomes for the
// task: dropped if its run has gone or ended, put off if this server does not
// have its plan.
func (e *engine) visit(running *queue.Running) (*visit, error) {
	lease := running.Lease()
	v := &visit{running: running, lease: lease, graph: graph{home: lease.Entry.Home}}
	if len(lease.Documents) == 0 {
		return nil, fmt.Errorf("entry %s of run %s reads no control document: %w", lease.Entry, v.home.ID, task.SkipRetry)
	}
	var err error
	if v.control, err = decodeControl(lease.Documents[0]); err != nil {
		return nil, fmt.Errorf("run %s: %w: %w", v.home.ID, err, task.Revoke)
	}
	v.version = lease.Documents[0].Version
	if v.control.State.Ended() {
		return nil, fmt.Errorf("run %s is %s: %w", v.home.ID, v.control.State, task.Revoke)
	}
	v.tag = v.control.Tag
	if !strings.HasPrefix(lease.Entry.ID, v.root()) {
		return nil, fmt.Errorf("entry %s is left of an earlier run %s: %w", lease.Entry, v.home.ID, task.Revoke)
	}
	v.Plan = e.plans[v.control.Workflow]
	if v.Plan == nil || v.Hash != v.control.Plan {
		return nil, fmt.Errorf("run %s goes by plan %s of workflow %s, which is not registered here: %w",
			v.home.ID, v.control.Plan, v.control.Workflow, task.Snooze(elsewhere))
	}
	if queue := decideName(v.Plan); !running.Serves(queue) {
		return nil, fmt.Errorf("server does not serve %s, as it would if it had been started with the mux on which workflow %s was registered before: %w",
			queue, v.Name, task.ErrHandlerNotFound)
	}
	if v.node, v.cause, v.index = v.place(lease.Entry.ID); v.node == nil {
		return nil, fmt.Errorf("entry %s is no part of workflow %s: %w", lease.Entry, v.Name, task.SkipRetry)
	}
	v.values = newValues(v.graph, running.Broker(), lease.Documents)
	return v, nil
}

// change returns a change of the run that settles s.
func (v *visit) change(s broker.Settlement) broker.Change {
	return broker.Change{
		Settle:  []broker.Settlement{s},
		Home:    v.home,
		Require: []broker.Condition{{Key: plan.ControlKey, Version: v.version}},
	}
}

// end adds to c what ends the run: the control document, and the time until
// which it is kept.
func (v *visit) end(c *broker.Change, last control) {
	c.Require = nil // the Put checks the same version
	c.Put = append(c.Put, last.put(v.version))
	c.Close = last.Ended.Add(v.Retention)
}

// A stepHandler runs a step's function.
type stepHandler struct {
	engine *engine
	spec   plan.Spec
}

// ProcessTask runs the step. A task that belongs to no run gets its payload as
// input and leaves its output as its result.
func (h stepHandler) ProcessTask(ctx context.Context, t *task.Task) error {
	running, ok := queue.FromContext(ctx)
	if !ok || running.Lease().Entry.Home.IsZero() {
		return h.alone(ctx, t)
	}
	v, err := h.engine.visit(running)
	if err != nil {
		return err
	}
	return v.runStep(ctx)
}

func (h stepHandler) alone(ctx context.Context, t *task.Task) error {
	out, err := h.spec.Call(ctx, t.Payload())
	if err != nil {
		return err
	}
	if w := t.ResultWriter(); w != nil {
		_, err = w.Write(out)
	}
	return err
}
