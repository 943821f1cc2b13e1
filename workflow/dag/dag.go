package dag

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Graph is a workflow that is being declared, or an arm of a choice in one. It
// must not be used after the function that it was given to has returned, nor by
// several goroutines.
type Graph struct {
	*declaration
	outer *Graph      // in which this is an arm
	guard *plan.Guard // the arm
}

// A declaration is what the graphs of one workflow have in common.
type declaration struct {
	plan    *plan.Plan
	current *Graph // the one whose function is being called; nil: none any more
	names   map[string]bool
	given   map[string]int // how often each automatic name was asked for
	faults  []error
}

// A Val is a value of type T that a run will have. It belongs to one [Graph], and
// can be used in the arms within it.
type Val[T any] struct {
	graph *Graph
	node  int
}

func (v Val[T]) at() (*Graph, int) { return v.graph, v.node }

// A Dep is a [Val] of any type.
type Dep interface{ at() (*Graph, int) }

// New declares the workflow called name, whose graph build describes. Build gets
// the run's input and returns its output.
//
// New panics if name or an option is refused, if build uses a value of another
// graph or of an arm outside of it, or if a step's name or options are refused: these
// are mistakes in the program. It names all of them.
func New[In, Out any](name string, build func(*Graph, Val[In]) Val[Out], opts ...workflow.Option) workflow.Workflow[In, Out] {
	p := &plan.Plan{
		Name: name, Queue: task.DefaultQueue, Specs: make(map[string]plan.Spec),
		Takes: plan.ShapeOf[In](), Gives: plan.ShapeOf[Out](),
		Terms: plan.Terms{
			Retention: workflow.DefaultRetention, FailureRetention: workflow.DefaultFailureRetention,
			MaxOutput: workflow.DefaultMaxOutput, MaxRun: workflow.DefaultMaxRun,
		},
	}
	for _, o := range opts {
		o(p)
	}
	g := &Graph{declaration: &declaration{plan: p, names: make(map[string]bool), given: make(map[string]int)}}
	g.refuse(task.CheckName("workflow", name))
	g.refuse(task.CheckName("workflow.Queue", p.Queue))
	g.checkTerms(p.Terms)
	if p.Blobs.Over < 0 {
		g.refuse(task.Invalid("workflow.Blobs", p.Blobs.Over, "must not be negative"))
	}
	if build == nil {
		panic(fmt.Sprintf("dag.New(%q): has no function", name))
	}
	out := describe(g, func(g *Graph) Val[Out] {
		return build(g, Val[In]{g, g.add(&plan.Node{Kind: plan.Input, Name: "input"})})
	})
	g.own(out)
	if len(g.faults) == 0 {
		g.refuse(p.Compile(out.node))
	}
	if err := errors.Join(g.faults...); err != nil {
		panic(fmt.Sprintf("dag.New(%q): %v", name, err))
	}
	return workflow.FromPlan[In, Out](p)
}

// describe calls build, which describes g.
func describe[T any](g *Graph, build func(*Graph) Val[T]) Val[T] {
	around := g.current
	g.current = g
	out := build(g)
	g.current = around
	return out
}

func (g *Graph) checkTerms(t plan.Terms) {
	atLeast := func(field string, value, least int64, shown any) {
		if value < least {
			g.refuse(task.Invalid("workflow."+field, shown, "is too small"))
		}
	}
	atLeast("Retention", int64(t.Retention), int64(time.Second), t.Retention)
	atLeast("FailureRetention", int64(t.FailureRetention), int64(time.Second), t.FailureRetention)
	atLeast("Deadline", int64(t.Deadline), 0, t.Deadline)
	atLeast("MaxOutput", int64(t.MaxOutput), 1, t.MaxOutput)
	atLeast("MaxRun", t.MaxRun, 1, t.MaxRun)
}

// Do runs r on in and stands for what it returns.
func Do[In, Out any](g *Graph, r workflow.Runnable[In, Out], in Val[In], opts ...Option) Val[Out] {
	s := g.settle("dag.Do", opts, allowUnit)
	return Val[Out]{g, g.step(&plan.Node{Kind: plan.Step, Deps: []int{g.own(in)}}, r.Spec(), s)}
}

