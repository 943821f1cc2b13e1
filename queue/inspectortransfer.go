package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Transfer puts a task that waits into another queue, where it has the same id, and waits
// for the same: to be run, for its time, or in a group of the same name. It is pending or
// scheduled there, with the retries that it had left, its payload, headers and limits;
// the record of its attempts and what was reported of its progress do not go with it, and
// whoever waits for its end is told that it is gone. All of that happens, or nothing.
//
// The error is a [broker.StateError] if the task does not wait, matches [ErrTaskIDConflict] if
// there is one of its id in the other queue, and is a [task.InvalidError] that names what is
// wrong if the task cannot be had elsewhere: it is unique in its queue, belongs to a run or
// to a periodic entry, or something is to follow it. It matches [broker.ErrApart] if the two
// queues lie in different parts of a cluster. It takes two trips, and two more each time that
// somebody else has changed the task in between.
func (i *Inspector) Transfer(ctx context.Context, queue, id, to string) error {
	err := i.transfer(ctx, queue, id, to)
	for n := 1; n < maxEdits && errors.Is(err, broker.ErrChanged); n++ {
		err = i.transfer(ctx, queue, id, to)
	}
	if err != nil {
		return fmt.Errorf("transfer task %s/%s to queue %s: %w", queue, id, to, err)
	}
	return nil
}

func (i *Inspector) transfer(ctx context.Context, queue, id, to string) error {
	if err := task.CheckName("queue", to); err != nil {
		return err
	}
	s, err := i.entry(ctx, queue, id)
	if err != nil {
		return err
	}
	if err := transferable(s, to); err != nil {
		return err
	}
	e := s.Entry
	e.Queue = to
	err = i.commit(ctx, queue, broker.Change{
		Move:    []broker.Move{{EntryRef: s.EntryRef, Do: broker.Delete}},
		Replace: []broker.Replacement{{Entry: s.Entry, If: s.Version}}, // it is as it was read
		Enqueue: []broker.Entry{e},
	})
	if errors.Is(err, broker.ErrExists) {
		return fmt.Errorf("%w: %w", ErrTaskIDConflict, err)
	}
	return err
}

// transferable returns why what is stored cannot be put into another queue.
func transferable(s broker.Stored, to string) error {
	switch {
	case to == s.Queue:
		return task.Invalid("queue", to, "is where the task is already")
	case !slices.Contains(waiting, s.State):
		return &broker.StateError{Entry: s.EntryRef, State: s.State}
	case s.Home != broker.Home{}:
		return task.Invalid("id", s.ID, "is that of a task which belongs to "+s.Home.Queue+"/"+s.Home.ID)
	case s.Claim.Key != "":
		return task.Invalid("id", s.ID, "is that of a task which is unique in its queue")
	case s.Exit != nil:
		return task.Invalid("id", s.ID, "is that of a task which something is to follow")
	default:
		return nil
	}
}
