package queue

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/leatwork/leat/task"
)

// The functions of a Config are the user's: they may panic, end their goroutine
// or return nonsense. The methods below call them, log what went wrong, and use
// the default instead.

func (c Config) baseContext(log func(problem string)) context.Context {
	if c.BaseContext == nil {
		return context.Background()
	}
	return baseOf(c.BaseContext, log)
}

func baseOf(base func() context.Context, log func(problem string)) context.Context {
	var made context.Context
	switch err := apart(func() { made = base() }); {
	case err != nil:
		log(problem(err))
	case made == nil:
		log("returned nil")
	default:
		return made
	}
	return context.Background()
}

func (c Config) handleError(ctx context.Context, t *task.Task, err error) {
	if c.ErrorHandler != nil {
		callBack(ctx, c.Logger, "ErrorHandler", func() { c.ErrorHandler(ctx, t, err) })
	}
}

func (c Config) failed(ctx context.Context, t *task.Task, err error) bool {
	failed, isFailure := true, c.forType(t.Type()).IsFailure
	returned := callBack(ctx, c.Logger, "IsFailure", func() { failed = isFailure(err) })
	return failed || !returned
}

func (c Config) retryDelay(ctx context.Context, retried int, err error, t *task.Task) time.Duration {
	d, delay := time.Duration(-1), c.forType(t.Type()).RetryDelayFunc
	returned := callBack(ctx, c.Logger, "RetryDelayFunc", func() { d = delay(retried, err, t) })
	if returned && d < 0 {
		c.Logger.ErrorContext(ctx, "callback returned a negative delay", "callback", "RetryDelayFunc", "delay", d)
	}
	if d < 0 {
		d = task.DefaultRetryPolicy(retried, err, t)
	}
	return d
}

func (c Config) reportHealth(ctx context.Context, err error) {
	callBack(ctx, c.Logger, "HealthCheckFunc", func() { c.HealthCheckFunc(err) })
}

// callBack calls f, which calls the user's function of that name, and reports
// whether it returned.
func callBack(ctx context.Context, log *slog.Logger, name string, f func()) (returned bool) {
	err := apart(f)
	if err == nil {
		return true
	}
	args := []any{"callback", name, "problem", problem(err)}
	if p, ok := errors.AsType[*task.PanicError](err); ok {
		args = append(args, "panic", p.Value, "stack", string(p.Stack))
	}
	log.ErrorContext(ctx, "callback does not work", args...)
	return false
}

var errEnded = errors.New("ended its goroutine with runtime.Goexit")

// apart calls f on a goroutine of its own and waits for it: a dispatcher that
// f could end would leave the server standing still, in silence. It returns nil,
// errEnded or a [task.PanicError].
func apart(f func()) error {
	err := errEnded
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				err = &task.PanicError{Value: v, Stack: debug.Stack()}
			}
		}()
		f()
		err = nil
	})
	wg.Wait()
	return err
}

// problem says in words what apart returned.
func problem(err error) string {
	if errors.Is(err, errEnded) {
		return err.Error()
	}
	return "panicked"
}
