package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// countsAtOnce is how many queues one script counts.
const countsAtOnce = 200

// atNoTime is the now of scripts that do not ask for it.
var atNoTime = time.Unix(0, 0)

// Entry implements [broker.Broker]. Of an entry that cannot be decoded it
// returns the name and the state, with the reason as its LastErr.
func (b *world) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	if err := errors.Join(broker.CheckEntry(ref), b.started(ctx)); err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	args := append(b.common(atNoTime), ref.Queue, ref.ID)
	fields, err := b.run(ctx, entryScript, []string{b.keys.queue(ref.Queue)}, args...).Slice()
	if errors.Is(err, redis.Nil) {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, broker.ErrNotFound)
	}
	if err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, refusal(err))
	}
	s, err := b.stored(ref, fields)
	s.Place = "" // only List finds it anywhere
	return s, err
}

// listedAtOnce is how many entries one script lists.
const listedAtOnce = 1000

// List implements [broker.Broker]. Entries that cannot be decoded are listed as
// Entry returns them.
func (b *world) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	_, malformed := placeWords(r)
	if err := errors.Join(r.Check(), malformed, b.started(ctx)); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	var all []broker.Stored
	for limit := r.Limit; len(all) < limit; r.Offset = 0 {
		r.Limit = min(limit-len(all), listedAtOnce)
		page, err := b.page(ctx, r)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) == 0 || limit <= listedAtOnce {
			break
		}
		r.After = page[len(page)-1].Place
	}
	return all, nil
}

// page returns what one script lists.
func (b *world) page(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	place, err := placeWords(r)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	newest := 0
	if r.Newest {
		newest = 1
	}
	args := append(b.common(atNoTime), r.Queue, r.State.String(), r.Group, min(r.Offset, longest), r.Limit, newest)
	reply, err := b.run(ctx, listScript, []string{b.keys.queue(r.Queue)}, append(args, place...)...).Slice()
	if err != nil {
		return nil, fmt.Errorf("list %s entries of %s: %w", r.State, r.Queue, refusal(err))
	}
	var first int64
	if r.State == task.Pending && len(reply) > 0 {
		first, reply = numberAt(reply, 0), reply[1:]
	}
	page := make([]broker.Stored, len(reply))
	for i := range reply {
		fields := listAt(reply, i)
		page[i], err = b.stored(broker.EntryRef{Queue: r.Queue, ID: textAt(fields, 0)}, fields)
		if err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
	}
	if r.State == task.Pending {
		placePending(page, first)
	}
	return page, nil
}

// longest is more than a list has, and scripts compute with it exactly.
const longest = 1 << 40

// remembered is how many entries the place of a pending one names: itself and
// those before it, which say where it was if it is gone.
const remembered = 8

// placePending notes the places of a page of pending entries that begins at an
// index: the index, the entry's id and those before it.
func placePending(page []broker.Stored, first int64) {
	for i := range page {
		words := []string{strconv.FormatInt(first+int64(i), 10)}
		for j := i; j >= 0 && j > i-remembered; j-- {
			words = append(words, page[j].ID)
		}
		page[i].Place = strings.Join(words, " ")
	}
}

// placeWords returns the words of a place that [broker.Broker].List gave.
func placeWords(r broker.ListRequest) ([]any, error) {
	if r.After == "" {
		return nil, nil
	}
	words := strings.Fields(r.After)
	number, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil || len(words) < 2 || len(words) > 1+remembered {
		return nil, fmt.Errorf("%w: %w", broker.ErrRefused, task.Invalid("ListRequest.After", r.After, "is not the place of an entry"))
	}
	place := []any{number}
	for _, id := range words[1:] {
		place = append(place, id)
	}
	return place, nil
}

// Counts implements [broker.Broker].
func (b *world) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	if err := errors.Join(broker.CheckCounts(queues), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("counts: %w", err)
	}
	if len(queues) == 0 {
		known, err := b.known(ctx)
		if err != nil {
			return nil, fmt.Errorf("counts: %w", err)
		}
		queues = known
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

// known returns the names of all queues, sorted. asynq may have made some whose
// names we do not take: they are left out.
func (b *world) known(ctx context.Context) ([]string, error) {
	names, err := b.client.SMembers(ctx, b.registry()).Result()
	if err != nil {
		return nil, refusal(err)
	}
	names = slices.DeleteFunc(names, func(q string) bool { return task.CheckMadeName("queue", q) != nil })
	slices.Sort(names)
	return names, nil
}

func (b *world) counts(ctx context.Context, now time.Time, queues []string) ([]broker.Counts, error) {
	args := append(b.common(now), day(now))
	for _, q := range queues {
		args = append(args, q)
	}
	reply, err := b.run(ctx, countsScript, b.bases(queues), args...).Slice()
	if err != nil {
		return nil, err
	}
	all := make([]broker.Counts, len(queues))
	for i, q := range queues {
		figures := listAt(reply, i)
		n := func(i int) int { return int(numberAt(figures, i)) }
		c := broker.Counts{
			Queue:   q,
			Pending: n(0), Active: n(1), Scheduled: n(2), Retry: n(3), Archived: n(4), Completed: n(5),
			Processed: n(6), Failed: n(7), ProcessedTotal: n(8), FailedTotal: n(9), Paused: n(10) == 1,
		}
		if ns, err := strconv.ParseInt(textAt(figures, 12), 10, 64); err == nil {
			c.ReadySince = time.Unix(0, ns).UTC().Truncate(time.Millisecond)
		}
		if n(11) > 0 {
			groups, err := b.sizes(ctx, q)
			if err != nil {
				return nil, err
			}
			c.Groups = len(groups)
			for _, g := range groups {
				c.Aggregating += g.Size + g.Frozen
			}
		}
		all[i] = c
	}
	return all, nil
}
