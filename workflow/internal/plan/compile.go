package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/task"
)

// MaxNodes is how many nodes that settle a plan may have: what becomes of all of
// them fits into one change.
const MaxNodes = 250

// Compile completes p, whose nodes have been declared, and whose run ends with
// the value of node result. The error says of each step whose options are
// refused why, joined.
func (p *Plan) Compile(result int) error {
	p.Nodes = append(p.Nodes, &Node{Index: len(p.Nodes), Name: EndName, Kind: End, Deps: []int{result}})
	var faults []error
	for _, n := range p.Nodes {
		if n.Kind == First {
			faults = append(faults, p.single(n))
		}
	}
	if n := len(p.Settling()); n > MaxNodes {
		faults = append(faults, task.Invalid("workflow", p.Name, fmt.Sprintf("has %d steps, more than %d", n, MaxNodes)))
	}
	p.Connect()
	for _, n := range p.Nodes {
		if n.Kind == Choice {
			faults = append(faults, p.bounded(n))
		}
	}
	p.Hash = p.hash()
	return errors.Join(faults...)
}

// maxSkips is how many parts the change may have by which a choice takes an arm.
const maxSkips = 900

// bounded refuses a choice of which the arms not taken are told to too many.
func (p *Plan) bounded(choice *Node) error {
	parts := len(choice.Consumers)
	for _, n := range p.Nodes {
		if n.Kind.Settles() && p.Within(n, choice.Index, -1) {
			parts += 1 + len(n.Consumers)
		}
	}
	if parts <= maxSkips {
		return nil
	}
	return task.Invalid("dag."+string(choice.Kind), choice.Name, fmt.Sprintf(
		"has arms with %d steps and edges, more than %d; make workflows of them", parts, maxSkips))
}

// single refuses what comes first if it is not of one node.
func (p *Plan) single(n *Node) error {
	for _, d := range n.Deps {
		w := walk{plan: p, edges: make(map[int]Edge)}
		w.from(d, Edge{})
		if len(w.edges) != 1 {
			return task.Invalid("dag.First", n.Name, "takes values of one step each; use Do on what is joined")
		}
	}
	return nil
}

// Resolve fills in what a step's options come to, queue being the default.
func (u *Unit) Resolve(queue string, lists ...[]task.Option) error {
	s, err := task.Resolve(time.Time{}, append([][]task.Option{{task.Queue(queue)}}, lists...)...)
	if err != nil {
		return err
	}
	if s.ID != "" || s.Unique.Mode != 0 || !s.StartBy.IsZero() || !s.ProcessAt.IsZero() || s.Group != "" {
		return task.Invalid("option", fmt.Sprint(slices.Concat(lists...)),
			"a step takes Queue, MaxRetry, MaxCrashes, Timeout, NoTimeout, Deadline, Retention and Header")
	}
	u.Queue, u.MaxRetry, u.MaxCrashes = s.Queue, s.MaxRetry, s.MaxCrashes
	u.Timeout, u.Deadline, u.Retention, u.Headers = s.Timeout, s.Deadline, s.Retention, s.Headers
	return nil
}

// Connect finds out who waits for whom.
func (p *Plan) Connect() {
	p.byName = make(map[string]*Node, len(p.Nodes))
	for _, n := range p.Nodes {
		n.Sources, n.Consumers = nil, nil
		if !n.Kind.Settles() {
			continue
		}
		p.byName[n.Name] = n
		w := walk{plan: p, edges: make(map[int]Edge)}
		for _, d := range n.Deps {
			w.from(d, Edge{})
		}
		for _, d := range n.After {
			w.from(d, Edge{})
		}
		if n.Guard != nil {
			w.meet(n.Guard.Choice, Edge{})
		}
		n.Sources = w.sources()
	}
	p.sink()
	for _, n := range p.Nodes {
		for i := range n.Sources {
			e := &n.Sources[i]
			e.Member, e.Maybe = i, e.Maybe || n.Kind == First
			from := p.Nodes[e.Node]
			back := *e
			back.Node = n.Index
			from.Consumers = append(from.Consumers, back)
		}
	}
	p.findFatal()
	for _, n := range p.Nodes {
		if n.Kind.Settles() {
			n.Reads, n.TakesInput = p.findReads(n)
		}
	}
}

