package periodic

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/internal/aside"
)

// patience is for how long a user's function may take.
const patience = 10 * time.Second

// A gate lets a user's function be called, one call after another, and never again
// while a call has not returned that was given up: so what never returns holds one
// goroutine, and no more.
type gate struct{ busy atomic.Bool }

// call calls a user's function on a goroutine of its own. A panic is a
// [task.PanicError]. One that does not return in time is given up with [ErrAbandoned].
func call[T any](g *gate, f func() (T, error)) (T, error) {
	if !g.busy.CompareAndSwap(false, true) {
		var none T
		return none, ErrAbandoned
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	value, err := aside.Call(ctx, 0, func() (T, error) {
		defer g.busy.Store(false)
		return f()
	})
	if errors.Is(err, aside.ErrUnending) {
		err = fmt.Errorf("%w after %v", ErrAbandoned, patience)
	}
	return value, err
}

// do calls a user's function that returns nothing.
func do(g *gate, f func()) error {
	_, err := call(g, func() (struct{}, error) {
		f()
		return struct{}{}, nil
	})
	return err
}
