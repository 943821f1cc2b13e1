package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/leatwork/leat/queue/broker"
)

// Homes implements [broker.Broker]. Every world is asked for the page. It ends where
// the first of their pages does that have another behind them: a place in one world
// is a place in every other, too.
func (b *Broker) Homes(ctx context.Context, r broker.HomesRequest) (broker.HomesPage, error) {
	if err := r.Check(); err != nil {
		return broker.HomesPage{}, fmt.Errorf("homes: %w", err)
	}
	names := b.layout.Of(r.Queue)
	pages, errs := parallel(names, func(name string) (broker.HomesPage, error) { return b.layout.World(name).Homes(ctx, r) })
	if err := errors.Join(errs...); err != nil {
		return broker.HomesPage{}, err
	}
	return mergeHomes(pages, r), nil
}

func mergeHomes(pages []broker.HomesPage, r broker.HomesRequest) broker.HomesPage {
	compare := func(x, y string) int {
		if r.Newest {
			x, y = y, x
		}
		return comparePlaces(x, y)
	}
	var all broker.HomesPage
	for _, p := range pages {
		all.Homes = append(all.Homes, p.Homes...)
		if p.Next != "" && (all.Next == "" || compare(p.Next, all.Next) < 0) {
			all.Next = p.Next
		}
	}
	slices.SortFunc(all.Homes, func(x, y broker.ListedHome) int { return compare(placeOfHome(x), placeOfHome(y)) })
	end := len(all.Homes)
	if all.Next != "" {
		end, _ = slices.BinarySearchFunc(all.Homes, all.Next, func(h broker.ListedHome, next string) int {
			return cmp.Or(compare(placeOfHome(h), next), -1) // behind the place
		})
	}
	if end > r.Limit {
		end = r.Limit
		all.Next = placeOfHome(all.Homes[end-1])
	}
	all.Homes = all.Homes[:end]
	return all
}

// placeOfHome is the place of h, as [Broker.Homes] of a world gives it in its Next.
func placeOfHome(h broker.ListedHome) string {
	return fmt.Sprintf("%d %s", h.At.UnixMilli(), h.Home.ID)
}
