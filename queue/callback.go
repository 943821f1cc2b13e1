package queue

import (
	"context"
	"time"

	"github.com/leatwork/leat/task"
)

// The functions of a Config are the user's: they may panic or return nonsense.
// The methods below call them, log what went wrong, and use the default instead.

func (c Config) baseContext(log func(problem string)) (base context.Context) {
	base = context.Background()
	defer func() {
		if v := recover(); v != nil {
			log("panicked")
		}
	}()
	if made := c.BaseContext(); made != nil {
		return made
	}
	log("returned nil")
	return base
}

func (c Config) handleError(ctx context.Context, t *task.Task, err error) {
	if c.ErrorHandler == nil {
		return
	}
	defer logPanic(ctx, c.Logger, "ErrorHandler")
	c.ErrorHandler(ctx, t, err)
}

func (c Config) failed(ctx context.Context, err error) (failed bool) {
	failed = true
	defer logPanic(ctx, c.Logger, "IsFailure")
	return c.IsFailure(err)
}

func (c Config) retryDelay(ctx context.Context, retried int, err error, t *task.Task) (d time.Duration) {
	d = -1
	func() {
		defer logPanic(ctx, c.Logger, "RetryDelayFunc")
		d = c.RetryDelayFunc(retried, err, t)
		if d < 0 {
			c.Logger.ErrorContext(ctx, "callback returned a negative delay", "callback", "RetryDelayFunc", "delay", d)
		}
	}()
	if d < 0 {
		d = task.DefaultRetryPolicy(retried, err, t)
	}
	return d
}

func (c Config) reportHealth(ctx context.Context, err error) {
	defer logPanic(ctx, c.Logger, "HealthCheckFunc")
	c.HealthCheckFunc(err)
}
