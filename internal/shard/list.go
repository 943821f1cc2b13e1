package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// List implements [broker.Broker]. What has an order by time is merged; pending
// entries are told world by world.
func (b *Broker) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	names := b.layout.Of(r.Queue)
	switch {
	case len(names) == 1:
		return b.layout.World(names[0]).List(ctx, r)
	case r.State == task.Pending:
		return b.listPending(ctx, r, names)
	}
	return b.listMerged(ctx, r, names)
}

// listMerged asks every world for the page, and returns the first of all. The
// place of an entry in one world is a place in every other, too.
func (b *Broker) listMerged(ctx context.Context, r broker.ListRequest, names []string) ([]broker.Stored, error) {
	ask := r
	ask.Offset, ask.Limit = 0, r.Offset+min(r.Limit, math.MaxInt-r.Offset)
	pages, errs := parallel(names, func(name string) ([]broker.Stored, error) { return b.layout.World(name).List(ctx, ask) })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	all := slices.Concat(pages...)
	slices.SortStableFunc(all, func(x, y broker.Stored) int {
		c := comparePlaces(x.Place, y.Place)
		if r.Newest {
			return -c
		}
		return c
	})
	all = all[min(r.Offset, len(all)):]
	return all[:min(r.Limit, len(all))], nil
}

// comparePlaces compares a number and then an id, as [broker.Stored] has it.
func comparePlaces(x, y string) int {
	a, idA, _ := strings.Cut(x, " ")
	b, idB, _ := strings.Cut(y, " ")
	m, _ := strconv.ParseInt(a, 10, 64)
	n, _ := strconv.ParseInt(b, 10, 64)
	return cmp.Or(cmp.Compare(m, n), strings.Compare(idA, idB))
}

// listPending walks through the worlds. A place is that of the world, marked.
func (b *Broker) listPending(ctx context.Context, r broker.ListRequest, names []string) ([]broker.Stored, error) {
	if r.Newest {
		names = slices.Clone(names)
		slices.Reverse(names)
	}
	first, after, _ := strings.Cut(r.After, mark)
	if r.After != "" {
		at := slices.Index(names, first)
		if at < 0 {
			return nil, fmt.Errorf("list: %w: %w", broker.ErrRefused, task.Invalid("ListRequest.After", r.After, "is no place"))
		}
		names = names[at:]
	}
	var page []broker.Stored
	ask := r
	for _, name := range names {
		ask.After, after = after, ""
		ask.Limit = r.Limit - len(page)
		if ask.Limit == 0 {
			break
		}
		some, err := b.layout.World(name).List(ctx, ask)
		if err != nil {
			return nil, err
		}
		for i := range some {
			some[i].Place = name + mark + some[i].Place
		}
		page = append(page, some...)
		if len(some) > 0 {
			ask.Offset = 0
		} else if ask.Offset, err = b.beyond(ctx, name, ask); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// beyond returns what is left of an offset that a world has nothing behind.
func (b *Broker) beyond(ctx context.Context, name string, r broker.ListRequest) (int, error) {
	if r.Offset == 0 {
		return 0, nil
	}
	skipped := 0
	r.Limit, r.Offset = r.Offset, 0
	some, err := b.layout.World(name).List(ctx, r)
	skipped = len(some)
	return max(r.Limit-skipped, 0), err
}
