package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// apply returns the outcomes of changes, or an error that matches [ErrUnknown]
// unless certainly none took effect.
func apply(ctx context.Context, b broker.Broker, now time.Time, changes []broker.Change) ([]error, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	applied, err := b.Apply(ctx, now, changes, broker.LeaseRequest{})
	return certain(applied.Outcomes, len(changes), err)
}

// certain returns the outcomes of n changes, or why they are not known.
func certain(outcomes []error, n int, err error) ([]error, error) {
	if err == nil {
		err = checkOutcomes(outcomes, n)
	}
	if err != nil && !errors.Is(err, broker.ErrRefused) {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return outcomes, err
}

// checkOutcomes returns an error if a broker's answer is not one for each of n
// changes.
func checkOutcomes(outcomes []error, n int) error {
	if len(outcomes) != n {
		return fmt.Errorf("broker answered %d changes with %d outcomes", n, len(outcomes))
	}
	return nil
}
