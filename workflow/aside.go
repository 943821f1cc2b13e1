package workflow

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/leatwork/leat/task"
)

var (
	errExited   = errors.New("has ended its goroutine (runtime.Goexit)")
	errUnending = errors.New("has not returned")
)

// aside calls a user's function on a goroutine of its own. A panic is a
// [task.PanicError]. One that has not returned so long after ctx has ended is given up
// with an error that wraps errUnending and the cause, so that it holds nothing but that
// goroutine.
func aside[T any](ctx context.Context, grace time.Duration, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		a := answer{err: errExited}
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
		return none, fmt.Errorf("%w: %w", errUnending, context.Cause(ctx))
	}
}