// Map runs r on every element of list, and stands for what they return, in the
// order of the elements. How many there are, up to [workflow.MaxWidth], is known only
// when the run gets there; for none of them the value is an empty list.
//
// All may run at once, unless [Parallel] says otherwise. If one fails for good no
// more are started, those that run are cancelled, and the map has failed once they have
// ended. [FinishAll] and [Tolerate] change that.
func Map[In, Out any](g *Graph, r workflow.Runnable[In, Out], list Val[[]In], opts ...Option) Val[[]Out] {
	return Val[[]Out]{g, g.mapped(r.Spec(), g.own(list), false, opts)}
}

// MapTry is [Map] for outputs that may be missing: it runs r on every element, and
// stands for what has come of each. It never fails itself.
func MapTry[In, Out any](g *Graph, r workflow.Runnable[In, Out], list Val[[]In], opts ...Option) Val[[]workflow.Outcome[Out]] {
	return Val[[]workflow.Outcome[Out]]{g, g.mapped(r.Spec(), g.own(list), true, opts)}
}

// MapStream is [Map] for outputs that are too many to be held in memory: the step that
// takes them reads them one by one.
func MapStream[In, Out any](g *Graph, r workflow.Runnable[In, Out], list Val[[]In], opts ...Option) Val[workflow.Stream[Out]] {
	of := g.mapped(r.Spec(), g.own(list), false, opts)
	return Val[workflow.Stream[Out]]{g, g.add(&plan.Node{Kind: plan.Stream, Name: "stream", Deps: []int{of}})}
}

func (g *Graph) mapped(spec plan.Spec, list int, tried bool, opts []Option) int {
	s := g.settle("dag.Map", opts, allowUnit|allowFold)
	fold := &plan.Fold{Parallel: s.parallel, Tolerate: s.tolerate, StopAt: s.tolerate + 1, Tried: tried}
	if s.finishAll || tried {
		fold.StopAt = 0
	}
	if tried && s.tolerate > 0 {
		g.refuse(task.Invalid("dag.Tolerate", s.tolerate, "is not for dag.MapTry, which tolerates all"))
	}
	return g.step(&plan.Node{Kind: plan.Map, Deps: []int{list}, Fold: fold}, spec, s)
}

// Until runs r on in, then on what that returned, and so on until done says that it is
// enough; it stands for what r returned last. At most bound times: if that is not
// enough it fails. done obeys the rules of [Pick].
func Until[T any](g *Graph, r workflow.Runnable[T, T], in Val[T], done func(T) bool, bound int, opts ...Option) Val[T] {
	s := g.settle("dag.Until", opts, allowUnit)
	if bound < 1 {
		g.refuse(task.Invalid("dag.Until bound", bound, "must be at least 1"))
	}
	if r.Spec().Undo != "" {
		g.refuse(task.Invalid("dag.Until", r.Spec().Type, "is reversible, which a loop is not; reverse it in a workflow of its own"))
	}
	g.demand("dag.Until", done)
	n := &plan.Node{Kind: plan.Loop, Deps: []int{g.own(in)}, Bound: bound, Mapping: mapping[bool](done, plan.ShapeOf[T]())}
	n.Until = func(value []byte) (bool, error) {
		v, err := plan.Decode[T](value)
		return err == nil && done(v), err
	}
	return Val[T]{g, g.step(n, r.Spec(), s)}
}

// First stands for the value of whichever is there first, of two or more values of one
// step each. The others go on, and count for nothing, not even if they fail; with
// [CancelLosers] they are cancelled. A run does not wait for them with its end; what of
// them has not begun by then does not. If all of them fail, it has.
func First[T any](g *Graph, vals []Val[T], opts ...Option) Val[T] {
	s := g.settle("dag.First", opts, allowLosers)
	if len(vals) < 2 {
		g.refuse(task.Invalid("dag.First", len(vals), "takes two values at least"))
	}
	n := &plan.Node{Kind: plan.First, Name: g.name("first", s.name), Guard: g.guard, Losers: s.losers}
	n.After = g.after(s)
	for _, v := range vals {
		n.Deps = append(n.Deps, g.own(v))
	}
	return Val[T]{g, g.add(n)}
}

// Try stands for what has come of a value: what takes it runs also if that failed or
// was skipped, and must look.
func Try[T any](g *Graph, v Val[T]) Val[workflow.Outcome[T]] {
	raw := plan.ShapeOf[T]().Raw()
	return Val[workflow.Outcome[T]]{g, g.add(&plan.Node{Kind: plan.Try, Name: "try", Deps: []int{g.own(v)}, Raw: raw})}
}

