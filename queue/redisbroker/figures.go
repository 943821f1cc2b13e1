package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// History implements [broker.Operator].
func (b *world) History(ctx context.Context, now time.Time, queue string, days int) ([]broker.Day, error) {
	if err := errors.Join(broker.CheckHistory(queue, days), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("history of %s: %w", queue, err)
	}
	today := b.clock.at(now).UTC().Truncate(24 * time.Hour)
	all := make([]broker.Day, days)
	var names []string
	for i := range all {
		all[i].Date = today.AddDate(0, 0, -i)
		names = append(names, b.keys.figure(queue, "processed", day(all[i].Date)), b.keys.figure(queue, "failed", day(all[i].Date)))
	}
	values, err := b.client.MGet(ctx, names...).Result()
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", queue, refusal(err))
	}
	for i := range all {
		all[i].Processed, all[i].Failed = int(numberAt(values, 2*i)), int(numberAt(values, 2*i+1))
	}
	return all, nil
}

const (
	// weighed is how many entries of each state are weighed, and weighedGroups in
	// how many groups.
	weighed       = 20
	weighedGroups = 5
)

// Memory implements [broker.Operator]. It asks Redis for the memory that some
// entries of each state take, spread evenly, and that of the keys that list them.
func (b *world) Memory(ctx context.Context, queue string) (int64, error) {
	if err := errors.Join(broker.CheckQueue(queue), b.started(ctx)); err != nil {
		return 0, fmt.Errorf("memory of %s: %w", queue, err)
	}
	var total int64
	for _, state := range task.States() {
		if state == task.Aggregating {
			continue
		}
		n, err := b.memory(ctx, queue, b.keys.queue(queue)+state.String(), state == task.Pending || state == task.Active)
		if err != nil {
			return 0, fmt.Errorf("memory of %s: %w", queue, refusal(err))
		}
		total += n
	}
	n, err := b.memoryOfGroups(ctx, queue)
	if err != nil {
		return 0, fmt.Errorf("memory of %s: %w", queue, refusal(err))
	}
	return total + n, nil
}

// memoryOfGroups takes some groups to be like all.
func (b *world) memoryOfGroups(ctx context.Context, queue string) (int64, error) {
	groups, err := b.sizes(ctx, queue)
	if err != nil {
		return 0, err
	}
	var bytes, entries, all int64
	for i, g := range groups {
		all += int64(g.Size + g.Frozen)
		if i >= weighedGroups || g.Size == 0 {
			continue
		}
		n, err := b.memory(ctx, queue, b.keys.group(queue, g.Name), false)
		if err != nil {
			return 0, err
		}
		bytes, entries = bytes+n, entries+int64(g.Size)
	}
	if entries == 0 {
		return 0, nil
	}
	return bytes * all / entries, nil
}

// memory estimates what the entries take whose ids are in key, a list or a sorted
// set, and key itself.
func (b *world) memory(ctx context.Context, queue, key string, isList bool) (int64, error) {
	n, err := b.length(ctx, key, isList)
	if err != nil || n == 0 {
		return 0, err
	}
	ids, err := b.sample(ctx, key, n, isList)
	if err != nil {
		return 0, err
	}
	replies, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.MemoryUsage(ctx, key)
		for _, id := range ids {
			p.MemoryUsage(ctx, b.keys.entry(broker.EntryRef{Queue: queue, ID: id}))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, err
	}
	var sum, some int64
	for _, reply := range replies[1:] {
		if reply.Err() == nil {
			sum += reply.(*redis.IntCmd).Val()
			some++
		}
	}
	return replies[0].(*redis.IntCmd).Val() + sum*n/max(some, 1), nil
}

func (b *world) length(ctx context.Context, key string, isList bool) (int64, error) {
	if isList {
		return b.client.LLen(ctx, key).Result()
	}
	return b.client.ZCard(ctx, key).Result()
}

// sample returns the ids at some of the n places in key.
func (b *world) sample(ctx context.Context, key string, n int64, isList bool) ([]string, error) {
	some := min(n, weighed)
	replies, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range some {
			if at := i * n / some; isList {
				p.LRange(ctx, key, at, at)
			} else {
				p.ZRange(ctx, key, at, at)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, reply := range replies {
		ids = append(ids, reply.(*redis.StringSliceCmd).Val()...)
	}
	return ids, nil
}
