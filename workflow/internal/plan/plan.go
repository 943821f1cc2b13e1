// Package plan holds a workflow's graph as data: nodes, what each takes, and
// what waits for what. It is compiled once, when the workflow is defined, and
// never changes after. What a run goes by is stored as data; the functions of its
// nodes are those of the program that carries it out.
package plan

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
)

// A Kind says what a node is.
type Kind string

// The kinds of node. The first ones settle: they have an outcome, which a run
// records. The others are values, which are computed where they are needed.
const (
	Step   Kind = "step"   // runs its unit once
	Map    Kind = "map"    // runs its unit for each element of a list
	Loop   Kind = "loop"   // runs its unit again and again
	Choice Kind = "choice" // decides which of its arms is run
	First  Kind = "first"  // the first of several that is done
	Gate   Kind = "gate"   // is done when all that it takes is
	Await  Kind = "await"  // waits for a signal
	Sleep  Kind = "sleep"  // waits for a time
	End    Kind = "end"    // the end of the run

	Input  Kind = "input"  // the run's input
	Const  Kind = "const"  // a value that is part of the plan
	Bind   Kind = "bind"   // a pure function of other values
	Try    Kind = "try"    // another value, or why there is none
	Merge  Kind = "merge"  // the value of the arm that was run
	Stream Kind = "stream" // the values of a map, to be read one by one
)

// Settles reports whether nodes of this kind have an outcome.
func (k Kind) Settles() bool {
	switch k {
	case Input, Const, Bind, Try, Merge, Stream:
		return false
	}
	return true
}

// A Node is a place in the graph.
type Node struct {
	Index int    `json:"index"`
	Name  string `json:"name"` // of its own among those that settle; of others, what it computes
	Kind  Kind   `json:"kind"`

	Deps  []int  `json:"deps,omitempty"`  // whose values it takes, in order
	After []int  `json:"after,omitempty"` // what it waits for and takes no value of
	Guard *Guard `json:"guard,omitempty"` // the arm in which it is

	Unit    *Unit    `json:"unit,omitempty"`    // of Step, Map and Loop
	Fold    *Fold    `json:"fold,omitempty"`    // of Map
	Bound   int      `json:"bound,omitempty"`   // of Loop: how often at most
	Arms    []Arm    `json:"arms,omitempty"`    // of Choice
	Wait    *Wait    `json:"wait,omitempty"`    // of Await and Sleep
	Losers  bool     `json:"losers,omitempty"`  // of First: those that were slower are cancelled
	Raw     bool     `json:"raw,omitempty"`     // of Try: the value is stored as it is, not as JSON
	Value   []byte   `json:"value,omitempty"`   // of Const
	Mapping *Mapping `json:"mapping,omitempty"` // of Bind and Loop: its function

	Compute func(values [][]byte) ([]byte, error) `json:"-"` // of Bind
	Until   func(value []byte) (bool, error)      `json:"-"` // of Loop

	Sources   []Edge `json:"-"` // the nodes whose end it waits for
	Consumers []Edge `json:"-"` // the nodes that wait for its end
	Fatal     bool   `json:"-"` // the run cannot go on without it

	// Reads are the nodes whose outcomes its values are computed from, in order, and
	// TakesInput says whether they are computed from the run's input.
	Reads      []*Node `json:"-"`
	TakesInput bool    `json:"-"`
}

// An Arm is what a choice takes if the value that it is given is Case.
type Arm struct {
	Name string `json:"name"`
	Case []byte `json:"case,omitempty"` // as JSON; nil: if it is no other's
}

// Take returns which arm a choice takes for a value.
func (n *Node) Take(value []byte) (arm int, err error) {
	key, err := canonical(value)
	if err != nil {
		return 0, fmt.Errorf("%s is given %.120q: %w: %w", n, value, err, task.SkipRetry)
	}
	arm = -1
	for i, a := range n.Arms {
		if a.Case == nil {
			arm = i
		} else if c, err := canonical(a.Case); err == nil && bytes.Equal(c, key) {
			return i, nil
		}
	}
	if arm < 0 {
		return 0, fmt.Errorf("%s has no case for %.120s: %w", n, value, task.SkipRetry)
	}
	return arm, nil
}

