package task

import "context"

// An Attempt is what a handler can learn about its run of a task, beyond the
// task itself.
type Attempt struct {
	ID       string
	Queue    string
	Type     string
	Retried  int // retries used before this attempt
	MaxRetry int
}

type attemptKey struct{}

// WithAttempt returns a context from which the functions below read a. It is
// for the engine, and for tests of handlers.
func WithAttempt(ctx context.Context, a Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

func attempt(ctx context.Context) (Attempt, bool) {
	a, ok := ctx.Value(attemptKey{}).(Attempt)
	return a, ok
}

// GetID returns the id of the task that is run with ctx. Like the functions
// below, it reports false if ctx is not that of a handler.
func GetID(ctx context.Context) (string, bool) {
	a, ok := attempt(ctx)
	return a.ID, ok
}

// GetQueue returns the queue that the task came from.
func GetQueue(ctx context.Context) (string, bool) {
	a, ok := attempt(ctx)
	return a.Queue, ok
}

// GetRetryCount returns how many retries were used before this attempt: 0 in
// the first.
func GetRetryCount(ctx context.Context) (int, bool) {
	a, ok := attempt(ctx)
	return a.Retried, ok
}

// GetMaxRetry returns how many retries the task may use.
func GetMaxRetry(ctx context.Context) (int, bool) {
	a, ok := attempt(ctx)
	return a.MaxRetry, ok
}

// GetAttempt returns the number of this attempt, from 1. An attempt that was
// interrupted or snoozed is not counted: the next has the same number.
func GetAttempt(ctx context.Context) (int, bool) {
	a, ok := attempt(ctx)
	if !ok {
		return 0, false
	}
	return a.Retried + 1, true
}
