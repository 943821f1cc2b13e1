package dag

import (
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Graph is a workflow that is being declared. It must not be used after the
// function given to [New] has returned, nor by several goroutines.
type Graph struct {
	plan   *plan.Plan
	names  map[string]bool
	given  map[string]int // how often each automatic name was asked for
	faults []error
}

// A Val is a value of type T that a run will have. It belongs to one [Graph].
type Val[T any] struct {
	graph *Graph
	node  int
}

// New declares the workflow called name, whose graph build describes. Build gets
// the run's input and returns its output.
//
// New panics if name or an option is refused, if build uses a value of another
// graph, or if a step's name or options are refused: these are mistakes in the
// program. It names all of them.
func New[In, Out any](name string, build func(*Graph, Val[In]) Val[Out], opts ...workflow.Option) workflow.Workflow[In, Out] {
	p := &plan.Plan{Name: name, Queue: task.DefaultQueue, Retention: workflow.DefaultRetention}
	for _, o := range opts {
		o(p)
	}
	g := &Graph{plan: p, names: make(map[string]bool), given: make(map[string]int)}
	g.refuse(task.CheckName("workflow", name))
	g.refuse(task.CheckName("workflow.Queue", p.Queue))
	if p.Retention < time.Second {
		g.refuse(task.Invalid("workflow.Retention", p.Retention, "must be at least 1s"))
	}
	in := Val[In]{g, g.add(&plan.Node{Kind: plan.Input, Name: "input"})}
	out := build(g, in)
	g.own(out.graph)
	if len(g.faults) == 0 {
		g.refuse(p.Compile(out.node))
	}
	if err := errors.Join(g.faults...); err != nil {
		panic(fmt.Sprintf("dag.New(%q): %v", name, err))
	}
	return workflow.FromPlan[In, Out](p)
}

// Do runs r on in and stands for what it returns.
func Do[In, Out any](g *Graph, r workflow.Runnable[In, Out], in Val[In], opts ...Option) Val[Out] {
	g.own(in.graph)
	return Val[Out]{g, g.step(plan.Step, r.Spec(), in.node, opts)}
}

// Map runs r on every element of list, and stands for what they return, in the
// order of the elements. How many there are is known only when the run gets
// there; for none of them the value is an empty list.
//
// All may run at once, unless [Parallel] says otherwise. If one fails for good no
// more are started, and the run fails once those that were running have ended.
func Map[In, Out any](g *Graph, r workflow.Runnable[In, Out], list Val[[]In], opts ...Option) Val[[]Out] {
	g.own(list.graph)
	return Val[[]Out]{g, g.step(plan.Map, r.Spec(), list.node, opts)}
}

// Pick stands for f of a value. It is no step: f is called wherever the result is
// needed, maybe more than once and in several processes, so it must depend on
// nothing but its argument.
func Pick[A, T any](g *Graph, a Val[A], f func(A) T) Val[T] {
	g.own(a.graph)
	return Val[T]{g, g.add(&plan.Node{Kind: plan.Bind, Name: "pick", Deps: []int{a.node}, Bind: func(values [][]byte) ([]byte, error) {
		x, err := plan.Decode[A](values[0])
		if err != nil {
			return nil, err
		}
		return plan.Encode(f(x))
	}})}
}

// Join2 stands for f of two values. Like [Pick] it is no step.
func Join2[A, B, T any](g *Graph, a Val[A], b Val[B], f func(A, B) T) Val[T] {
	g.own(a.graph)
	g.own(b.graph)
	return Val[T]{g, g.add(&plan.Node{Kind: plan.Bind, Name: "join", Deps: []int{a.node, b.node}, Bind: func(values [][]byte) ([]byte, error) {
		x, err := plan.Decode[A](values[0])
		if err != nil {
			return nil, err
		}
		y, err := plan.Decode[B](values[1])
		if err != nil {
			return nil, err
		}
		return plan.Encode(f(x, y))
	}})}
}

// An Option sets what holds for one step of one workflow.
type Option func(*settings)

type settings struct {
	name     string
	options  []task.Option
	parallel int
}

// As gives the step a name of its own in this workflow: the name under which its
// output is kept, and that errors and figures show. Without it a step is called
// as it was defined, and its second use "name.2".
func As(name string) Option { return func(s *settings) { s.name = name } }

// With sets task options that go before those of the step's definition.
func With(opts ...task.Option) Option {
	return func(s *settings) { s.options = append(s.options, opts...) }
}

// Parallel has at most n items of a [Map] released at a time. It is refused by
// [Do].
func Parallel(n int) Option { return func(s *settings) { s.parallel = n } }

func (g *Graph) step(kind plan.Kind, spec plan.Spec, dep int, opts []Option) int {
	var s settings
	for _, o := range opts {
		o(&s)
	}
	switch {
	case s.parallel < 0:
		g.refuse(task.Invalid("dag.Parallel", s.parallel, "must not be negative"))
	case s.parallel > 0 && kind != plan.Map:
		g.refuse(task.Invalid("dag.Parallel", s.parallel, "is for dag.Map"))
	}
	return g.add(&plan.Node{Kind: kind, Name: g.name(spec.Type, s.name), Deps: []int{dep}, Spec: spec, Options: s.options, Parallel: s.parallel})
}

// name returns the name that was asked for, or an automatic one.
func (g *Graph) name(typ, as string) string {
	name := as
	if as == "" {
		g.given[typ]++
		if name = typ; g.given[typ] > 1 {
			name = fmt.Sprintf("%s.%d", typ, g.given[typ])
		}
	}
	g.refuse(task.CheckName("dag.As", name))
	if g.names[name] {
		g.refuse(task.Invalid("dag.As", name, "is the name of another step"))
	}
	g.names[name] = true
	return name
}

func (g *Graph) add(n *plan.Node) int {
	n.Index = len(g.plan.Nodes)
	g.plan.Nodes = append(g.plan.Nodes, n)
	return n.Index
}

func (g *Graph) own(other *Graph) {
	if other != g {
		g.refuse(task.Invalid("dag.Val", "", "belongs to another graph"))
	}
}

// refuse takes note of a mistake in the definition.
func (g *Graph) refuse(err error) {
	if err != nil {
		g.faults = append(g.faults, err)
	}
}
