package periodic

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/task"
)

// patience is for how long a user's function may take.
const patience = 10 * time.Second

var errExited = errors.New("has ended its goroutine (runtime.Goexit)")

// A gate lets a user's function be called, one call after another, and never again
// while a call has not returned that was given up: so what never returns holds one
// goroutine, and no more.
type gate struct{ busy atomic.Bool }

// call calls a user's function on a goroutine of its own. A panic is a
// [task.PanicError]. One that does not return in time is given up with [ErrAbandoned].
func call[T any](g *gate, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if !g.busy.CompareAndSwap(false, true) {
		return none, ErrAbandoned
	}
	done := make(chan answer, 1)
	go func() {
		a := answer{err: errExited}
		defer func() {
			if p := recover(); p != nil {
				a.err = &task.PanicError{Value: p, Stack: debug.Stack()}
			}
			g.busy.Store(false)
			done <- a
		}()
		a.value, a.err = f()
	}()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case a := <-done:
		return a.value, a.err
	case <-t.C:
		return none, fmt.Errorf("%w after %v", ErrAbandoned, patience)
	}
}

// do calls a user's function that returns nothing.
func do(g *gate, f func()) error {
	_, err := call(g, func() (struct{}, error) {
		f()
		return struct{}{}, nil
	})
	return err
}
