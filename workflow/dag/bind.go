package dag

import (
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
	return bind[T](g, mapping[T](f, plan.ShapeOf[A]()), func(in [][]byte) ([]byte, error) {
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
	return bind[T](g, mapping[T](f, plan.ShapeOf[A](), plan.ShapeOf[B]()), func(in [][]byte) ([]byte, error) {
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
	return bind[T](g, mapping[T](f, plan.ShapeOf[A](), plan.ShapeOf[B](), plan.ShapeOf[C]()), func(in [][]byte) ([]byte, error) {
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
	return Val[T]{g, g.add(&plan.Node{Kind: plan.Const, Name: "const", Value: b})}
}

// bind adds a node that is computed from others.
func bind[T any](g *Graph, mapping *plan.Mapping, compute func([][]byte) ([]byte, error), deps ...Dep) Val[T] {
	n := &plan.Node{Kind: plan.Bind, Name: "bind", Mapping: mapping, Compute: compute}
	for _, d := range deps {
		n.Deps = append(n.Deps, g.own(d))
	}
	return Val[T]{g, g.add(n)}
}

func decode2[A, B any](in [][]byte) (x A, y B, err error) {
	if x, err = plan.Decode[A](in[0]); err != nil {
		return x, y, err
	}
	y, err = plan.Decode[B](in[1])
	return x, y, err
}

// mapping returns what is stored of a function that gives an Out.
func mapping[Out any](f any, takes ...plan.Shape) *plan.Mapping {
	m := &plan.Mapping{Takes: takes, Gives: plan.ShapeOf[Out]()}
	if v := reflect.ValueOf(f); !v.IsNil() {
		m.Name = runtime.FuncForPC(v.Pointer()).Name()
	}
	return m
}
