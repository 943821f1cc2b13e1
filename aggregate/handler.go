package aggregate

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/task"
)

// A Handler is what becomes of batches: all of one is folded into a task ([Raw],
// [Fold]), or each of its tasks has an outcome of its own ([Each], [EachOf]). Its
// function is given the name of the group, and the tasks in the order in which they
// joined it.
//
// The function may be called again with the same tasks, alone or among others: if the
// process ends, or the storage does not answer. Its context ends when its time is over,
// when the batch is somebody else's, or when the server shuts down and has waited long
// enough: then what it leaves undone goes back to its group, at no cost. One that does
// not return within a second of that is given up.
type Handler struct {
	decode func(*task.Task) (any, error) // an item of a task; an error is an outcome of that
	fold   func(ctx context.Context, group string, items []any) (*task.Task, error)
	each   func(ctx context.Context, group string, tasks []*task.Task, items []any) []error
}

// isNil reports whether h has no function.
func (h Handler) isNil() bool { return h.fold == nil && h.each == nil }

// Raw folds a batch into the task that f returns. In one commit that task is enqueued
// and the tasks of the batch are done.
//
// It goes through the server's Client ([github.com/leatwork/leat/queue.Config]): its
// defaults, limits and middleware. Unless it has a [task.Queue] it goes to the queue of
// the batch, and unless it has a [task.ID] to one that begins with the id of the first
// task.
//
// If f fails, the tasks go back together: all of them are retried, or archived, as the
// policy and their [task.MaxRetry] have it of tasks whose handler returned the error,
// and those that are retried join their group again at one time. A panic is a failure,
// and so is no task, or one that cannot be enqueued because its id is taken or it is not
// as unique as it should be: not even what a task of the batch holds is free for it. It
// may not join the group that it comes from.
func Raw(f func(ctx context.Context, group string, tasks []*task.Task) (*task.Task, error)) Handler {
	if f == nil {
		return Handler{}
	}
	return Handler{
		decode: asIs,
		fold: func(ctx context.Context, group string, items []any) (*task.Task, error) {
			return f(ctx, group, of[*task.Task](items))
		},
	}
}

// Fold is [Raw] for payloads that are JSON of a T. A task whose payload cannot be
// decoded is archived with a [task.DecodeError], and left out.
func Fold[T any](f func(ctx context.Context, group string, items []T) (*task.Task, error)) Handler {
	if f == nil {
		return Handler{}
	}
	return Handler{
		decode: decode[T],
		fold: func(ctx context.Context, group string, items []any) (*task.Task, error) {
			return f(ctx, group, of[T](items))
		},
	}
}

// Each does something for the tasks of a batch together, and says what became of each:
// f returns nil if all are done, or an error for each of them, nil for one that is
// done. Every task is settled by itself as one whose handler returned that error: it is
// retried alone, with whatever is in its group by then, or completed with what was
// written to its [task.ResultWriter], and who waits for it is told.
//
// If f panics, or returns another number of errors, all have failed.
func Each(f func(ctx context.Context, group string, tasks []*task.Task) []error) Handler {
	if f == nil {
		return Handler{}
	}
	return Handler{
		decode: asIs,
		each: func(ctx context.Context, group string, tasks []*task.Task, _ []any) []error {
			return f(ctx, group, tasks)
		},
	}
}

// A Result is what became of one item: a value, or why there is none.
type Result[R any] struct {
	Value R
	Err   error
}

// EachOf is [Each] for payloads that are JSON of a T, and results that are JSON of an R;
// with [task.None] there are none. A task whose payload cannot be decoded is archived
// with a [task.DecodeError], and left out. An error that f itself returns counts for
// all.
func EachOf[T, R any](f func(ctx context.Context, group string, items []T) ([]Result[R], error)) Handler {
	if f == nil {
		return Handler{}
	}
	return Handler{
		decode: decode[T],
		each: func(ctx context.Context, group string, tasks []*task.Task, items []any) []error {
			results, err := f(ctx, group, of[T](items))
			if err != nil {
				return repeated(err, len(tasks))
			}
			errs := make([]error, len(results))
			for i, r := range results {
				if errs[i] = r.Err; r.Err == nil && i < len(tasks) {
					errs[i] = keep(tasks[i], r.Value)
				}
			}
			return errs
		},
	}
}

func asIs(t *task.Task) (any, error) { return t, nil }

// decode returns what the payload of t is JSON of.
func decode[T any](t *task.Task) (any, error) {
	item, err := task.Define[T, task.None](t.Type()).Input(&task.Info{Type: t.Type(), Payload: t.Payload()})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, task.SkipRetry)
	}
	return item, nil
}

// keep makes v the result of t. If that cannot be, to do the work again would not help.
func keep[R any](t *task.Task, v R) error {
	result, err := task.JSON[R]().Encode(v)
	if err == nil && result != nil {
		_, err = t.ResultWriter().Write(result)
	}
	if err != nil {
		return fmt.Errorf("result of %s: %w: %w", t.Type(), err, task.SkipRetry)
	}
	return nil
}

// of returns items, which are all Ts, as these.
func of[T any](items []any) []T {
	list := make([]T, len(items))
	for i, item := range items {
		list[i], _ = item.(T) // of an interface, a nil one is none
	}
	return list
}

func repeated(err error, n int) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
