package shard

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/leatwork/leat/queue/broker"
)

// Entry implements [broker.Broker]. It is looked for where it most likely is, and
// then in all other worlds.
func (b *Broker) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	if err := broker.CheckEntry(ref); err != nil {
		return broker.Stored{}, err
	}
	_, found, err := b.find(ctx, ref)
	return found, err
}

// find returns an entry and the name of its world.
func (b *Broker) find(ctx context.Context, ref broker.EntryRef) (string, broker.Stored, error) {
	name, certain := b.layout.Find(ref)
	found, err := b.layout.World(name).Entry(ctx, ref)
	if certain || !errors.Is(err, broker.ErrNotFound) {
		return name, found, err
	}
	others := slices.DeleteFunc(slices.Clone(b.layout.Of(ref.Queue)), func(other string) bool { return other == name })
	all, errs := parallel(others, func(other string) (broker.Stored, error) { return b.layout.World(other).Entry(ctx, ref) })
	for i, other := range others {
		if errs[i] == nil {
			return other, all[i], nil
		}
		if !errors.Is(errs[i], broker.ErrNotFound) {
			err = errs[i]
		}
	}
	return "", broker.Stored{}, err
}

// OpenEntries implements [broker.Broker].
func (b *Broker) OpenEntries(ctx context.Context, r broker.OpenRequest) (broker.OpenPage, error) {
	if err := r.Check(); err != nil {
		return broker.OpenPage{}, fmt.Errorf("open entries: %w", err)
	}
	return b.layout.World(b.layout.Home(r.Home)).OpenEntries(ctx, r)
}

// Documents implements [broker.Broker].
func (b *Broker) Documents(ctx context.Context, home broker.Home, keys ...string) ([]broker.Document, error) {
	if err := broker.CheckDocuments(home, keys); err != nil {
		return nil, err
	}
	return b.layout.World(b.layout.Home(home)).Documents(ctx, home, keys...)
}

// Latches implements [broker.Broker].
func (b *Broker) Latches(ctx context.Context, home broker.Home, ids ...string) ([]broker.LatchState, error) {
	if err := broker.CheckLatches(home, ids); err != nil {
		return nil, err
	}
	return b.layout.World(b.layout.Home(home)).Latches(ctx, home, ids...)
}
