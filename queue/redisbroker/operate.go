package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// Sweep implements [broker.Operator].
func (b *world) Sweep(ctx context.Context, now time.Time, r broker.SweepRequest) (int, error) {
	if err := errors.Join(r.Check(), b.started(ctx)); err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	args := append(b.common(b.clock.at(now)), r.Queue, r.State.String(), r.Group, r.Do.String(), r.Limit)
	reply, err := b.run(ctx, sweepScript, []string{b.registry(), b.keys.queue(r.Queue)}, args...).Slice()
	if err != nil {
		return 0, fmt.Errorf("sweep %s entries of %s: %w", r.State, r.Queue, refusal(err))
	}
	b.leave(listAt(reply, 1))
	return int(numberAt(reply, 0)), nil
}

// Pause implements [broker.Operator].
func (b *world) Pause(ctx context.Context, now time.Time, queue string, paused bool) (bool, error) {
	if err := errors.Join(broker.CheckQueue(queue), b.started(ctx)); err != nil {
		return false, fmt.Errorf("pause %s: %w", queue, err)
	}
	if !paused {
		return b.resume(ctx, now, queue)
	}
	err := b.client.SetArgs(ctx, b.keys.paused(queue), b.clock.at(now).Unix(), redis.SetArgs{Mode: "NX"}).Err()
	if err != nil && !errors.Is(err, redis.Nil) {
		return false, fmt.Errorf("pause %s: %w", queue, refusal(err))
	}
	return err == nil, nil
}

func (b *world) resume(ctx context.Context, now time.Time, queue string) (bool, error) {
	args := append(b.common(b.clock.at(now)), queue)
	reply, err := b.run(ctx, resumeScript, []string{b.registry(), b.keys.queue(queue)}, args...).Slice()
	if err != nil {
		return false, fmt.Errorf("resume %s: %w", queue, refusal(err))
	}
	b.leave(listAt(reply, 1))
	return numberAt(reply, 0) == 1, nil
}

// Queues implements [broker.Operator].
func (b *world) Queues(ctx context.Context) ([]string, error) {
	if err := b.started(ctx); err != nil {
		return nil, fmt.Errorf("queues: %w", err)
	}
	names, err := b.known(ctx)
	if err != nil {
		return nil, fmt.Errorf("queues: %w", err)
	}
	return names, nil
}

// Remove implements [broker.Operator]. It looks at all keys of the database for
// those of the queue, so that what asynq has left of it goes, too.
func (b *world) Remove(ctx context.Context, now time.Time, queue string, force bool) error {
	if err := errors.Join(broker.CheckQueue(queue), b.started(ctx)); err != nil {
		return fmt.Errorf("remove %s: %w", queue, err)
	}
	r := remover{b, b.clock.at(now), queue}
	err := r.step(ctx, nil, false)
	if err == nil && !force {
		err = r.each(ctx, func(keys []string) error { return r.homeless(keys) })
	}
	if err == nil {
		err = r.each(ctx, func(keys []string) error { return r.drop(ctx, keys) })
	}
	if err == nil {
		err = r.step(ctx, nil, true)
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", queue, err)
	}
	return nil
}

// A remover removes one queue.
type remover struct {
	b     *world
	now   time.Time
	queue string
}

// step deletes keys, and with last the queue, unless it holds entries.
func (r remover) step(ctx context.Context, keys []string, last bool) error {
	args := append(r.b.common(r.now), r.queue, 0)
	if last {
		args[len(args)-1] = 1
	}
	for _, key := range keys {
		args = append(args, key)
	}
	for {
		word, err := r.b.run(ctx, removeScript, []string{r.b.registry(), r.b.keys.queue(r.queue)}, args...).Text()
		switch {
		case err != nil:
			return refusal(err)
		case word == "NOT_FOUND":
			return broker.ErrNotFound
		case word == "NOT_EMPTY":
			return broker.ErrNotEmpty
		case word == "OK":
			return nil
		}
	}
}

// drop deletes keys. Of what is open of a home beside the queue, that goes which
// was of the queue: it is none any more, as when asynq has deleted it.
func (r remover) drop(ctx context.Context, keys []string) error {
	var whole []string
	for _, key := range keys {
		if !strings.HasPrefix(key, r.b.keys.open(broker.Home{Queue: r.queue})) {
			whole = append(whole, key)
		} else if err := r.dropOpen(ctx, key); err != nil {
			return err
		}
	}
	if len(whole) == 0 {
		return nil
	}
	return r.step(ctx, whole, false)
}

func (r remover) dropOpen(ctx context.Context, key string) error {
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		fields, next, err := r.b.client.HScan(ctx, key, cursor, "", scanCount).Result()
		if err != nil {
			return refusal(err)
		}
		cursor = next
		var own []string
		for i := 0; i < len(fields); i += 2 {
			if openEntry(broker.Home{}, fields[i]).Queue == r.queue {
				own = append(own, key+" "+fields[i])
			}
		}
		if len(own) == 0 {
			continue
		}
		if err := r.step(ctx, own, false); err != nil {
			return err
		}
	}
	return nil
}

// homeless returns an error if one of keys belongs to a home.
func (r remover) homeless(keys []string) error {
	for _, key := range keys {
		rest := strings.TrimPrefix(key, r.b.keys.queue(r.queue))
		if strings.HasPrefix(rest, "leat:run:") || strings.HasPrefix(rest, "leat:latches:") {
			return fmt.Errorf("a run lies beside it: %w", broker.ErrNotEmpty)
		}
	}
	return nil
}

// each calls do with the keys of the queue, some at a time.
func (r remover) each(ctx context.Context, do func(keys []string) error) error {
	c, err := r.b.scanner(ctx)
	if err != nil {
		return refusal(err)
	}
	var cursor uint64
	for {
		keys, next, err := c.Scan(ctx, cursor, r.b.keys.queue(r.queue)+"*", scanCount).Result()
		if err != nil {
			return refusal(err)
		}
		keys = slices.DeleteFunc(keys, r.b.keeps)
		if len(keys) > 0 {
			if err := do(keys); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}
