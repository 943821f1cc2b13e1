package dag

import (
	"fmt"
	"strconv"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// If builds two arms, of which a run takes one: then if cond is true, and otherwise
// els. What is on the other arm is skipped. It stands for the value of the arm that
// was taken. An arm may use values from outside of it; its own steps are not to be used
// outside.
func If[T any](g *Graph, cond Val[bool], then, els func(*Graph) Val[T], opts ...Option) Val[T] {
	arm := bind[int](g, "if", func(in [][]byte) ([]byte, error) {
		yes, err := plan.Decode[bool](in[0])
		if err != nil || yes {
			return []byte("0"), err
		}
		return []byte("1"), nil
	}, cond)
	return choose(g, "if", arm, []string{"then", "else"}, []func(*Graph) Val[T]{then, els}, opts)
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

// Switch builds an arm for each case, of which a run takes the one whose key is that of
// the value, or the [Default]. If there is none for it the switch fails. Otherwise it is
// as [If].
func Switch[K comparable, T any](g *Graph, key Val[K], branches []Branch[K, T], opts ...Option) Val[T] {
	var names []string
	var arms []func(*Graph) Val[T]
	rest := -1
	index := make(map[K]int)
	for i, b := range branches {
		name, twice := fmt.Sprint(b.key), false
		if b.rest {
			name, twice, rest = "default", rest >= 0, i
		} else {
			_, twice = index[b.key]
			index[b.key] = i
		}
		if twice {
			g.refuse(task.Invalid("dag.Switch", name, "is a case twice"))
		}
		names, arms = append(names, name), append(arms, b.arm)
	}
	arm := bind[int](g, fmt.Sprintf("switch %q %d", names, rest), func(in [][]byte) ([]byte, error) {
		k, err := plan.Decode[K](in[0])
		if err != nil {
			return nil, err
		}
		i, ok := index[k]
		if !ok {
			i = rest
		}
		if i < 0 {
			return nil, fmt.Errorf("switch has no case for %v: %w", k, task.SkipRetry)
		}
		return strconv.AppendInt(nil, int64(i), 10), nil
	}, key)
	return choose(g, "switch", arm, names, arms, opts)
}

// choose adds a choice between arms, and what stands for the value of the one taken.
func choose[T any](g *Graph, kind string, arm Val[int], names []string, arms []func(*Graph) Val[T], opts []Option) Val[T] {
	s := g.settle("dag."+kind, opts, 0)
	if len(arms) == 0 {
		g.refuse(task.Invalid("dag."+kind, len(arms), "has no arms"))
	}
	choice := g.add(&plan.Node{Kind: plan.Choice, Name: g.name(kind, s.name), Deps: []int{arm.node}, After: g.after(s), Guard: g.guard, Arms: names})
	merge := &plan.Node{Kind: plan.Merge, Name: "merge", Deps: []int{choice}}
	for i, build := range arms {
		if build == nil {
			g.refuse(task.Invalid("dag."+kind, names[i], "has no function"))
			continue
		}
		inner := &Graph{declaration: g.declaration, outer: g, guard: &plan.Guard{Choice: choice, Arm: i}}
		merge.Deps = append(merge.Deps, inner.own(describe(inner, build)))
	}
	return Val[T]{g, g.add(merge)}
}
