package workflow

import (
	"errors"
)

// An Outcome is what [dag.Try] makes of a value: the value, or why there is none.
//
// [dag.Try]: https://pkg.go.dev/github.com/leatwork/leat/workflow/dag#Try
type Outcome[T any] struct {
	Value   T          `json:"value"`
	Skipped bool       `json:"skipped,omitempty"` // it is on an arm that was not taken
	Failure *StepError `json:"failure,omitempty"` // why it failed; nil: it did not
}

// ErrSkipped is returned by [Outcome.Get] for what was skipped.
var ErrSkipped = errors.New("skipped")

// Get returns the value, the [StepError] that there is instead, or [ErrSkipped].
func (o Outcome[T]) Get() (T, error) {
	switch {
	case o.Failure != nil:
		return o.Value, o.Failure
	case o.Skipped:
		return o.Value, ErrSkipped
	}
	return o.Value, nil
}
