package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// What a program branches on when it enqueues, inspects, or runs a server.
var (
	// ErrTaskIDConflict is matched if the task's id, given by [task.ID], is
	// taken in its queue.
	ErrTaskIDConflict = errors.New("task id conflicts with another task")

	// ErrDuplicateTask is matched if the task was to be unique and is not. The
	// error is a [DuplicateError].
	ErrDuplicateTask = errors.New("task already exists")

	// ErrUnknown is matched if the storage did not answer: the call may have
	// taken effect, or may yet. An error that does not match it is certain
	// that nothing was written.
	ErrUnknown = errors.New("may have taken effect")

	// ErrTaskNotFound is matched if there is no such task: it was never
	// enqueued, or it was done or deleted and is kept no more.
	ErrTaskNotFound = errors.New("task not found")

	// ErrQueueNotFound is matched if there is no such queue: nothing was ever
	// enqueued into it, or it was removed. What is asked of a task in such a
	// queue gets an error that matches ErrTaskNotFound, too.
	ErrQueueNotFound = errors.New("queue not found")

	// ErrQueueNotEmpty is matched if a queue holds tasks that keep it from being
	// removed.
	ErrQueueNotEmpty = errors.New("queue not empty")

	// ErrNotFinished is matched if one has waited for a task for as long as one
	// would, and it has not ended.
	ErrNotFinished = errors.New("task not finished")

	// ErrResultExpired is matched if one has waited for a task that existed, and
	// is stored no more.
	ErrResultExpired = errors.New("result of the task expired")

	// ErrTaskFailed is matched if one has waited for a task that was archived.
	// The error is a [FailedError].
	ErrTaskFailed = errors.New("task failed")

	// ErrServerClosed is returned by the methods of a server that was shut
	// down. A server runs once.
	ErrServerClosed = errors.New("server closed")
)

// Why the context of a handler ended, as [context.Cause] says it.
var (
	// ErrShutdown: the server shuts down and has waited long enough. What the
	// handler leaves undone goes to the front of its queue, at no cost.
	ErrShutdown = errors.New("server shuts down")

	// ErrLeaseLost: the right to run the task has passed to another worker, or
	// could not be extended in time. Nothing that the handler returns counts.
	ErrLeaseLost = broker.ErrLeaseLost

	// ErrTimeout: the attempt has used up the task's timeout, or the task's
	// deadline has come. It also matches [context.DeadlineExceeded].
	ErrTimeout error = timeoutError{}

	// ErrCancelled: somebody asked for the task to be cancelled. Unless its
	// handler returns nil, it is archived as cancelled, which is no failure. It
	// has only failed if it was one of asynq's tools that asked: these say
	// nothing more than an id.
	ErrCancelled = errors.New("task cancelled")
)

// Why a task was archived although its handler was not called, as an [Event] has
// it.
var (
	// ErrExpired: it was too late to begin, by [task.StartBy] or the deadline.
	ErrExpired = errors.New("task expired")

	// ErrPoison: too many of its workers were lost, one after another.
	ErrPoison = errors.New("task is poison")
)

type timeoutError struct{}

func (timeoutError) Error() string        { return "task timed out" }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// A DuplicateError says that a task was not enqueued because another one holds
// its unique key. It matches [ErrDuplicateTask].
type DuplicateError struct {
	ID     string // the task that was refused
	Key    string // the key within the queue
	Holder string // id of the task that holds it
}

// Error names the task, the key and its holder.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("task %s already exists: key %s is held by task %s", e.ID, e.Key, e.Holder)
}

// Is reports whether target is [ErrDuplicateTask].
func (e *DuplicateError) Is(target error) bool { return target == ErrDuplicateTask }

// A FailedError says that a task for which one has waited was archived. It
// matches [ErrTaskFailed].
type FailedError struct {
	Info *task.Info // as it was found
}

// Error says why the task was archived, as far as that is known.
func (e *FailedError) Error() string {
	text := fmt.Sprintf("task %s/%s failed", e.Info.Queue, e.Info.ID)
	if e.Info.End != "" {
		text = fmt.Sprintf("task %s/%s is archived as %s", e.Info.Queue, e.Info.ID, e.Info.End)
	}
	if e.Info.LastErr != "" {
		text += ": " + e.Info.LastErr
	}
	return text
}

// Is reports whether target is [ErrTaskFailed].
func (e *FailedError) Is(target error) bool { return target == ErrTaskFailed }
