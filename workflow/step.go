package workflow

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Runnable is what a workflow can run: a [Step], or another [Workflow]. It turns
// an In into an Out, and the compiler checks that each gets what the one before gave.
// No other package can implement it.
type Runnable[In, Out any] interface {
	Spec() plan.Spec
	types(In) Out // carries the types, for inference
}

// A Step is a typed task: it takes an In and returns an Out. Both are stored as
// JSON, except that a []byte is stored as it is. A Step is a value; it can be used in
// any number of workflows, and a task of its name that was enqueued by hand runs it
// too, with the payload as its input.
type Step[In, Out any] struct{ spec plan.Spec }

// None is what a step takes that needs nothing, or gives that has nothing to say.
type None struct{}

// NewStep returns the step that is called name and runs fn, which obeys the
// rules of a [task.Handler]: it may run more than once, it should return when
// its context ends, and its error is retried unless it wraps [task.SkipRetry].
//
// The options Queue, MaxRetry, MaxCrashes, Timeout, NoTimeout, Deadline, Retention
// and Header set what holds wherever the step is used; others are refused when the
// workflow is defined.
//
// NewStep panics if name is not a valid name or fn is nil: both are mistakes in
// the program.
func NewStep[In, Out any](name string, fn func(context.Context, In) (Out, error), opts ...task.Option) Step[In, Out] {
	mustName("workflow.NewStep", name)
	if fn == nil {
		panic(fmt.Sprintf("workflow.NewStep: step %q has no function", name))
	}
	return Step[In, Out]{specOf[In, Out](name, opts, erase(name, fn))}
}

func mustName(call, name string) {
	if err := task.CheckName("step", name); err != nil {
		panic(fmt.Sprintf("%s: %v", call, err))
	}
}

func specOf[In, Out any](name string, opts []task.Option, call func(context.Context, []byte) ([]byte, error)) plan.Spec {
	return plan.Spec{
		Unit:   plan.Unit{Type: name, Takes: plan.ShapeOf[In](), Gives: plan.ShapeOf[Out]()},
		Origin: new(plan.Origin), Options: opts, Call: call,
	}
}

// Spec is for package dag and for [Register].
func (s Step[In, Out]) Spec() plan.Spec { return s.spec }

func (s Step[In, Out]) types(In) (out Out) { return out }

// Name returns the name that the step was given.
func (s Step[In, Out]) Name() string { return s.spec.Type }

// With returns the step with an input, for [Add].
func (s Step[In, Out]) With(in In) Addition {
	input, err := plan.Encode(in)
	return Addition{spec: s.spec, input: input, err: err}
}

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

// Raw returns the step that runs the handler of tasks of the given name, as any
// queue has them. Its payload is the output before it, and its output is what its
// ResultWriter got: nothing written is an empty output, and what is written by an
// attempt that fails is handed on to nobody. With [task.Retention] among the options
// the task is kept as completed with that as its result.
//
// Raw panics as [NewStep] does.
func Raw(name string, h func(context.Context, *task.Task) error, opts ...task.Option) Step[[]byte, []byte] {
	mustName("workflow.Raw", name)
	if h == nil {
		panic(fmt.Sprintf("workflow.Raw: step %q has no handler", name))
	}
	return Step[[]byte, []byte]{specOf[[]byte, []byte](name, opts, func(ctx context.Context, input []byte) ([]byte, error) {
		t, ok := ctx.Value(taskKey{}).(*task.Task)
		if !ok {
			return nil, fmt.Errorf("step %s: %w", name, ErrNoStep)
		}
		if err := h(ctx, task.Received(t.Type(), input, t.Headers(), t.ResultWriter())); err != nil || t.ResultWriter() == nil {
			return nil, err
		}
		return t.ResultWriter().Result(), nil
	})}
}

// An Undo is what a step is undone with: what it took, and what it gave.
type Undo[In, Out any] struct {
	Input  In  `json:"input"`
	Output Out `json:"output"` // the zero value if Unknown

	// Unknown says that nobody knows whether the step has taken effect: it timed
	// out, its worker died, or it was cancelled while it ran.
	Unknown bool `json:"unknown,omitempty"`
}

// Reversible returns do as a step that can be undone. If the run then fails, is
// cancelled or is too late, undo runs for each of its reversible steps that were done,
// or may have been, one after another in reverse order of their ends. It is retried
// as its own options say; if it fails for good the run is [Stuck].
//
// Only steps can be undone, not what a workflow within a workflow has done: that has
// reversible steps of its own.
func Reversible[In, Out any](do Step[In, Out], undo Step[Undo[In, Out], None]) Step[In, Out] {
	s := do.spec
	s.Undo, s.Undoing = undo.spec.Type, &undo.spec
	return Step[In, Out]{s}
}

type (
	stepKey struct{}
	taskKey struct{}
)

func withStep(ctx context.Context, o *stepOutcome) context.Context {
	return context.WithValue(ctx, stepKey{}, o)
}

func withTask(ctx context.Context, t *task.Task) context.Context {
	return context.WithValue(ctx, taskKey{}, t)
}

// StepKey returns a name for what the step with context ctx is to do in its run. It
// is the same for every attempt, so that it can be given to others to have them do
// something only once; and it differs when the step is retried with [Handle.Retry].
// It is "" where ctx is not that of a step.
func StepKey(ctx context.Context) string {
	o, ok := ctx.Value(stepKey{}).(*stepOutcome)
	if !ok {
		return ""
	}
	return o.home.ID + "/" + o.name + "/" + o.control.Tag
}

// RunIDFrom returns the id of the run of which the step with context ctx is, or "".
func RunIDFrom(ctx context.Context) string {
	o, ok := ctx.Value(stepKey{}).(*stepOutcome)
	if !ok {
		return ""
	}
	return o.home.ID
}
