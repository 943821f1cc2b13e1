package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Result is what a batched step gives for one of its inputs: a value, or why there is
// none.
type Result[T any] struct {
	Value T
	Err   error
}

// A Batch says how much a batched step is given at a time.
type Batch struct {
	// MaxSize is how many inputs at most: 1 to 990.
	MaxSize int

	// MaxWait is how long an input waits for others: a second at least, and kept in
	// whole seconds, rounded up.
	MaxWait time.Duration
}

// Batched returns a step that shares its work with the same step of other runs: fn gets
// the inputs of several, whichever wait, and returns a result for each, in their order.
// Each run gets its own, its output or its error, and each is retried on its own. An
// error that fn itself returns counts for all of them, and so does any other number of
// results than of inputs.
//
// The workers of a server do not serve batched steps; beside them it runs one batch of
// each at a time. The Timeout among the options holds for a batch.
//
// Batched panics as [NewStep] does, and if b is out of range.
func Batched[In, Out any](name string, b Batch, fn func(context.Context, []In) ([]Result[Out], error), opts ...task.Option) Step[In, Out] {
	mustName("workflow.Batched", name)
	switch {
	case fn == nil:
		panic(fmt.Sprintf("workflow.Batched: step %q has no function", name))
	case b.MaxSize < 1 || b.MaxSize > broker.MaxBatch:
		panic(fmt.Sprintf("workflow.Batched: %v", task.Invalid("Batch.MaxSize", b.MaxSize, fmt.Sprintf("must be 1 to %d", broker.MaxBatch))))
	case b.MaxWait < time.Second:
		panic(fmt.Sprintf("workflow.Batched: %v", task.Invalid("Batch.MaxWait", b.MaxWait, "must be at least 1s")))
	}
	many := eraseMany(name, fn)
	s := specOf[In, Out](name, opts, func(ctx context.Context, input []byte) ([]byte, error) {
		results, err := many(ctx, [][]byte{input})
		if err != nil {
			return nil, err
		}
		return results[0].Output, results[0].Err
	})
	s.Many, s.Batch = many, &plan.Batch{MaxSize: b.MaxSize, MaxWait: b.MaxWait}
	return Step[In, Out]{s}
}

// eraseMany wraps fn so that it takes and gives bytes. An input that cannot be read is
// an error for itself alone.
func eraseMany[In, Out any](name string, fn func(context.Context, []In) ([]Result[Out], error)) func(context.Context, [][]byte) ([]plan.Result, error) {
	return func(ctx context.Context, inputs [][]byte) ([]plan.Result, error) {
		all := make([]plan.Result, len(inputs))
		var in []In
		var at []int
		for i, b := range inputs {
			v, err := plan.Decode[In](b)
			if err != nil {
				all[i].Err = fmt.Errorf("input of step %s: %w", name, err)
				continue
			}
			in, at = append(in, v), append(at, i)
		}
		if len(in) == 0 {
			return all, nil
		}
		results, err := fn(ctx, in)
		if err == nil && len(results) != len(in) {
			err = fmt.Errorf("step %s has %d results for %d inputs: %w", name, len(results), len(in), task.SkipRetry)
		}
		if err != nil {
			return nil, err
		}
		for i, r := range results {
			if all[at[i]].Err = r.Err; r.Err == nil {
				all[at[i]].Output, all[at[i]].Err = plan.Encode(r.Value)
			}
		}
		return all, nil
	}
}
