package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
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

	// ErrCancelled: somebody asked for the task to be cancelled. Nothing in
	// this version asks for it yet. A task that is cancelled has failed, with
	// what its handler returns or, if that does not return, with this.
	ErrCancelled = errors.New("task cancelled")
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
