package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// Members of the sorted set of a queue's wakes. The score of due is the time.
const (
	wakeReady = "ready"
	wakeDue   = "due"
)

// blockTime is how long the server is asked to block. It then answers that there is
// nothing, and so shows that it is still there.
const blockTime = 10 * time.Second

// A proxy that does not take a command ends the connection. It is known by that
// happening within promptly, tooOften one after another.
const (
	promptly = time.Second
	tooOften = 3
)

// Wait implements [broker.Waker], on a connection of its own. Each call that goes
// on at the same time has another one.
func (b *Broker) Wait(ctx context.Context, queues []string) (broker.Wake, error) {
	err := broker.CheckWait(queues)
	if err != nil {
		return broker.Wake{}, fmt.Errorf("wait: %w", err)
	}
	w, err := b.waiting.wait(ctx, queues)
	if err != nil {
		return broker.Wake{}, fmt.Errorf("wait: %w", err)
	}
	return w, nil
}

// A waiting is how it is waited for wakes.
type waiting struct {
	world   *world // whose client, keys and clock are those of all wakes
	refused bool   // by option
	lines   lines
	cut     atomic.Int32 // how many lines have ended promptly, one after another
}

func newWaiting(w *world, refused bool) *waiting {
	return &waiting{world: w, refused: refused, lines: lines{client: w.client, open: make(map[*line]bool)}}
}

func (w *waiting) close() { w.lines.close() }

// wait waits for a wake. A connection that breaks is made anew: once, if it breaks
// promptly.
func (w *waiting) wait(ctx context.Context, queues []string) (broker.Wake, error) {
	if w.refused {
		return broker.Wake{}, fmt.Errorf("by option: %w", errors.ErrUnsupported)
	}
	keys := make([]string, len(queues))
	for i, q := range queues {
		keys[i] = w.world.keys.wake(q)
	}
	if l := w.world.leaver; l != nil {
		l.leaveAll() // what this process has done comes first
	}
	again, pause, waited := false, firstPause, time.Duration(0)
	for {
		if err := w.started(ctx); err != nil {
			return broker.Wake{}, err
		}
		before := w.cut.Load()
		popped, err := w.ask(ctx, keys)
		switch {
		case err == nil:
			return w.read(popped), nil
		case errors.Is(err, redis.Nil), w.started(ctx) != nil:
			continue
		case isReply(err) && passing(err) && waited < patience && wait(ctx, pause):
			waited, pause = waited+pause, min(2*pause, longestPause)
			w.lines.lookAgain(ctx)
			continue
		case errors.Is(err, errCut) && (!again || w.cut.Load() == before):
			again = true
			continue
		}
		return broker.Wake{}, w.judge(err)
	}
}

// ask asks for a wake once, on a line.
func (w *waiting) ask(ctx context.Context, keys []string) (*redis.ZWithKey, error) {
	l, err := w.lines.take(ctx, keys[0])
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, l.hangUp)
	popped, err := w.block(ctx, l, keys)
	w.lines.give(l, stop() && (err == nil || errors.Is(err, redis.Nil)))
	return popped, err
}

// errCut matches the end of a connection that was there.
var errCut = errors.New("connection ended")

// block makes the call that blocks, on a line that has been answered something: so
// it is known to what an end is the answer.
func (w *waiting) block(ctx context.Context, l *line, keys []string) (*redis.ZWithKey, error) {
	if !l.answered {
		if err := l.client.Ping(ctx).Err(); err != nil {
			return nil, err
		}
		l.answered = true
	}
	began := time.Now()
	popped, err := l.client.BZPopMin(ctx, blockTime, keys...).Result()
	switch {
	case err == nil || isReply(err):
		w.cut.Store(0)
	case !notExecuted(err) && !isTimeout(err):
		err = fmt.Errorf("%w: %w", errCut, err)
		if time.Since(began) < promptly && w.started(ctx) == nil {
			w.cut.Add(1)
		}
	}
	return popped, err
}

// read returns the wake that popped is.
func (w *waiting) read(popped *redis.ZWithKey) broker.Wake {
	found := broker.Wake{Queue: strings.TrimPrefix(popped.Key, w.world.keys.wake(""))}
	if popped.Member == wakeDue {
		found.At = w.world.clock.back(time.UnixMilli(int64(popped.Score)).UTC())
	}
	return found
}

// refusesToBlock are what is said by servers, and what lies before them, that do
// not take the command.
var refusesToBlock = []string{"NOPERM", "unknown command", "unsupported", "not supported", "not allowed"}

// judge returns the error of a call that is not made again.
func (w *waiting) judge(err error) error {
	said := func(words string) bool { return strings.Contains(err.Error(), words) }
	if isReply(err) && slices.ContainsFunc(refusesToBlock, said) || errors.Is(err, errCut) && w.cut.Load() >= tooOften {
		return fmt.Errorf("%w by redis: %w", errors.ErrUnsupported, err)
	}
	return refusal(err)
}

// started is as that of a world.
func (w *waiting) started(ctx context.Context) error {
	err := ctx.Err()
	if err == nil && w.lines.areClosed() {
		err = broker.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("%w: %w", broker.ErrRefused, err)
	}
	return nil
}
