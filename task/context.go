package task

import "context"

// Running is what a handler can learn about the task that it runs, beyond the
// task itself.
type Running struct {
	ID       string
	Queue    string
	Retried  int // retries used before this attempt
	MaxRetry int
}

type runningKey struct{}

// WithRunning returns a context from which the functions below read r. It is
// for the engine, and for tests of handlers.
func WithRunning(ctx context.Context, r Running) context.Context {
	return context.WithValue(ctx, runningKey{}, r)
}

func running(ctx context.Context) (Running, bool) {
	r, ok := ctx.Value(runningKey{}).(Running)
	return r, ok
}

// GetID returns the id of the task that is run with ctx. Like the functions
// below, it reports false if ctx is not that of a handler.
func GetID(ctx context.Context) (string, bool) {
	r, ok := running(ctx)
	return r.ID, ok
}

// GetQueue returns the queue that the task came from.
func GetQueue(ctx context.Context) (string, bool) {
	r, ok := running(ctx)
	return r.Queue, ok
}

// GetRetryCount returns how many retries were used before this attempt: 0 in
// the first.
func GetRetryCount(ctx context.Context) (int, bool) {
	r, ok := running(ctx)
	return r.Retried, ok
}

// GetMaxRetry returns how many retries the task may use.
func GetMaxRetry(ctx context.Context) (int, bool) {
	r, ok := running(ctx)
	return r.MaxRetry, ok
}

// GetAttempt returns the number of this attempt, from 1. An attempt that was
// interrupted or snoozed is not counted: the next has the same number.
func GetAttempt(ctx context.Context) (int, bool) {
	r, ok := running(ctx)
	if !ok {
		return 0, false
	}
	return r.Retried + 1, true
}
