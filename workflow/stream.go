package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Stream is the outputs of a map that are read one by one, in the order of its
// elements, rather than held in memory together. Only the step that takes it can read
// it, while it runs.
type Stream[T any] struct{ from streamed }

// A streamed value says which map it is of.
type streamed struct {
	Map   string `json:"map"`
	Width int    `json:"width"`
}

// MarshalJSON is for the engine.
func (s Stream[T]) MarshalJSON() ([]byte, error) { return json.Marshal(s.from) }

// UnmarshalJSON is for the engine.
func (s *Stream[T]) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &s.from) }

// Len returns how many elements the map had. Fewer may be read, if it tolerates that
// some fail.
func (s Stream[T]) Len() int { return s.from.Width }

// All reads the outputs, five hundred at a time. ctx is the context of the step. What
// goes wrong is given as an error, after which nothing follows; it can be returned from
// the step, which is then retried.
func (s Stream[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := s.each(ctx, func(v T) bool { return yield(v, nil) }); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// each calls f with the outputs until it returns false.
func (s Stream[T]) each(ctx context.Context, f func(T) bool) error {
	o, ok := ctx.Value(stepKey{}).(*stepOutcome)
	if !ok {
		return fmt.Errorf("read stream: %w", ErrNoStep)
	}
	n := o.Node(s.from.Map)
	if n == nil {
		return fmt.Errorf("read stream of %s: %w", s.from.Map, ErrStepNotFound)
	}
	stopped := false
	err := o.values.eachItem(ctx, n, s.from.Width, func(i int, r record, ok bool) error {
		b, err := o.values.element(ctx, n, i, r, ok)
		if err != nil || b == nil {
			return err
		}
		var v T
		if err := json.Unmarshal(b, &v); err != nil {
			return fmt.Errorf("item %d of %s: %w", i, n, err)
		}
		if stopped = !f(v); stopped {
			return errStopped
		}
		return nil
	})
	if stopped {
		return nil
	}
	return err
}

var errStopped = fmt.Errorf("stopped reading")

// stream returns what a [Stream] of a map's outputs is.
func (v *values) stream(ctx context.Context, n *plan.Node) ([]byte, error) {
	of := v.Nodes[n.Deps[0]]
	m, _, err := v.mapped(ctx, of)
	if err != nil {
		return nil, err
	}
	return json.Marshal(streamed{of.Name, m.Width})
}
