package task

import (
	"context"
	"fmt"
	"sync"
)

// A ResultWriter takes what a handler has to say about its task. The result is
// stored in the commit that records the outcome, and kept where the task is:
// with a completed, retried or archived task, not with one that is done and
// deleted. All methods may be called from several goroutines.
type ResultWriter struct {
	ctx context.Context // the handler's
	id  string
	max int

	mu     sync.Mutex
	result []byte // replaced as a whole, never modified
}

// NewResultWriter returns a writer for the task with the given id, whose
// handler is run with ctx. It takes at most max bytes; 0 is no limit. It is for
// the engine, and for tests of handlers.
func NewResultWriter(ctx context.Context, id string, max int) *ResultWriter {
	return &ResultWriter{ctx: ctx, id: id, max: max}
}

// TaskID returns the id of the task.
func (w *ResultWriter) TaskID() string { return w.id }

// Write makes data the result, in place of what was written before. It copies
// data, does not wait for storage, and writes nothing if it returns an error:
// an [InvalidError] if data is larger than a result may be, or the cause of the
// handler's context if that has ended.
func (w *ResultWriter) Write(data []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, fmt.Errorf("write result of task %s: %w", w.id, context.Cause(w.ctx))
	}
	if err := w.keep(data); err != nil {
		return 0, fmt.Errorf("write result of task %s: %w", w.id, err)
	}
	return len(data), nil
}

// keep is Write, whether the handler's context has ended or not: what a handler
// has returned counts.
func (w *ResultWriter) keep(data []byte) error {
	if w.max > 0 && len(data) > w.max {
		limit := fmt.Sprintf("is larger than %d bytes", w.max)
		return Invalid("result size", len(data), limit)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.result = append([]byte{}, data...)
	return nil
}

// Result returns what was written last, nil if nothing was, and empty but not
// nil if that was empty. It is shared and must not be modified.
func (w *ResultWriter) Result() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.result
}
