package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Pause has no task of a queue begun until it is resumed, and reports whether that
// was new. Tasks that are being run go on; enqueues, and what is done at a time,
// do as well. The queue need not exist yet.
func (i *Inspector) Pause(ctx context.Context, queue string) (bool, error) {
	forget := i.toForget(ctx, queue)
	changed, err := i.pause(ctx, queue, true)
	if err != nil {
		return false, fmt.Errorf("pause queue %s: %w", queue, err)
	}
	if changed {
		forget() // asynq's tools resume a queue without that
	}
	return changed, nil
}

// PauseBy does what Pause does, and keeps who wants it, when and why for others to see,
// until the queue is resumed or removed. Pausing it again says so anew. By and why are
// cut to 200 bytes. Where that cannot be kept, as in a storage that is full, or that lets
// its user into no home but those of some queues, nothing is paused if there is a why; without
// one the queue is paused all the same.
func (i *Inspector) PauseBy(ctx context.Context, queue, by, why string) (bool, error) {
	changed, err := i.pauseBy(ctx, queue, Pause{By: cut(by, maxWords), Why: cut(why, maxWords), At: time.Now()})
	if err != nil {
		return false, fmt.Errorf("pause queue %s: %w", queue, err)
	}
	return changed, nil
}

func (i *Inspector) pauseBy(ctx context.Context, queue string, p Pause) (bool, error) {
	if err := errors.Join(checkBroker(i.broker), broker.CheckQueue(queue)); err != nil {
		return false, err
	}
	// First this: it is not told of a queue that is not paused.
	if err := changePauses(ctx, i.broker, p.At, func(all pauses) bool { all[queue] = p; return true }); err != nil && p.Why != "" {
		return false, err
	}
	return i.pause(ctx, queue, true)
}

// Resume ends what Pause began, and reports whether that was new.
func (i *Inspector) Resume(ctx context.Context, queue string) (bool, error) {
	forget := i.toForget(ctx, queue)
	changed, err := i.pause(ctx, queue, false)
	if err != nil {
		return false, fmt.Errorf("resume queue %s: %w", queue, err)
	}
	forget()
	return changed, nil
}

func (i *Inspector) pause(ctx context.Context, queue string, paused bool) (bool, error) {
	if err := checkBroker(i.broker); err != nil {
		return false, err
	}
	return i.broker.Pause(ctx, time.Now(), queue, paused)
}

// toForget returns what forgets who has paused a queue that is not paused any more, or by
// somebody else: what is known of that by now, and not what somebody says later. If that
// cannot be done, as in a storage that is full, nothing is amiss: it is not told of a queue
// that is not paused, and whoever says anew who pauses it replaces it.
func (i *Inspector) toForget(ctx context.Context, queue string) (forget func()) {
	if checkBroker(i.broker) != nil {
		return func() {}
	}
	at, err := pausesDocument(ctx, i.broker)
	if err != nil {
		return func() {}
	}
	then, _ := parsePauses(at) // of what is damaged nothing is known
	return func() {
		_ = changePausesFrom(ctx, i.broker, time.Now(), at, func(all pauses) bool {
			now, known := all[queue]
			if !known || !now.equal(then[queue]) {
				return false
			}
			delete(all, queue)
			return true
		})
	}
}

// ReadPauses sets the Pause of those of infos that are paused, where somebody has said who
// paused them. It takes one trip, and none if none is paused. Where a queue was resumed and
// paused again by asynq's tools, it is told who had paused it before.
func (i *Inspector) ReadPauses(ctx context.Context, infos []QueueInfo) error {
	var paused []*QueueInfo
	for n := range infos {
		if infos[n].Pause = nil; infos[n].Paused {
			paused = append(paused, &infos[n])
		}
	}
	if len(paused) == 0 {
		return nil
	}
	if err := checkBroker(i.broker); err != nil {
		return fmt.Errorf("read pauses: %w", err)
	}
	kept, err := pausesDocument(ctx, i.broker)
	if err != nil {
		return fmt.Errorf("read pauses: %w", err)
	}
	all, err := parsePauses(kept)
	if err != nil {
		return fmt.Errorf("read pauses: %w", err)
	}
	for _, info := range paused {
		if p, known := all[info.Queue]; known {
			info.Pause = &p
		}
	}
	return nil
}
