// Package plan holds a workflow's graph as data: nodes, what each takes, and
// what follows when one has ended. It is compiled once, when the workflow is
// defined, and never changes after.
package plan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/task"
)

// A Kind says what a node is.
type Kind int

// The kinds of node.
const (
	Input Kind = iota + 1 // the run's input
	Step                  // a task
	Map                   // a task for each element of a list
	Bind                  // a pure function of other nodes' values; it is computed where it is needed
	End                   // the end of the run
)

var kindNames = [...]string{Input: "input", Step: "step", Map: "map", Bind: "bind", End: "end"}

// String returns the kind's word.
func (k Kind) String() string { return kindNames[k] }

// A Spec is a step with its types erased.
type Spec struct {
	Type    string
	Origin  *Origin // tells steps of one name apart
	Options []task.Option
	Call    func(ctx context.Context, input []byte) (output []byte, err error)
}

// An Origin is the call that made a step. It has a size, so that no two of them
// have one address.
type Origin struct{ _ byte }

// A Node is a place in the graph.
type Node struct {
	Index    int
	Name     string
	Kind     Kind
	Deps     []int // the nodes whose values it takes, in the order in which it takes them
	Spec     Spec  // of Step and Map
	Options  []task.Option
	Parallel int                                       // of Map: how many items are released at a time; 0: all
	Bind     func(values [][]byte) (b []byte, e error) // of Bind

	Settings  task.Settings // of Step and Map: what the options come to
	Sources   []int         // the steps and maps whose end it waits for
	Consumers []int         // the steps, maps and the end that wait for it
}

// runs reports whether the node is a task or tasks.
func (n *Node) runs() bool { return n.Kind == Step || n.Kind == Map }

// Single reports whether the node follows from the end of one other node, so
// that no latch is needed to join what it waits for.
func (n *Node) Single() bool { return len(n.Sources) == 1 }

// A Plan is a compiled graph.
type Plan struct {
	Name      string
	Queue     string        // beside which its runs are kept, and where its steps go by default
	Retention time.Duration // of a run that has ended
	Nodes     []*Node       // in the order in which they were declared; the last is the end
	Hash      string        // of its shape

	byName map[string]*Node
}

// Node returns the step, map or end of the given name, or nil.
func (p *Plan) Node(name string) *Node { return p.byName[name] }

// EndName is the name of the end of every plan.
const EndName = string(task.Joint) + "end"

// Compile completes p, whose nodes have been declared, and whose run ends with
// the value of node result. The error is a [task.InvalidError] for each step
// whose options are refused, joined.
func (p *Plan) Compile(result int) error {
	p.Nodes = append(p.Nodes, &Node{Index: len(p.Nodes), Name: EndName, Kind: End, Deps: []int{result}})
	p.byName = make(map[string]*Node, len(p.Nodes))
	var faults []error
	for _, n := range p.Nodes {
		if n.runs() {
			faults = append(faults, p.settle(n))
		}
		if n.runs() || n.Kind == End {
			p.byName[n.Name] = n
		}
	}
	for _, n := range p.Nodes {
		if n.runs() || n.Kind == End {
			n.Sources = p.sources(n)
		}
	}
	p.connect()
	p.Hash = p.hash()
	return errors.Join(faults...)
}

// settle resolves the options of a step, the workflow's queue being its default.
func (p *Plan) settle(n *Node) error {
	s, err := task.Resolve(time.Time{}, []task.Option{task.Queue(p.Queue)}, n.Spec.Options, n.Options)
	if err != nil {
		return fmt.Errorf("step %s: %w", n.Name, err)
	}
	if s.ID != "" || s.Unique.Mode != 0 || !s.StartBy.IsZero() || !s.ProcessAt.IsZero() || s.Retention != 0 || s.Group != "" {
		return fmt.Errorf("step %s: %w", n.Name, task.Invalid("option", fmt.Sprint(slices.Concat(n.Spec.Options, n.Options)),
			"a step takes Queue, MaxRetry, MaxCrashes, Timeout, NoTimeout, Deadline and Header"))
	}
	n.Settings = s
	return nil
}

// sources returns the steps and maps that n takes a value of, directly or
// through pure functions.
func (p *Plan) sources(n *Node) []int { return p.Through(n, (*Node).runs) }

// Through returns the nodes that n takes a value of, directly or through pure
// functions, and that want accepts, in order.
func (p *Plan) Through(n *Node, want func(*Node) bool) []int {
	var found []int
	seen := make([]bool, len(p.Nodes)) // a value may be taken many times
	var visit func(deps []int)
	visit = func(deps []int) {
		for _, d := range deps {
			if seen[d] {
				continue
			}
			seen[d] = true
			if want(p.Nodes[d]) {
				found = append(found, d)
			}
			if p.Nodes[d].Kind == Bind {
				visit(p.Nodes[d].Deps)
			}
		}
	}
	visit(n.Deps)
	slices.Sort(found)
	return found
}

// connect fills in who follows whom. The end also waits for the steps that
// nobody takes a value of: a run has ended when all of it has.
func (p *Plan) connect() {
	end := p.Nodes[len(p.Nodes)-1]
	for _, n := range p.Nodes[:len(p.Nodes)-1] {
		for _, s := range n.Sources {
			p.Nodes[s].Consumers = append(p.Nodes[s].Consumers, n.Index)
		}
	}
	for _, n := range p.Nodes {
		if n.runs() && len(n.Consumers) == 0 && !slices.Contains(end.Sources, n.Index) {
			end.Sources = append(end.Sources, n.Index)
		}
	}
	slices.Sort(end.Sources)
	for _, s := range end.Sources {
		p.Nodes[s].Consumers = append(p.Nodes[s].Consumers, end.Index)
	}
}

// hash returns a short hash of everything that a run depends on while it goes:
// the nodes, their names and kinds, and the edges.
func (p *Plan) hash() string {
	h := sha256.New()
	for _, n := range p.Nodes {
		fmt.Fprintf(h, "%s %s %q %v %v\n", n.Kind, n.Name, n.Spec.Type, n.Deps, n.Sources)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Documents that every run has, and the prefixes of what belongs to one node. No
// step has such a name.
const (
	ControlKey = string(task.Joint) + "run"
	InputKey   = string(task.Joint) + "input"
	ResultKey  = string(task.Joint) + "result"
	errorKey   = string(task.Joint) + "error" + string(task.Joint)
	cursorKey  = string(task.Joint) + "cursor" + string(task.Joint)
	joinLatch  = string(task.Joint) + "join" + string(task.Joint)
)

// Join names the latch over what the node waits for. The latch over a map's
// items has the map's name.
func (n *Node) Join() string { return joinLatch + n.Name }

// ErrorKey names the document that says why a node failed.
func (n *Node) ErrorKey() string { return errorKey + n.Name }

// CursorKey names the document that says how far a map has been fed.
func (n *Node) CursorKey() string { return cursorKey + n.Name }

// ItemKey names the document of a map's i-th output.
func (n *Node) ItemKey(i int) string { return fmt.Sprintf("%s%c%d", n.Name, task.Joint, i) }
