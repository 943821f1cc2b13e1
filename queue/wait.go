package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	// pollAlone is how often a waiter looks where nobody tells it anything.
	pollAlone = time.Second

	// pollListening is how often it looks while it is told: a hint may be lost.
	pollListening = 5 * time.Second
)

// Wait waits until the task of info, of which only Queue and ID are needed, has
// ended, and returns what is known of it then: its result, above all, if it is
// completed. Once Wait has begun, a task without a retention of its own is kept
// for a minute when it is done, so that there is something to return. A server may
// be done with it before: what somebody is to wait for should have a
// [task.Retention].
//
// The error is a [FailedError] if the task was archived. It matches
// [ErrResultExpired] if the task is known to have existed, because info is more
// than a name, and is stored no more, and [ErrTaskNotFound] if nothing is known of
// it. If ctx ends first, it matches [ErrNotFinished] and says why ctx ended.
//
// A client that waits listens, if its broker can be listened to: once, however
// many calls there are. It also looks by itself, every second or, while it
// listens, every five.
func (c *Client) Wait(ctx context.Context, info *task.Info) (*task.Info, error) {
	if err := errors.Join(checkBroker(c.broker), checkWaited(info)); err != nil {
		return nil, fmt.Errorf("wait: %w", err)
	}
	ref := broker.EntryRef{Queue: info.Queue, ID: info.ID}
	w := c.waiters.join(ctx, c.broker, ref)
	defer c.waiters.leave(w)
	found, err := c.await(ctx, w)
	switch {
	case errors.Is(err, broker.ErrNotFound) && existed(info):
		err = ErrResultExpired
	case errors.Is(err, broker.ErrNotFound):
		err = ErrTaskNotFound
	case err == nil && found.State == task.Archived:
		return found, &FailedError{Info: found}
	}
	if err != nil {
		return nil, fmt.Errorf("wait for %s: %w", ref, err)
	}
	return found, nil
}

func checkWaited(info *task.Info) error {
	if info == nil {
		return task.Invalid("info", nil, "must not be nil")
	}
	return errors.Join(task.CheckMadeName("Info.Queue", info.Queue), task.CheckMadeName("Info.ID", info.ID))
}

// existed reports whether info is of a task that was stored once.
func existed(info *task.Info) bool {
	return info.State != 0 || info.Type != "" || info.UniqueKey != ""
}

// await has the storage tell of the end of w's entry, and waits for it.
func (c *Client) await(ctx context.Context, w *waiter) (*task.Info, error) {
	watch := broker.Change{Watch: []broker.EntryRef{w.ref}}
	outcomes, err := apply(ctx, c.broker, time.Now(), []broker.Change{watch})
	if err == nil {
		err = outcomes[0]
	}
	if err != nil {
		return nil, unfinished(ctx, err)
	}
	tell := progressOf(ctx)
	var progress []byte
	for {
		now := time.Now()
		s, err := c.broker.Entry(ctx, w.ref)
		switch {
		case errors.Is(err, broker.ErrNotFound), errors.Is(err, broker.ErrClosed):
			return nil, err
		case err == nil:
			if !bytes.Equal(s.Progress, progress) {
				progress = s.Progress
				tell(progress)
			}
			if s.State.Ended() {
				return InfoOf(now, s), nil
			}
		}
		if w.pause(ctx); ctx.Err() != nil {
			return nil, unfinished(ctx, err)
		}
	}
}

// unfinished returns err or, if ctx has ended, that the task was not finished by
// then.
func unfinished(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if err == nil || errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w: %w", ErrNotFinished, context.Cause(ctx))
	}
	return fmt.Errorf("%w: %w: %w", ErrNotFinished, context.Cause(ctx), err)
}

type progressKey struct{}

// OnProgress returns a context with which [Client.Wait] calls f each time it sees
// that the handler has reported something new ([Report]), from the goroutine
// that waits. It may miss what is reported in quick succession, but not what was
// last.
func OnProgress(ctx context.Context, f func(data []byte)) context.Context {
	return context.WithValue(ctx, progressKey{}, f)
}

// progressOf returns whom to tell of what is reported.
func progressOf(ctx context.Context) (tell func([]byte)) {
	if f, ok := ctx.Value(progressKey{}).(func([]byte)); ok && f != nil {
		return f
	}
	return func([]byte) {}
}
