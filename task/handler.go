package task

import "context"

// A Handler runs tasks. Several goroutines call it at once, with as many tasks
// as the server's concurrency allows.
type Handler interface {
	// ProcessTask runs t. Nil means that it is done. With an error, or a
	// panic, it failed: it is run again later, or archived if it has no
	// retries left. An error that wraps [SkipRetry] or [Revoke], or comes from
	// [Snooze], asks for something else.
	//
	// A task may be run more than once, for instance if the process ended
	// before the outcome was recorded. ProcessTask should return soon after ctx
	// has ended; [context.Cause] says why it has.
	ProcessTask(ctx context.Context, t *Task) error
}

// A HandlerFunc is a function used as a [Handler].
type HandlerFunc func(context.Context, *Task) error

// ProcessTask calls f.
func (f HandlerFunc) ProcessTask(ctx context.Context, t *Task) error { return f(ctx, t) }

// CheckHandler returns an [InvalidError] if h is nil, as an interface, a
// [HandlerFunc] or a [Mux].
func CheckHandler(h Handler) error {
	f, isFunc := h.(HandlerFunc)
	m, isMux := h.(*Mux)
	if h == nil || isFunc && f == nil || isMux && m == nil {
		return Invalid("handler", nil, "must not be nil")
	}
	return nil
}

// A Middleware wraps a handler in another one that does something before or
// after it, or instead of it. It must not return nil. A [Mux] calls it when
// handlers are registered, not for each task; meanwhile it must not use the Mux.
type Middleware func(Handler) Handler
