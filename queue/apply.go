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
	if err == nil {
		err = checkOutcomes(applied, len(changes))
	}
	if err != nil && !errors.Is(err, broker.ErrRefused) {
		err = fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return applied.Outcomes, err
}

// checkOutcomes returns an error if a broker's answer is not one for each of n
// changes.
func checkOutcomes(a broker.Applied, n int) error {
	if len(a.Outcomes) != n {
		return fmt.Errorf("broker answered %d changes with %d outcomes", n, len(a.Outcomes))
	}
	return nil
}
