package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// countsAtOnce is how many queues one script counts.
const countsAtOnce = 200

// atNoTime is the now of scripts that do not ask for it.
const atNoTime = "0"

// Entry implements [broker.Broker]. Of an entry that cannot be decoded it
// returns the name and the state, with the reason as its LastErr.
func (b *world) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	if err := errors.Join(broker.CheckEntry(ref), b.started(ctx)); err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	fields, err := b.run(ctx, entryScript, []string{b.keys.queue(ref.Queue)}, string(b.keys), atNoTime, ref.Queue, ref.ID).Slice()
	if errors.Is(err, redis.Nil) {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, broker.ErrNotFound)
	}
	if err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, refusal(err))
	}
	return b.stored(ref, fields)
}

// List implements [broker.Broker]. Entries that cannot be decoded are listed as
// Entry returns them.
func (b *world) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	if err := errors.Join(r.Check(), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	if r.Limit == 0 {
		return nil, nil
	}
	reply, err := b.run(ctx, listScript, []string{b.keys.queue(r.Queue)},
		string(b.keys), atNoTime, r.Queue, r.State.String(), r.Offset, r.Limit).Slice()
	if err != nil {
		return nil, fmt.Errorf("list %s entries of %s: %w", r.State, r.Queue, refusal(err))
	}
	page := make([]broker.Stored, len(reply))
	for i := range reply {
		fields := listAt(reply, i)
		page[i], err = b.stored(broker.EntryRef{Queue: r.Queue, ID: textAt(fields, 0)}, fields)
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
	}
	return page, nil
}

// stored returns an entry as lua/lib/read.lua has it.
func (b *world) stored(ref broker.EntryRef, fields []any) (broker.Stored, error) {
	state, err := task.ParseState(textAt(fields, 1))
	if err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	s := broker.Stored{State: state}
	s.Entry, err = b.entry(ref, fields[2:])
	if err != nil {
		s.Entry = broker.Entry{EntryRef: ref, LastErr: err.Error()}
	}
	if result, ok := fields[6].(string); ok {
		s.Result = []byte(result)
	}
	when := time.UnixMilli(numberAt(fields, 7)).UTC()
	switch state {
	case task.Scheduled, task.Retry:
		s.DueAt = when
	case task.Active, task.Completed:
		s.Until = when
	}
	return s, nil
}

// Counts implements [broker.Broker].
func (b *world) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	if err := errors.Join(broker.CheckCounts(queues), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("counts: %w", err)
	}
	if len(queues) == 0 {
		known, err := b.client.SMembers(ctx, b.keys.queues()).Result()
		if err != nil {
			return nil, fmt.Errorf("counts: %w", refusal(err))
		}
		// asynq may have made queues whose names we do not take.
		queues = slices.DeleteFunc(known, func(q string) bool { return task.CheckMadeName("queue", q) != nil })
		slices.Sort(queues)
	}
	var all []broker.Counts
	for some := range slices.Chunk(queues, countsAtOnce) {
		counts, err := b.counts(ctx, b.clock.at(now), some)
		if err != nil {
			return nil, fmt.Errorf("counts: %w", refusal(err))
		}
		all = append(all, counts...)
	}
	return all, nil
}

func (b *world) counts(ctx context.Context, now time.Time, queues []string) ([]broker.Counts, error) {
	var keys []string
	args := []any{string(b.keys), nanos(now), day(now)}
	for _, q := range queues {
		keys = append(keys, b.keys.queue(q))
		args = append(args, q)
	}
	reply, err := b.run(ctx, countsScript, keys, args...).Slice()
	if err != nil {
		return nil, err
	}
	all := make([]broker.Counts, len(queues))
	for i, q := range queues {
		figures := listAt(reply, i)
		n := func(i int) int { return int(numberAt(figures, i)) }
		all[i] = broker.Counts{
			Queue:   q,
			Pending: n(0), Active: n(1), Scheduled: n(2), Retry: n(3), Archived: n(4), Completed: n(5),
			Processed: n(6), Failed: n(7), ProcessedTotal: n(8), FailedTotal: n(9),
		}
		if ns, err := strconv.ParseInt(textAt(figures, 10), 10, 64); err == nil {
			all[i].ReadySince = time.Unix(0, ns).UTC().Truncate(time.Millisecond)
		}
	}
	return all, nil
}