// canonical returns JSON that is the same for whatever means the same.
func canonical(b []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// A Mapping is what is stored of a function.
type Mapping struct {
	Name  string  `json:"name"`
	Takes []Shape `json:"takes"`
	Gives Shape   `json:"gives"`
}

// A Guard names an arm of a choice.
type Guard struct {
	Choice int `json:"choice"`
	Arm    int `json:"arm"`
}

// An Edge says that one node waits for another's end.
type Edge struct {
	Node   int // at the other end
	Member int // which of the waiting node's sources it is

	// Failed and Skipped say that the one that waits goes on all the same.
	Failed, Skipped bool

	// Maybe says that the one that waits may not need it.
	Maybe bool
}

// A Unit is what a node runs: a task of a step, or a run of another workflow.
type Unit struct {
	Type     string `json:"type"`               // of the task, or name of the workflow
	Workflow bool   `json:"workflow,omitempty"` // it is one
	Takes    Shape  `json:"takes"`
	Gives    Shape  `json:"gives"`
	Undo     string `json:"undo,omitempty"` // type of the task that undoes it
	Batch    *Batch `json:"batch,omitempty"`
	Beside   string `json:"beside,omitempty"` // of a workflow: the queue beside which its runs are kept, if that is not its parent's

	Queue      string            `json:"queue,omitempty"`
	MaxRetry   int               `json:"max_retry,omitempty"`
	MaxCrashes int               `json:"max_crashes,omitempty"`
	Timeout    time.Duration     `json:"timeout,omitempty"`
	Deadline   time.Time         `json:"deadline,omitzero"`
	Retention  time.Duration     `json:"retention,omitempty"`
	Headers    map[string]string `json:"headers,omitempty"`
}

// A Batch says how tasks of a step are gathered.
type Batch struct {
	MaxSize int           `json:"max_size"`
	MaxWait time.Duration `json:"max_wait"`
}

// A Fold says how a map's items are run.
type Fold struct {
	Parallel int  `json:"parallel,omitempty"` // how many are released at a time; 0: all
	StopAt   int  `json:"stop_at,omitempty"`  // at so many failures no more are; 0: never
	Tolerate int  `json:"tolerate,omitempty"` // how many failures are left out
	Tried    bool `json:"tried,omitempty"`    // its elements are outcomes
}

// A Wait is what a node waits for.
type Wait struct {
	For      time.Duration `json:"for"`
	Signal   string        `json:"signal,omitempty"` // of Await
	Fallback []byte        `json:"fallback"`         // of Await: what comes of it without a signal; nil: failure
}

// A Spec is a step or a workflow with its types erased.
type Spec struct {
	Unit
	Origin  *Origin // tells steps of one name apart
	Options []task.Option
	Call    func(ctx context.Context, input []byte) (output []byte, err error)
	Many    func(ctx context.Context, inputs [][]byte) ([]Result, error) // of a batched step, in place of Call
	Undoing *Spec                                                        // of a step that is reversible
	Plan    *Plan                                                        // of a workflow
}

// A Result is what a batched step gives for one of its inputs.
type Result struct {
	Output []byte
	Err    error
}

// An Origin is the call that made a step. It has a size, so that no two of them
// have one address.
type Origin struct{ _ byte }

// Joint reports whether the node waits for more than one other.
func (n *Node) Joint() bool { return len(n.Sources) > 1 }

// Joins reports whether a latch joins what the node waits for. What is to be first of
// several does not wait for all of them.
func (n *Node) Joins() bool { return n.Joint() && n.Kind != First }

// Reversible reports whether what the node runs can be undone.
func (n *Node) Reversible() bool { return n.Unit != nil && n.Unit.Undo != "" }

// A Plan is a compiled graph.
type Plan struct {
	Name  string  `json:"name"`
	Queue string  `json:"queue"` // beside which its runs are kept, and where its steps go by default
	Nodes []*Node `json:"nodes"` // in the order in which they were declared; the last is the end
	Takes Shape   `json:"takes"`
	Gives Shape   `json:"gives"`
	Terms Terms   `json:"terms"`

	Hash  string          `json:"-"` // of all this
	Specs map[string]Spec `json:"-"` // the steps and workflows that it runs, by type
	Blobs Blobs           `json:"-"` // where large outputs go; zero: they are kept with the run

	Stored Stored `json:"-"`

	byName map[string]*Node
}

// Terms hold for all runs of a plan.
type Terms struct {
	Retention        time.Duration `json:"retention"`          // of a run that was done
	FailureRetention time.Duration `json:"failure_retention"`  // of one that was not
	Deadline         time.Duration `json:"deadline,omitempty"` // from its start; 0: none
	MaxOutput        int           `json:"max_output"`         // bytes of an input, output or result
	MaxRun           int64         `json:"max_run"`            // bytes of all that a run keeps
}

// Blobs keep outputs of more than Over bytes.
type Blobs struct {
	Over  int
	Store interface {
		Put(ctx context.Context, key string, blob []byte) error
		Get(ctx context.Context, key string) ([]byte, error)
	}
}

// Node returns the settling node of the given name, or nil.
func (p *Plan) Node(name string) *Node { return p.byName[name] }

// End returns the end.
func (p *Plan) End() *Node { return p.Nodes[len(p.Nodes)-1] }

// With returns the same plan, to be carried out by other functions.
func (p *Plan) With(specs map[string]Spec) *Plan {
	return &Plan{
		Name: p.Name, Queue: p.Queue, Nodes: p.Nodes, Takes: p.Takes, Gives: p.Gives, Terms: p.Terms,
		Hash: p.Hash, Specs: specs, Blobs: p.Blobs, byName: p.byName,
	}
}

// EndName is the name of the end of every plan.
const EndName = string(task.Joint) + "end"

// Settling returns the nodes that have an outcome, in order.
func (p *Plan) Settling() []*Node {
	var found []*Node
	for _, n := range p.Nodes {
		if n.Kind.Settles() {
			found = append(found, n)
		}
	}
	return found
}

// Within reports whether n is in the given arm of a choice, however deep.
func (p *Plan) Within(n *Node, choice, arm int) bool {
	for g := n.Guard; g != nil; g = p.Nodes[g.Choice].Guard {
		if g.Choice == choice {
			return arm < 0 || g.Arm == arm
		}
	}
	return false
}

// String names the node in messages.
func (n *Node) String() string { return fmt.Sprintf("%s %s", n.Kind, n.Name) }

// Awaits reports whether a node waits for the signal.
func (p *Plan) Awaits(signal string) bool {
	for _, n := range p.Nodes {
		if n.Kind == Await && n.Wait.Signal == signal {
			return true
		}
	}
	return false
}
