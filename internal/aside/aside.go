// Package aside calls users' functions, which may panic, end their goroutine or never
// return, so that none of it harms the caller.
package aside

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/leatwork/leat/task"
)

// What a function has done that has not returned.
var (
	ErrExited   = errors.New("has ended its goroutine (runtime.Goexit)")
	ErrUnending = errors.New("has not returned")
)

// Call calls f on a goroutine of its own. A panic is a [task.PanicError], and a
// runtime.Goexit is ErrExited. If f has not returned so long after ctx has ended, it is
// given up with an error that wraps ErrUnending and the cause, and holds nothing but
// that goroutine.
func Call[T any](ctx context.Context, grace time.Duration, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		a := answer{err: ErrExited}
		defer func() {
			if p := recover(); p != nil {
				a.err = &task.PanicError{Value: p, Stack: debug.Stack()}
			}
			done <- a
		}()
		a.value, a.err = f()
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
	}
	select {
	case a := <-done:
		return a.value, a.err
	case <-time.After(grace):
		var none T
		return none, fmt.Errorf("%w: %w", ErrUnending, context.Cause(ctx))
	}
}
