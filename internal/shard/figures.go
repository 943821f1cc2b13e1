package shard

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Counts implements [broker.Broker].
func (b *Broker) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	err := broker.CheckCounts(queues)
	if err == nil && len(queues) == 0 {
		queues, err = b.Queues(ctx)
		if len(queues) == 0 {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("counts: %w", err)
	}
	of := make(map[string][]string) // by world
	for _, q := range slices.Compact(slices.Sorted(slices.Values(queues))) {
		for _, name := range b.layout.Of(q) {
			of[name] = append(of[name], q)
		}
	}
	names := slices.Sorted(maps.Keys(of))
	answers, errs := parallel(names, func(name string) ([]broker.Counts, error) {
		return b.layout.World(name).Counts(ctx, now, of[name]...)
	})
	sums := make(map[string]*broker.Counts, len(queues))
	for _, q := range queues {
		sums[q] = &broker.Counts{Queue: q}
	}
	for i, counts := range answers {
		if errs[i] != nil {
			return nil, fmt.Errorf("counts: %w", errs[i])
		}
		for _, c := range counts {
			sum(sums[c.Queue], c)
		}
	}
	all := make([]broker.Counts, len(queues))
	for i, q := range queues {
		all[i] = *sums[q]
	}
	return all, nil
}

// sum adds the figures of one world to those of all.
func sum(all *broker.Counts, c broker.Counts) {
	all.Pending += c.Pending
	all.Active += c.Active
	all.Scheduled += c.Scheduled
	all.Retry += c.Retry
	all.Archived += c.Archived
	all.Completed += c.Completed
	all.Aggregating += c.Aggregating
	all.Groups += c.Groups
	all.Paused = all.Paused || c.Paused
	all.Processed += c.Processed
	all.Failed += c.Failed
	all.ProcessedTotal += c.ProcessedTotal
	all.FailedTotal += c.FailedTotal
	all.ReadySince = earlier(all.ReadySince, c.ReadySince)
}

// earlier returns the earlier of two times that are not zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Queues implements [broker.Operator].
func (b *Broker) Queues(ctx context.Context) ([]string, error) { return b.layout.Queues(ctx) }

// Groups implements [broker.Operator].
func (b *Broker) Groups(ctx context.Context, queue string) ([]broker.Group, error) {
	if err := broker.CheckQueue(queue); err != nil {
		return nil, fmt.Errorf("groups: %w", err)
	}
	answers, err := ask(b, b.layout.Of(queue), func(w World) ([]broker.Group, error) { return w.Groups(ctx, queue) })
	if err != nil {
		return nil, err
	}
	found := slices.Concat(answers...)
	slices.SortStableFunc(found, func(a, b broker.Group) int { return cmp.Compare(a.Name, b.Name) })
	var all []broker.Group
	for _, g := range found {
		last := len(all) - 1
		if last < 0 || all[last].Name != g.Name {
			all = append(all, g)
			continue
		}
		all[last].Size += g.Size
		all[last].Frozen += g.Frozen
		all[last].Oldest = earlier(all[last].Oldest, g.Oldest)
		if g.Newest.After(all[last].Newest) {
			all[last].Newest = g.Newest
		}
	}
	return all, nil
}

// History implements [broker.Operator].
func (b *Broker) History(ctx context.Context, now time.Time, queue string, days int) ([]broker.Day, error) {
	if err := broker.CheckHistory(queue, days); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	answers, err := ask(b, b.layout.Of(queue), func(w World) ([]broker.Day, error) { return w.History(ctx, now, queue, days) })
	if err != nil {
		return nil, err
	}
	all := answers[0]
	for _, some := range answers[1:] {
		for i, d := range some {
			all[i].Processed += d.Processed
			all[i].Failed += d.Failed
		}
	}
	return all, nil
}

// Memory implements [broker.Operator].
func (b *Broker) Memory(ctx context.Context, queue string) (int64, error) {
	if err := broker.CheckQueue(queue); err != nil {
		return 0, fmt.Errorf("memory: %w", err)
	}
	answers, err := ask(b, b.layout.Of(queue), func(w World) (int64, error) { return w.Memory(ctx, queue) })
	all := int64(0)
	for _, n := range answers {
		all += n
	}
	return all, err
}
