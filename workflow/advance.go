package workflow

import (
	"slices"
	"strconv"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// This file says what follows from what. It is pure: plans in, parts of changes
// out. The rest of the package commits them.

const joint = string(task.Joint)

// A graph is one run's plan, with the names that its entries get.
type graph struct {
	*plan.Plan
	home broker.Home
	tag  string
}

// root is what the ids of the run's entries begin with: run~tag.
func (g graph) root() string { return g.home.ID + joint + g.tag + joint }

// begin returns what starts a run: its latches, and the entries that wait for
// nothing but its input.
func (g graph) begin() (open []broker.Latch, ready []broker.Entry) {
	for _, n := range g.Nodes {
		switch {
		case n.Kind != plan.Step && n.Kind != plan.Map && n.Kind != plan.End:
		case len(n.Sources) == 0:
			ready = append(ready, g.entry(n))
		case !n.Single():
			open = append(open, broker.Latch{ID: n.Join(), Total: len(n.Sources), Then: broker.Part{Enqueue: []broker.Entry{g.entry(n)}}})
		}
	}
	return open, ready
}

// follow returns what follows when n has ended well: the entries of those that
// waited for it alone, and arrivals at the latches of those that wait for more.
func (g graph) follow(n *plan.Node) (p broker.Part) {
	for _, c := range n.Consumers {
		next := g.Nodes[c]
		if next.Single() {
			p.Enqueue = append(p.Enqueue, g.entry(next))
		} else {
			p.Arrive = append(p.Arrive, broker.Arrival{Latch: next.Join(), Member: slices.Index(next.Sources, n.Index)})
		}
	}
	return p
}

// ends reports whether n is the one step that the end waits for, so that its
// outcome can end the run in the same commit.
func (g graph) ends(n *plan.Node) bool {
	end := g.Node(plan.EndName)
	return n.Kind == plan.Step && end.Single() && end.Sources[0] == n.Index
}

// latch returns the latch over a map's items. The first item that fails stops
// it: what runs is waited for, the rest is forgotten, and the run is failed.
func (g graph) latch(n *plan.Node, width int) broker.Latch {
	return broker.Latch{
		ID: n.Name, Total: width, Window: n.Parallel, StopAt: 1,
		Then: g.follow(n),
		Else: broker.Part{Enqueue: []broker.Entry{g.failed(n)}},
	}
}

// entry returns the entry that runs n: a task of the step, or a decide that
// feeds the map or ends the run.
func (g graph) entry(n *plan.Node) broker.Entry {
	switch n.Kind {
	case plan.Map:
		return g.decide("expand", n)
	case plan.End:
		return g.decide("end", n)
	}
	e := g.task(n, g.root()+n.Name)
	e.Reads, e.Exit = g.reads(n), g.lost(n, n.Name)
	return e
}

// item returns the entry of a map's i-th element.
func (g graph) item(n *plan.Node, i int, element []byte) broker.Entry {
	e := g.task(n, g.root()+n.ItemKey(i))
	e.Payload, e.Reads = element, []string{plan.ControlKey}
	e.Exit = g.lost(n, n.ItemKey(i))
	return e
}

// failed returns the decide that fails the run because n has failed.
func (g graph) failed(n *plan.Node) broker.Entry {
	e := g.decide("fail", n)
	e.Reads = []string{plan.ControlKey, n.ErrorKey()}
	return e
}

func (g graph) task(n *plan.Node, id string) broker.Entry {
	return broker.Entry{
		EntryRef:   broker.EntryRef{Queue: n.Settings.Queue, ID: id},
		Type:       n.Spec.Type,
		Headers:    n.Settings.Headers,
		MaxRetry:   n.Settings.MaxRetry,
		MaxCrashes: n.Settings.MaxCrashes,
		Timeout:    n.Settings.Timeout,
		Deadline:   n.Settings.Deadline,
		Home:       g.home,
	}
}

// decide returns an entry of the engine's own: one id for each cause, in the
// queue that is reserved for the workflow.
func (g graph) decide(cause string, n *plan.Node) broker.Entry {
	e := g.decision(cause, n.Name)
	e.Reads, e.Exit = g.reads(n), g.lost(n, n.Name)
	return e
}

// lost returns the decide about an entry that has ended otherwise than by its own
// settlement: one that was deleted or archived by hand, cancelled, too late, or
// poison. It is enqueued by whatever ends the entry, so that the run does not wait
// for an outcome that nobody sends. part is the name of n, or of an item.
func (g graph) lost(n *plan.Node, part string) *broker.Entry {
	e := g.decision("lost", part)
	e.Reads = []string{plan.ControlKey, n.ErrorKey()}
	return &e
}

func (g graph) decision(cause, part string) broker.Entry {
	name := decideName(g.Plan)
	return broker.Entry{
		EntryRef: broker.EntryRef{Queue: name, ID: g.root() + joint + cause + joint + part},
		Type:     name,
		MaxRetry: task.DefaultMaxRetry,
		Timeout:  task.DefaultTimeout,
		Home:     g.home,
	}
}

// decideName is the type of a workflow's decides, and the queue reserved for them.
func decideName(p *plan.Plan) string { return p.Name + joint + "decide" }

// reads names the documents that running n needs: the control document and the
// values it takes. The outputs of maps are left out: they are many, and are read
// in pages.
func (g graph) reads(n *plan.Node) []string {
	keys := []string{plan.ControlKey}
	for _, d := range g.inputs(n) {
		if dep := g.Nodes[d]; dep.Kind == plan.Input {
			keys = append(keys, plan.InputKey)
		} else {
			keys = append(keys, dep.Name)
		}
	}
	return keys
}

// inputs returns the nodes whose documents n's value is computed from, through
// pure functions.
func (g graph) inputs(n *plan.Node) []int {
	return g.Through(n, func(dep *plan.Node) bool { return dep.Kind != plan.Bind })
}

// place finds which node of the plan an entry of a run is, and which item if it
// is a map's, from its id: root~step, root~step~item, or root~~cause~ and one of
// these. The cause is "" for a task. A nil node means that the plan has none of
// that name.
func (g graph) place(id string) (n *plan.Node, cause string, item int) {
	rest := strings.TrimPrefix(id, g.root())
	if strings.HasPrefix(rest, joint) {
		cause, rest, _ = strings.Cut(rest[1:], joint)
	}
	if n := g.Node(rest); n != nil {
		return n, cause, -1
	}
	name, index, _ := strings.Cut(rest, joint)
	item, err := strconv.Atoi(index)
	if err != nil {
		return nil, cause, -1
	}
	return g.Node(name), cause, item
}