// sink has the end wait for the nodes that nothing else waits for, and for those that
// only arms wait for, which may not be taken: a run has ended when all of it has.
func (p *Plan) sink() {
	end := p.End()
	awaited, guarded := make([]bool, len(p.Nodes)), make([]bool, len(p.Nodes))
	for _, n := range p.Nodes {
		for _, e := range n.Sources {
			if g := n.Guard; g == nil || g.Choice == e.Node || p.Within(p.Nodes[e.Node], g.Choice, g.Arm) {
				awaited[e.Node] = true
			} else {
				guarded[e.Node] = true
			}
		}
	}
	for _, n := range p.Nodes {
		if n.Kind.Settles() && n != end && !awaited[n.Index] {
			may := guarded[n.Index] // whoever takes it says what its failure means
			end.Sources = append(end.Sources, Edge{Node: n.Index, Skipped: true, Failed: may, Maybe: may})
		}
	}
	slices.SortFunc(end.Sources, func(a, b Edge) int { return a.Node - b.Node })
}

// findFatal finds the nodes whose failure is bound to reach the end. That of what only
// an arm of a choice needs is not, as it may not be taken.
func (p *Plan) findFatal() {
	p.End().Fatal = true
	for _, n := range slices.Backward(p.Nodes) { // whoever waits stands behind whom it waits for
		for _, e := range n.Consumers {
			next := p.Nodes[e.Node]
			certain := next.Guard == nil || p.Within(n, next.Guard.Choice, next.Guard.Arm)
			n.Fatal = n.Fatal || !e.Failed && !e.Maybe && certain && next.Fatal
		}
	}
}

// A walk goes from a value back to the nodes that it is computed from.
type walk struct {
	plan  *Plan
	edges map[int]Edge
	seen  map[step]bool
}

type step struct {
	node int
	edge Edge
}

// from follows the value of node i. how is what is known of it so far.
func (w *walk) from(i int, how Edge) {
	at := step{i, how}
	if w.seen[at] {
		return
	}
	if w.seen == nil {
		w.seen = make(map[step]bool)
	}
	w.seen[at] = true
	n := w.plan.Nodes[i]
	switch n.Kind {
	case Input, Const:
	case Bind, Stream:
		for _, d := range n.Deps {
			w.from(d, how)
		}
	case Try:
		how.Failed, how.Skipped = true, true
		w.from(n.Deps[0], how)
	case Merge:
		choice := n.Deps[0]
		w.from(choice, how)
		how.Skipped = true
		for arm, d := range n.Deps[1:] {
			w.arm(choice, arm, d, how)
		}
	default:
		w.meet(i, how)
	}
}

// arm follows the value of an arm. What lies outside of it is needed only if the
// arm is run.
func (w *walk) arm(choice, arm, i int, how Edge) {
	inner := walk{plan: w.plan, edges: make(map[int]Edge)}
	inner.from(i, how)
	for _, e := range inner.sources() {
		e.Maybe = e.Maybe || !w.plan.Within(w.plan.Nodes[e.Node], choice, arm)
		w.meet(e.Node, e)
	}
}

// meet takes note of a node. Of several ways to it the strictest counts.
func (w *walk) meet(i int, how Edge) {
	how.Node = i
	if e, ok := w.edges[i]; ok {
		how.Failed, how.Skipped, how.Maybe = how.Failed && e.Failed, how.Skipped && e.Skipped, how.Maybe && e.Maybe
	}
	w.edges[i] = how
}

func (w *walk) sources() []Edge {
	var found []Edge
	for _, e := range w.edges {
		found = append(found, e)
	}
	slices.SortFunc(found, func(a, b Edge) int { return a.Node - b.Node })
	return found
}

// findReads finds the settling nodes whose outcomes n's values are computed from, in
// order, and whether they are computed from the input.
func (p *Plan) findReads(n *Node) (nodes []*Node, takesInput bool) {
	seen := make([]bool, len(p.Nodes))
	var visit func(deps []int)
	visit = func(deps []int) {
		for _, d := range deps {
			dep := p.Nodes[d]
			switch {
			case seen[d]:
				continue
			case dep.Kind == Input:
				takesInput = true
			case dep.Kind.Settles():
				nodes = append(nodes, dep)
			}
			seen[d] = true
			if !dep.Kind.Settles() || dep.Kind == First {
				visit(dep.Deps)
			}
		}
	}
	visit(n.Deps)
	slices.SortFunc(nodes, func(a, b *Node) int { return a.Index - b.Index })
	return nodes, takesInput
}

// hash returns a short hash of everything that a run depends on while it goes.
func (p *Plan) hash() string {
	h := sha256.Sum256(p.Encode())
	return hex.EncodeToString(h[:8])
}

// Encode returns p as data.
func (p *Plan) Encode() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("plan: encode %s: %v", p.Name, err)) // plain values: it cannot fail
	}
	return b
}
