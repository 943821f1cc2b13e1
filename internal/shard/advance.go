package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Advance implements [broker.Broker]. The limit is shared out among the worlds,
// and what some do not need goes to the others. Of what is kept of an archive each
// world keeps about its part, as it was some seconds ago; of several queues, the
// one that has its largest part there decides.
func (b *Broker) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if err := r.Check(); err != nil {
		return broker.Advanced{}, fmt.Errorf("advance: %w", err)
	}
	var names []string
	asks := make(map[string]broker.AdvanceRequest)
	for _, q := range r.Queues {
		for _, name := range b.layout.Of(q) {
			ask, seen := asks[name]
			if !seen {
				names = append(names, name)
				ask.Keep = r.Keep
			}
			ask.Queues = append(ask.Queues, q)
			asks[name] = ask
		}
	}
	if len(names) == 0 {
		return broker.Advanced{}, refusedBy(ctx)
	}
	if r.Keep.Count+int(r.Keep.Bytes) > 0 && !b.layout.Ordered() {
		if err := b.shareOut(ctx, now, names, asks); err != nil {
			return broker.Advanced{}, fmt.Errorf("advance: %w", err)
		}
	}
	return b.advanceAll(ctx, now, b.inAdvanceTurn(names), asks, r.Limit)
}

// inAdvanceTurn keeps the order of worlds that are queues, which a caller gave.
func (b *Broker) inAdvanceTurn(names []string) []string {
	if b.layout.Ordered() {
		return names
	}
	return b.inTurn(names)
}

func (b *Broker) advanceAll(ctx context.Context, now time.Time, names []string, asks map[string]broker.AdvanceRequest, limit int) (broker.Advanced, error) {
	var all broker.Advanced
	var errs []error
	next := make(map[string]time.Time)
	for left := limit; left > 0 && len(names) > 0; left = limit - all.Total() {
		limits := limits(left, len(names), len(asks))
		if b.layout.Ordered() {
			limits = []int{left}
		}
		some := names[:len(limits)]
		done, failed := parallel(some, func(name string) (broker.Advanced, error) {
			ask := asks[name]
			ask.Limit = limits[slices.Index(some, name)]
			return b.layout.World(name).Advance(ctx, now, ask)
		})
		more := slices.Clone(names[len(some):])
		for i, name := range some {
			next[name] = done[i].Next
			all.Add(done[i])
			if failed[i] != nil {
				errs = append(errs, failed[i])
			} else if done[i].Total() == limits[i] {
				more = append(more, name)
			}
		}
		names = more
	}
	for _, at := range next {
		all.Next = earlier(all.Next, at)
	}
	if len(names) > 0 && (all.Next.IsZero() || all.Next.After(now)) {
		all.Next = now // the limit was reached
	}
	switch err := errors.Join(errs...); {
	case err == nil:
		return all, nil
	case all.Total() > 0:
		return all, fmt.Errorf("advance, after a part of it was done: %v", err) //nolint:errorlint // not refused as a whole
	default:
		return broker.Advanced{}, fmt.Errorf("advance: %w", err)
	}
}