// Await waits for a signal and stands for its payload. It fails if none has come after
// a time; 0 waits without end.
func Await[T any](g *Graph, s workflow.Signal[T], within time.Duration, opts ...Option) Val[T] {
	return Val[T]{g, g.wait(plan.Await, "await:"+s.Name(), plan.Wait{For: within, Signal: s.Name()}, opts)}
}

// AwaitOr waits for a signal and stands for its payload, or for instead if none has
// come after a time.
func AwaitOr[T any](g *Graph, s workflow.Signal[T], within time.Duration, instead T, opts ...Option) Val[T] {
	b, err := plan.Encode(instead)
	g.refuse(err)
	if within <= 0 {
		g.refuse(task.Invalid("dag.AwaitOr", within, "must be positive"))
	}
	return Val[T]{g, g.wait(plan.Await, "await:"+s.Name(), plan.Wait{For: within, Signal: s.Name(), Fallback: b}, opts)}
}

// Sleep waits for a time. What is [After] it goes on then. It holds no worker.
func Sleep(g *Graph, d time.Duration, opts ...Option) Val[workflow.None] {
	if d <= 0 {
		g.refuse(task.Invalid("dag.Sleep", d, "must be positive"))
	}
	return Val[workflow.None]{g, g.wait(plan.Sleep, "sleep", plan.Wait{For: d}, opts)}
}

func (g *Graph) wait(kind plan.Kind, name string, w plan.Wait, opts []Option) int {
	s := g.settle("dag."+string(kind), opts, 0)
	if kind == plan.Await {
		g.refuse(task.CheckName("signal", w.Signal))
	}
	if w.For < 0 {
		g.refuse(task.Invalid("dag.Await", w.For, "must not be negative"))
	}
	return g.add(&plan.Node{Kind: kind, Name: g.name(name, s.name), After: g.after(s), Guard: g.guard, Wait: &w})
}

// step adds a node that runs what spec is.
func (g *Graph) step(n *plan.Node, spec plan.Spec, s settings) int {
	unit := spec.Unit
	if unit.Workflow {
		if len(s.options) > 0 {
			g.refuse(task.Invalid("dag.With", unit.Type, "is a workflow, whose steps have options of their own"))
		}
		if spec.Plan.Queue != g.plan.Queue {
			unit.Beside = spec.Plan.Queue
		}
	} else if err := unit.Resolve(g.plan.Queue, spec.Options, s.options); err != nil {
		g.refuse(fmt.Errorf("step %s: %w", unit.Type, err))
	}
	n.Name, n.Unit, n.After, n.Guard = g.name(unit.Type, s.name), &unit, g.after(s), g.guard
	g.use(spec)
	return g.add(n)
}

// use takes note of what the workflow runs.
func (g *Graph) use(spec plan.Spec) {
	if other, ok := g.plan.Specs[spec.Type]; ok && (other.Origin != spec.Origin || other.Plan != spec.Plan) {
		g.refuse(task.Invalid("step", spec.Type, "is the name of another step"))
	}
	if other := g.plan.Specs[spec.Type]; other.Undoing == nil {
		g.plan.Specs[spec.Type] = spec
	}
	if spec.Undoing != nil {
		g.use(*spec.Undoing)
	}
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
	switch {
	case g.current == nil:
		panic(fmt.Sprintf("dag: the graph of %q is used after the function that it was given to has returned", g.plan.Name))
	case g.current != g:
		g.refuse(task.Invalid("dag.Graph", n.Name, "is added to another graph than that of the arm in which it is written"))
	}
	n.Index = len(g.plan.Nodes)
	g.plan.Nodes = append(g.plan.Nodes, n)
	return n.Index
}

// own returns the node of a value, which must be of this graph or of one around it.
func (g *Graph) own(v Dep) int {
	other, node := v.at()
	for around := g; around != nil; around = around.outer {
		if around == other {
			return node
		}
	}
	if other != nil && other.declaration == g.declaration {
		g.refuse(task.Invalid("dag.Val", g.plan.Nodes[node].Name, "is of an arm, and used outside of it"))
	} else {
		g.refuse(task.Invalid("dag.Val", "", "belongs to another graph"))
	}
	return 0
}

// demand refuses a function that is nil.
func (g *Graph) demand(call string, f any) {
	if reflect.ValueOf(f).IsNil() {
		g.refuse(task.Invalid(call, "", "has no function"))
	}
}

// refuse takes note of a mistake in the definition.
func (g *Graph) refuse(err error) {
	if err != nil {
		g.faults = append(g.faults, err)
	}
}
