package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// maxRemovals is how often a queue is emptied that is filled at the same time.
const maxRemovals = 10

// RemoveQueue deletes a queue and everything that is stored with it, figures and
// all. If there is no such queue, the error matches [ErrQueueNotFound].
//
// Without force, a queue that holds a task in whatever state, or a run of a
// workflow, is left as it is, and the error matches [ErrQueueNotEmpty].
//
// With force, its tasks are deleted, those that have no worker any more included,
// and the runs that are stored beside it. That takes many steps of at most
// [broker.MaxSweep], and the queue is paused meanwhile. A queue of which tasks are
// being run or folded is left as it is, and the error matches ErrQueueNotEmpty and
// says how many they are. If something goes wrong on the way, or ctx ends, what is
// left of the queue stays paused; the call may be repeated. If somebody goes on
// enqueueing, the error matches ErrQueueNotEmpty at last.
func (i *Inspector) RemoveQueue(ctx context.Context, queue string, force bool) error {
	forget := i.toForget(ctx, queue)
	err := checkBroker(i.broker)
	if err == nil && force {
		err = i.prepareRemoval(ctx, queue)
	}
	if err == nil {
		err = i.broker.Remove(ctx, time.Now(), queue, force)
	}
	for n := 0; n < maxRemovals && force && errors.Is(err, broker.ErrNotEmpty); n++ {
		if err = i.empty(ctx, queue); err == nil {
			err = i.broker.Remove(ctx, time.Now(), queue, force)
		}
	}
	switch {
	case errors.Is(err, broker.ErrNotFound):
		err = ErrQueueNotFound
	case errors.Is(err, broker.ErrNotEmpty):
		err = fmt.Errorf("%w: %w", ErrQueueNotEmpty, err)
	}
	if err != nil {
		return fmt.Errorf("remove queue %s: %w", queue, err)
	}
	forget()
	return nil
}

// prepareRemoval pauses a queue, unless some of its tasks are in somebody's hands.
func (i *Inspector) prepareRemoval(ctx context.Context, queue string) error {
	if err := i.exists(ctx, queue); err != nil {
		return err
	}
	if err := i.idle(ctx, queue); err != nil {
		return err
	}
	paused, err := i.broker.Pause(ctx, time.Now(), queue, true)
	if err != nil {
		return err
	}
	err = i.idle(ctx, queue)
	if paused && errors.Is(err, ErrQueueNotEmpty) {
		// Somebody has begun one between the look and the pause: leave the queue
		// as it was.
		_, unpaused := i.broker.Pause(ctx, time.Now(), queue, false)
		err = errors.Join(err, unpaused)
	}
	return err
}

// idle returns an error that matches ErrQueueNotEmpty if tasks of a queue are
// being run or folded.
func (i *Inspector) idle(ctx context.Context, queue string) error {
	now := time.Now()
	counts, err := i.broker.Counts(ctx, now, queue)
	if err != nil {
		return err
	}
	active, frozen := counts[0].Active, 0
	if active > 0 {
		orphans, err := i.orphans(ctx, now, queue)
		if err != nil {
			return err
		}
		active -= len(orphans)
	}
	if counts[0].Aggregating > 0 {
		groups, err := i.broker.Groups(ctx, queue)
		if err != nil {
			return err
		}
		frozen = counts[0].Aggregating
		for _, g := range groups {
			frozen -= g.Size
		}
	}
	if active > 0 || frozen > 0 {
		return fmt.Errorf("%w: %d of its tasks are being run, and %d are being folded", ErrQueueNotEmpty, max(active, 0), max(frozen, 0))
	}
	return nil
}

// orphans returns the active tasks of a queue that have no worker any more.
func (i *Inspector) orphans(ctx context.Context, now time.Time, queue string) ([]string, error) {
	var ids []string
	r := broker.ListRequest{Queue: queue, State: task.Active, Limit: atOnce}
	for {
		found, err := i.broker.List(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if !orphaned(now, s) {
				return ids, nil // they are in order of the ends of their leases
			}
			ids = append(ids, s.ID)
		}
		if len(found) < r.Limit {
			return ids, nil
		}
		r.After = found[len(found)-1].Place
	}
}

// empty deletes the tasks of a queue that nobody is at.
func (i *Inspector) empty(ctx context.Context, queue string) error {
	orphans, err := i.orphans(ctx, time.Now(), queue)
	if err != nil {
		return err
	}
	b := bulk{Inspector: i, BulkRequest: BulkRequest{Do: broker.Delete}}
	if err := b.moveAll(ctx, queue, orphans); err != nil {
		return err
	}
	for _, b.State = range task.States() {
		if b.State == task.Active {
			continue
		}
		if err := b.doQueue(ctx, queue); err != nil {
			return err
		}
	}
	return nil
}
