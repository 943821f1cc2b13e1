package periodic

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/internal/aside"
)

const (
	// patience is for how long a user's function may take.
	patience = 10 * time.Second

	// grace is for how long it may in a shutdown.
	grace = time.Second
)

// A gate lets a user's function be called, one call after another, and never again
// while a call has not returned that was given up: so what never returns holds one
// goroutine, and no more.
type gate struct{ busy atomic.Bool }

// call calls a user's function on a goroutine of its own. A panic is a
// [task.PanicError]. One that does not return in time, or soon after ctx ends, is given
// up with [ErrAbandoned].
func call[T any](ctx context.Context, g *gate, f func() (T, error)) (T, error) {
	if !g.busy.CompareAndSwap(false, true) {
		var none T
		return none, ErrAbandoned
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, patience-grace)
	defer cancel()
	value, err := aside.Call(limited, grace, func() (T, error) {
		defer g.busy.Store(false)
		return f()
	})
	if errors.Is(err, aside.ErrUnending) {
		err = fmt.Errorf("%w after %v", ErrAbandoned, time.Since(began).Round(time.Millisecond))
	}
	return value, err
}

// do calls a user's function that returns nothing.
func do(ctx context.Context, g *gate, f func()) error {
	_, err := call(ctx, g, func() (struct{}, error) {
		f()
		return struct{}{}, nil
	})
	return err
}
