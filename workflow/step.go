package workflow

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Runnable is what a workflow can run: a [Step]. It turns an In into an Out,
// and the compiler checks that each gets what the one before gave. No other
// package can implement it.
type Runnable[In, Out any] interface {
	Spec() plan.Spec
	types(In) Out // carries the types, for inference
}

// A Step is a typed task: it takes an In and returns an Out. Both are stored as
// JSON. A Step is a value; it can be used in any number of workflows, and a task
// of its name that was enqueued by hand runs it too, with the payload as its
// input.
type Step[In, Out any] struct{ spec plan.Spec }

// NewStep returns the step that is called name and runs fn, which obeys the
// rules of a [task.Handler]: it may run more than once, it should return when
// its context ends, and its error is retried unless it wraps [task.SkipRetry].
//
// The options Queue, MaxRetry, MaxCrashes, Timeout, NoTimeout, Deadline and Header set
// what holds wherever the step is used; others are refused when the workflow is
// defined.
//
// NewStep panics if name is not a valid name or fn is nil: both are mistakes in
// the program.
func NewStep[In, Out any](name string, fn func(context.Context, In) (Out, error), opts ...task.Option) Step[In, Out] {
	if err := task.CheckName("step", name); err != nil {
		panic(fmt.Sprintf("workflow.NewStep: %v", err))
	}
	if fn == nil {
		panic(fmt.Sprintf("workflow.NewStep: step %q has no function", name))
	}
	return Step[In, Out]{plan.Spec{Type: name, Origin: new(plan.Origin), Options: opts, Call: erase(name, fn)}}
}

// Spec is for package dag.
func (s Step[In, Out]) Spec() plan.Spec { return s.spec }

func (s Step[In, Out]) types(In) (out Out) { return out }

// erase wraps fn so that it takes and gives bytes.
func erase[In, Out any](name string, fn func(context.Context, In) (Out, error)) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, input []byte) ([]byte, error) {
		in, err := plan.Decode[In](input)
		if err != nil {
			return nil, fmt.Errorf("input of step %s: %w", name, err)
		}
		out, err := fn(ctx, in)
		if err != nil {
			return nil, err
		}
		b, err := plan.Encode(out)
		if err != nil {
			return nil, fmt.Errorf("output of step %s: %w", name, err)
		}
		return b, nil
	}
}
