package dag

import (
	"fmt"
	"reflect"
	"runtime"

	"github.com/leatwork/leat/workflow/internal/plan"
)

// Pick stands for f of a value. It is no step: f is called wherever the result is
// needed, maybe more than once and in several processes, so it must depend on
// nothing but its argument. A function that has a name, as a method expression such as
// Order.Lines, lets runs go on under another version of the program that has it, too;
// one that has none belongs to one version of the workflow.
func Pick[A, T any](g *Graph, a Val[A], f func(A) T) Val[T] {
	g.demand("dag.Pick", f)
	return bind[T](g, mapping[A, T](f), func(in [][]byte) ([]byte, error) {
		x, err := plan.Decode[A](in[0])
		if err != nil {
			return nil, err
		}
		return plan.Encode(f(x))
	}, a)
}

// Join2 stands for f of two values. Like [Pick] it is no step.
func Join2[A, B, T any](g *Graph, a Val[A], b Val[B], f func(A, B) T) Val[T] {
	g.demand("dag.Join2", f)
	return bind[T](g, mapping[pair[A, B], T](f), func(in [][]byte) ([]byte, error) {
		x, y, err := decode2[A, B](in)
		if err != nil {
			return nil, err
		}
		return plan.Encode(f(x, y))
	}, a, b)
}

// Join3 stands for f of three values. Like [Pick] it is no step. More are joined by
// joining some of them first.
func Join3[A, B, C, T any](g *Graph, a Val[A], b Val[B], c Val[C], f func(A, B, C) T) Val[T] {
	g.demand("dag.Join3", f)
	return bind[T](g, mapping[pair[pair[A, B], C], T](f), func(in [][]byte) ([]byte, error) {
		x, y, err := decode2[A, B](in)
		if err != nil {
			return nil, err
		}
		z, err := plan.Decode[C](in[2])
		if err != nil {
			return nil, err
		}
		return plan.Encode(f(x, y, z))
	}, a, b, c)
}

// Const stands for a value that is known when the workflow is declared, and is part of
// it.
func Const[T any](g *Graph, v T) Val[T] {
	b, err := plan.Encode(v)
	g.refuse(err)
	return bind[T](g, fmt.Sprintf("const %s", b), func([][]byte) ([]byte, error) { return b, nil })
}

// bind adds a node that is computed from others.
func bind[T any](g *Graph, mapping string, compute func([][]byte) ([]byte, error), deps ...Dep) Val[T] {
	n := &plan.Node{Kind: plan.Bind, Name: "bind", Mapping: mapping, Compute: compute}
	for _, d := range deps {
		n.Deps = append(n.Deps, g.own(d))
	}
	return Val[T]{g, g.add(n)}
}

type pair[A, B any] struct {
	A A
	B B
}

func decode2[A, B any](in [][]byte) (x A, y B, err error) {
	if x, err = plan.Decode[A](in[0]); err != nil {
		return x, y, err
	}
	y, err = plan.Decode[B](in[1])
	return x, y, err
}

// mapping names a function together with what it takes and gives.
func mapping[In, Out any](f any) string {
	name := "nil"
	if v := reflect.ValueOf(f); !v.IsNil() {
		name = runtime.FuncForPC(v.Pointer()).Name()
	}
	return fmt.Sprintf("%s %s %s", name, plan.ShapeOf[In](), plan.ShapeOf[Out]())
}
