package workflow

import (
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// This file says what follows from what. It is pure: plans in, parts of changes
// out. The rest of the package commits them.

// begin returns what starts a run: its latches, and the entries that wait for
// nothing but its input.
func (g graph) begin() (open []broker.Latch, ready []broker.Entry) {
	for _, n := range g.Settling() {
		switch {
		case n.Joins():
			open = append(open, g.join(n))
		case len(n.Sources) == 0:
			ready = append(ready, g.entry(n))
		}
	}
	return open, ready
}

// join returns the latch over what n waits for. If all of it is well n begins;
// otherwise a decide finds out what has become of it.
func (g graph) join(n *plan.Node) broker.Latch {
	return broker.Latch{
		ID: g.joinLatch(n), Total: len(n.Sources),
		Then: broker.Part{Enqueue: []broker.Entry{g.entry(n)}},
		Else: broker.Part{Enqueue: []broker.Entry{g.decide(causeResolve, n)}},
	}
}

// fold returns the latch over a map's items, which has as many failures as
// StopAt says stop it.
func (g graph) fold(n *plan.Node, width int) broker.Latch {
	return broker.Latch{
		ID: itemLatch(n, g.control.Epoch), Total: width, Window: n.Fold.Parallel, StopAt: n.Fold.StopAt, Tolerate: tolerated(n, width),
		Then: g.follow(n, StepDone),
		Else: broker.Part{Enqueue: []broker.Entry{g.decide(causeResolve, n)}},
	}
}

// tolerated returns how many items of a map may fail.
func tolerated(n *plan.Node, width int) int {
	if n.Fold.Tried {
		return width
	}
	return n.Fold.Tolerate
}

// follow returns what follows when n has ended in a state: the entries of those
// that waited for it alone, and arrivals at the latches of those that wait for
// more. Those on the arms of a choice are not among them: see [graph.take].
func (g graph) follow(n *plan.Node, state StepState) (p broker.Part) {
	for _, e := range n.Consumers {
		next := g.Nodes[e.Node]
		if n.Kind == plan.Choice && state == StepDone && next.Guard != nil && next.Guard.Choice == n.Index {
			continue
		}
		g.reach(next, e, state, &p)
	}
	return p
}

// reach adds to p what it means for next that what is at the other end of e has
// ended in a state.
func (g graph) reach(next *plan.Node, e plan.Edge, state StepState, p *broker.Part) {
	well := state == StepDone || e.Skipped && state == StepSkipped || e.Failed && state.bad()
	switch {
	case next.Kind == plan.First:
		p.Enqueue = append(p.Enqueue, g.told(next, e.Member))
	case next.Joins():
		p.Arrive = append(p.Arrive, broker.Arrival{Latch: g.joinLatch(next), Member: e.Member, Mark: !well})
	case well:
		p.Enqueue = append(p.Enqueue, g.entry(next))
	default:
		p.Enqueue = append(p.Enqueue, g.decide(causeResolve, next))
	}
}

// told returns the decide that looks which of several is first, now that one of those
// that it waits for has ended.
func (g graph) told(n *plan.Node, member int) broker.Entry {
	e := g.decision(causeFirst, itemPart(n, member))
	e.Exit = g.lost(n.Name)
	return e
}

// take returns what follows when a choice has taken an arm: what is on the arm
// may begin, and what is on the others is skipped, with what waits for that.
func (g graph) take(choice *plan.Node, arm int) (skipped []*plan.Node, p broker.Part) {
	p = g.follow(choice, StepDone)
	for _, n := range g.Settling() {
		switch {
		case !g.Within(n, choice.Index, -1):
			continue
		case g.Within(n, choice.Index, arm):
			for _, e := range n.Sources {
				if e.Node == choice.Index {
					g.reach(n, e, StepDone, &p)
				}
			}
			continue
		}
		skipped = append(skipped, n)
		for _, e := range n.Consumers {
			if next := g.Nodes[e.Node]; !g.Within(next, choice.Index, -1) {
				g.reach(next, e, StepSkipped, &p)
			}
		}
	}
	return skipped, p
}

// ends reports whether n is the one step that the end waits for, so that its
// outcome can end the run in the same commit.
func (g graph) ends(n *plan.Node) bool {
	end := g.End()
	return n.Kind == plan.Step && !n.Unit.Workflow && !end.Joint() && end.Sources[0].Node == n.Index
}
