package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Gather implements [broker.Operator]. The group is looked for where it most
// likely is, and then in all other worlds: what joined it from a run is there. Every
// other time, as its token has it, one of these comes first, so that what waits there
// has its turn. A batch is of one world. Its token is the caller's, and says nothing of that. The
// group is ripe next when it is in one of those that were asked.
func (b *Broker) Gather(ctx context.Context, now time.Time, r broker.GatherRequest) (broker.Batch, error) {
	if err := r.Check(); err != nil {
		return broker.Batch{}, fmt.Errorf("gather: %w", err)
	}
	names := b.turns(r)
	var last broker.Batch
	for _, name := range names {
		batch, err := b.layout.World(name).Gather(ctx, now, r)
		if err != nil {
			return broker.Batch{}, err
		}
		batch.Next = earlier(batch.Next, last.Next)
		if last = batch; batch.Token != "" || len(batch.Parked) > 0 {
			break
		}
	}
	return last, nil
}

// turns returns the worlds in the order in which they are asked for a batch: always the
// same for one token.
func (b *Broker) turns(r broker.GatherRequest) []string {
	home := b.layout.Group(r.Queue, r.Group)
	names := slices.Clone(b.layout.Of(r.Queue))
	hash := fnv.New32a()
	hash.Write([]byte(r.Token))
	first := home
	if n := int(hash.Sum32() >> 1 % uint32(len(names))); hash.Sum32()&1 == 1 {
		first = names[n]
	}
	rank := func(name string) int { return 2*btoi(name == first) + btoi(name == home) }
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(rank(y), rank(x)) })
	return names
}

func btoi(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// Sweep implements [broker.Operator]. It goes from world to world.
func (b *Broker) Sweep(ctx context.Context, now time.Time, r broker.SweepRequest) (int, error) {
	if err := r.Check(); err != nil {
		return 0, fmt.Errorf("sweep: %w", err)
	}
	all, limit := 0, r.Limit
	for _, name := range b.layout.Of(r.Queue) {
		if r.Limit = limit - all; r.Limit == 0 {
			break
		}
		n, err := b.layout.World(name).Sweep(ctx, now, r)
		all += n
		if err != nil && all > n {
			return all, fmt.Errorf("sweep, after a part of it was done: %v", err) //nolint:errorlint // not refused as a whole
		}
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// Pause implements [broker.Operator].
func (b *Broker) Pause(ctx context.Context, now time.Time, queue string, paused bool) (bool, error) {
	if err := broker.CheckQueue(queue); err != nil {
		return false, fmt.Errorf("pause: %w", err)
	}
	answers, err := ask(b, b.layout.Of(queue), func(w World) (bool, error) { return w.Pause(ctx, now, queue, paused) })
	return slices.Contains(answers, true), err
}

// Remove implements [broker.Operator]. Nothing is removed anywhere if an entry is
// found in any of the worlds.
func (b *Broker) Remove(ctx context.Context, now time.Time, queue string, force bool) error {
	if err := broker.CheckQueue(queue); err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	counts, err := b.Counts(ctx, now, queue)
	if err != nil {
		return fmt.Errorf("remove queue %s: %w", queue, err)
	}
	if counts[0].Size() > 0 {
		return fmt.Errorf("remove queue %s: %w", queue, broker.ErrNotEmpty)
	}
	var without []string // worlds in which the queue has never been
	var missing error
	names := b.layout.Of(queue)
	for _, name := range names {
		err := b.layout.World(name).Remove(ctx, now, queue, force)
		if errors.Is(err, broker.ErrNotFound) {
			without, missing = append(without, name), err
		} else if err != nil {
			return err
		}
	}
	if len(without) == len(names) {
		return missing
	}
	_, err = ask(b, without, func(w World) (bool, error) { return w.Pause(ctx, now, queue, false) })
	return err
}

// Beat implements [broker.Broker].
func (b *Broker) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	return b.layout.World(b.layout.Server(s.ID)).Beat(ctx, now, s)
}

// Servers implements [broker.Broker].
func (b *Broker) Servers(ctx context.Context, now time.Time) ([]broker.Server, error) {
	answers, err := ask(b, b.layout.Servers(), func(w World) ([]broker.Server, error) { return w.Servers(ctx, now) })
	if err != nil {
		return nil, err
	}
	all := slices.Concat(answers...)
	slices.SortFunc(all, func(x, y broker.Server) int { return cmp.Compare(x.ID, y.ID) })
	return all, nil
}

// Verify implements [broker.Verifier].
func (b *Broker) Verify(ctx context.Context, now time.Time) ([]string, error) {
	names, err := b.layout.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	answers, err := ask(b, names, func(w World) ([]string, error) { return w.Verify(ctx, now) })
	if err != nil {
		return nil, err
	}
	var all []string
	for i, name := range names {
		for _, sentence := range answers[i] {
			all = append(all, "in "+name+": "+sentence)
		}
	}
	return all, nil
}

// Mend implements [broker.Mender]. What was mended in some worlds is told beside the
// error of another.
func (b *Broker) Mend(ctx context.Context, now time.Time, dry bool) ([]broker.Mended, error) {
	names, err := b.layout.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("mend: %w", err)
	}
	answers, err := ask(b, names, func(w World) ([]broker.Mended, error) { return w.Mend(ctx, now, dry) })
	var all []broker.Mended
	for i, name := range names {
		for _, m := range answers[i] {
			m.Fault = "in " + name + ": " + m.Fault
			all = append(all, m)
		}
	}
	return all, err
}
