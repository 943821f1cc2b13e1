package shard

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Extend implements [broker.Broker].
func (b *Broker) Extend(ctx context.Context, now, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	err := broker.CheckExtend(leases)
	if err == nil {
		err = refusedBy(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("extend: %w", err)
	}
	held, err := ofLeases(b, leases, func(l broker.LeaseRef) broker.LeaseRef { return l },
		func(l broker.LeaseRef, bare string) broker.LeaseRef { l.Token = bare; return l },
		func(w World, some []broker.LeaseRef) ([]broker.Held, error) {
			return w.Extend(ctx, now, until, some...)
		})
	if err != nil {
		return nil, fmt.Errorf("extend: %w", err)
	}
	return held, nil
}

// Report implements [broker.Operator].
func (b *Broker) Report(ctx context.Context, now time.Time, reports ...broker.Progress) ([]broker.Held, error) {
	err := broker.CheckReport(reports)
	if err == nil {
		err = refusedBy(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	held, err := ofLeases(b, reports, func(p broker.Progress) broker.LeaseRef { return p.LeaseRef },
		func(p broker.Progress, bare string) broker.Progress { p.Token = bare; return p },
		func(w World, some []broker.Progress) ([]broker.Held, error) { return w.Report(ctx, now, some...) })
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return held, nil
}

// refusedBy returns an error if ctx has ended.
func refusedBy(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", broker.ErrRefused, err)
	}
	return nil
}

// ofLeases has the worlds of leases do something to them, each to its own, and
// returns what became of the leases, in order. A token that does not say its
// world is that of a batch: all are asked, and it is lost if none knows it.
func ofLeases[T any](b *Broker, all []T, of func(T) broker.LeaseRef, bare func(T, string) T, do func(World, []T) ([]broker.Held, error)) ([]broker.Held, error) {
	held := make([]broker.Held, len(all))
	indexes, parts := make(map[string][]int), make(map[string][]T)
	for i, x := range all {
		ref := of(x)
		name, token, ok := b.layout.Unmark(ref.EntryRef, ref.Token)
		in := []string{name}
		if !ok {
			in, token = b.layout.Of(ref.Queue), ref.Token
		}
		for _, name := range in {
			indexes[name] = append(indexes[name], i)
			parts[name] = append(parts[name], bare(x, token))
		}
	}
	names := slices.Sorted(maps.Keys(parts))
	answers, errs := parallel(names, func(name string) ([]broker.Held, error) { return do(b.layout.World(name), parts[name]) })
	for n, name := range names {
		if errs[n] != nil {
			return nil, errs[n]
		}
		for i, at := range indexes[name] {
			if held[at] == 0 || held[at] == broker.Lost {
				held[at] = answers[n][i]
			}
		}
	}
	return held, nil
}
