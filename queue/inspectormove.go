package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Run makes a task ready to be run, at the back of its queue: one that is
// scheduled, to be retried, archived, completed or in a group, which it leaves, or
// one that is active and has no worker any more ([task.Info].IsOrphaned). It has
// the retries that it had left.
//
// So this requeues a completed task, too. What made a task unique is not claimed
// again if it was free already.
func (i *Inspector) Run(ctx context.Context, queue, id string) error {
	return i.move(ctx, queue, id, broker.Move{Do: broker.Run})
}

// Reschedule has a task run at a time, or makes it ready if that has passed: one
// that is pending, scheduled, to be retried, archived, completed or in a group,
// which it leaves. It is scheduled until then.
func (i *Inspector) Reschedule(ctx context.Context, queue, id string, at time.Time) error {
	if at.UTC().Add(time.Second-1).Year() > 9999 { // it is rounded up
		return fmt.Errorf("reschedule task %s/%s: %w", queue, id, task.Invalid("time", at, "must be before the year 10000"))
	}
	return i.move(ctx, queue, id, broker.Move{Do: broker.Reschedule, At: at})
}

// Archive keeps a task as archived, to be looked at: one that is pending,
// scheduled, to be retried, completed or in a group, or one that is active and has
// no worker any more. It counts as no outcome.
func (i *Inspector) Archive(ctx context.Context, queue, id string) error {
	return i.move(ctx, queue, id, broker.Move{Do: broker.Archive})
}

// Delete deletes a task in any state but active, or one that is active and has no
// worker any more. It counts as no outcome.
func (i *Inspector) Delete(ctx context.Context, queue, id string) error {
	return i.move(ctx, queue, id, broker.Move{Do: broker.Delete})
}

// Cancel ends a task that has not ended. One that waits, in whatever state, is
// archived as cancelled. One that is active is asked to end: its handler's
// context ends with [ErrCancelled], and unless the handler says that it is done,
// it is archived as cancelled, too. It is not retried.
func (i *Inspector) Cancel(ctx context.Context, queue, id string) error {
	return i.move(ctx, queue, id, broker.Move{Do: broker.Cancel})
}

// Recover makes an active task ready that has no worker any more, as a server of
// its queue does by itself. If it has one, or is not active, the error is a
// [broker.StateError]. It takes two trips.
func (i *Inspector) Recover(ctx context.Context, queue, id string) error {
	return i.moveOrphan(ctx, queue, id, broker.Run)
}

// Drop deletes an active task that has no worker any more. If it has one, or is
// not active, the error is a [broker.StateError]. It takes two trips.
func (i *Inspector) Drop(ctx context.Context, queue, id string) error {
	return i.moveOrphan(ctx, queue, id, broker.Delete)
}

func (i *Inspector) moveOrphan(ctx context.Context, queue, id string, do broker.Act) error {
	s, err := i.entry(ctx, queue, id)
	if err == nil && s.State != task.Active { // if it has a worker, the broker says so
		err = &broker.StateError{Entry: broker.EntryRef{Queue: queue, ID: id}, State: s.State}
	}
	if err != nil {
		return fmt.Errorf("%s orphan %s/%s: %w", do, queue, id, err)
	}
	return i.move(ctx, queue, id, broker.Move{Do: do})
}

func (i *Inspector) move(ctx context.Context, queue, id string, m broker.Move) error {
	m.EntryRef = broker.EntryRef{Queue: queue, ID: id}
	moved := i.tracing(ctx, m)
	if err := i.commit(ctx, queue, broker.Change{Move: []broker.Move{m}}); err != nil {
		return fmt.Errorf("%s task %s: %w", m.Do, m.EntryRef, err)
	}
	moved()
	return nil
}

// tracing reads the task that m is about if there is a tracer. moved is to be called once
// m is done, and tells that.
func (i *Inspector) tracing(ctx context.Context, m broker.Move) (moved func()) {
	if i.Tracer == nil || i.broker == nil {
		return func() {}
	}
	before, err := i.broker.Entry(ctx, m.EntryRef)
	if err != nil {
		return func() {} // the storage says what is wrong to those who want it done
	}
	return func() { i.Tracer.Moved(ctx, before, m.Do) }
}

// commit applies one change about a task of queue.
func (i *Inspector) commit(ctx context.Context, queue string, c broker.Change) error {
	if err := checkBroker(i.broker); err != nil {
		return err
	}
	outcomes, err := apply(ctx, i.broker, time.Now(), []broker.Change{c})
	if err == nil {
		err = outcomes[0]
	}
	if errors.Is(err, broker.ErrNotFound) {
		return i.missing(ctx, queue)
	}
	return err
}

// waiting are the states of tasks that nobody has begun to run.
var waiting = []task.State{task.Pending, task.Scheduled, task.Retry, task.Aggregating}

// maxEdits is how often an edit is tried that others are faster than.
const maxEdits = 20

// EditPayload replaces the payload of a task that waits: one that is pending,
// scheduled, to be retried or in a group. Everything else about it stays as it is:
// its place, its time, and what it is unique by, which may have been made of its
// former payload. The handler gets either payload, and never the former one if
// this returns nil before it was called. If the task has been begun meanwhile, the
// error is a [broker.StateError]. It takes two trips, and two more each time that
// somebody else has changed the task in between.
func (i *Inspector) EditPayload(ctx context.Context, queue, id string, payload []byte) error {
	err := i.editPayload(ctx, queue, id, payload)
	for n := 1; n < maxEdits && errors.Is(err, broker.ErrChanged); n++ {
		err = i.editPayload(ctx, queue, id, payload)
	}
	if err != nil {
		return fmt.Errorf("edit task %s/%s: %w", queue, id, err)
	}
	return nil
}

func (i *Inspector) editPayload(ctx context.Context, queue, id string, payload []byte) error {
	s, err := i.entry(ctx, queue, id)
	if err != nil {
		return err
	}
	if !slices.Contains(waiting, s.State) {
		return &broker.StateError{Entry: s.EntryRef, State: s.State}
	}
	e := s.Entry
	e.Payload = payload
	e.DueAt = time.Time{} // it keeps its place
	return i.commit(ctx, queue, broker.Change{Replace: []broker.Replacement{{Entry: e, If: s.Version}}})
}
