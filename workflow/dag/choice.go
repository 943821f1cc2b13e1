package dag

import (
	"fmt"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// If builds two arms, of which a run takes one: then if cond is true, and otherwise
// els. What is on the other arm is skipped. It stands for the value of the arm that
// was taken. An arm may use values from outside of it; its own steps are not to be used
// outside.
func If[T any](g *Graph, cond Val[bool], then, els func(*Graph) Val[T], opts ...Option) Val[T] {
	arms := []plan.Arm{{Name: "then", Case: []byte("true")}, {Name: "else", Case: []byte("false")}}
	return choose(g, "if", g.own(cond), arms, []func(*Graph) Val[T]{then, els}, opts)
}

// A Branch is an arm of a [Switch].
type Branch[K comparable, T any] struct {
	key  K
	arm  func(*Graph) Val[T]
	rest bool
}

// Case is the arm that is taken if the key is equal to this one.
func Case[K comparable, T any](key K, arm func(*Graph) Val[T]) Branch[K, T] {
	return Branch[K, T]{key: key, arm: arm}
}

// Default is the arm that is taken if no other is.
func Default[K comparable, T any](arm func(*Graph) Val[T]) Branch[K, T] {
	return Branch[K, T]{arm: arm, rest: true}
}

// Switch builds an arm for each case, of which a run takes the one whose key is, as JSON,
// that of the value, or the [Default]. If there is none for it the switch fails. Otherwise it is
// as [If].
func Switch[K comparable, T any](g *Graph, key Val[K], branches []Branch[K, T], opts ...Option) Val[T] {
	var arms []plan.Arm
	var builds []func(*Graph) Val[T]
	known := make(map[string]bool)
	for _, b := range branches {
		arm := plan.Arm{Name: "default"}
		if !b.rest {
			var err error
			arm.Name = fmt.Sprint(b.key)
			arm.Case, err = plan.Encode(b.key)
			g.refuse(err)
		}
		if known[string(arm.Case)] {
			g.refuse(task.Invalid("dag.Switch", arm.Name, "is a case twice"))
		}
		known[string(arm.Case)] = true
		arms, builds = append(arms, arm), append(builds, b.arm)
	}
	return choose(g, "switch", g.own(key), arms, builds, opts)
}

// choose adds a choice between arms, and what stands for the value of the one taken.
func choose[T any](g *Graph, kind string, key int, arms []plan.Arm, builds []func(*Graph) Val[T], opts []Option) Val[T] {
	s := g.settle("dag."+kind, opts, 0)
	if len(arms) == 0 {
		g.refuse(task.Invalid("dag."+kind, len(arms), "has no arms"))
	}
	choice := g.add(&plan.Node{Kind: plan.Choice, Name: g.name(kind, s.name), Deps: []int{key}, After: g.after(s), Guard: g.guard, Arms: arms})
	merge := &plan.Node{Kind: plan.Merge, Name: "merge", Deps: []int{choice}}
	for i, build := range builds {
		if build == nil {
			g.refuse(task.Invalid("dag."+kind, arms[i].Name, "has no function"))
			continue
		}
		inner := &Graph{declaration: g.declaration, outer: g, guard: &plan.Guard{Choice: choice, Arm: i}}
		merge.Deps = append(merge.Deps, inner.own(describe(inner, build)))
	}
	return Val[T]{g, g.add(merge)}
}
