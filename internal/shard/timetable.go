package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// BeatScheduler implements [broker.Timetable].
func (b *Broker) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("beat of scheduler %s: %w", s.ID, err)
	}
	return b.layout.World(b.layout.Server(s.ID)).BeatScheduler(ctx, now, s)
}

// Schedulers implements [broker.Timetable].
func (b *Broker) Schedulers(ctx context.Context, now time.Time) ([]broker.Scheduler, error) {
	answers, err := ask(b, b.layout.Servers(), func(w World) ([]broker.Scheduler, error) { return w.Schedulers(ctx, now) })
	if err != nil {
		return nil, err
	}
	all := slices.Concat(answers...)
	slices.SortFunc(all, func(x, y broker.Scheduler) int { return cmp.Compare(x.ID, y.ID) })
	return all, nil
}

// RecordTicks implements [broker.Timetable]. What an entry has enqueued lies
// together; a world is asked about one entry at a time.
func (b *Broker) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	if err := broker.CheckTicks(ticks); err != nil {
		return fmt.Errorf("record ticks: %w", err)
	}
	of := make(map[string][]broker.Tick)
	var entries []string
	for _, t := range ticks {
		if of[t.Entry] == nil {
			entries = append(entries, t.Entry)
		}
		of[t.Entry] = append(of[t.Entry], t)
	}
	return b.eachEntry(ctx, entries, func(w World, entry string) error { return w.RecordTicks(ctx, of[entry]...) })
}

// Ticks implements [broker.Timetable].
func (b *Broker) Ticks(ctx context.Context, entry string, limit int) ([]broker.Tick, error) {
	if err := broker.CheckEntryTicks(entry, limit); err != nil {
		return nil, fmt.Errorf("ticks of %s: %w", entry, err)
	}
	return b.layout.World(b.layout.Server(entry)).Ticks(ctx, entry, limit)
}

// ForgetTicks implements [broker.Timetable].
func (b *Broker) ForgetTicks(ctx context.Context, entries ...string) error {
	if err := broker.CheckForget(entries); err != nil {
		return fmt.Errorf("forget ticks: %w", err)
	}
	return b.eachEntry(ctx, entries, func(w World, entry string) error { return w.ForgetTicks(ctx, entry) })
}

// eachEntry has the worlds in which periodic entries lie do something to each.
func (b *Broker) eachEntry(ctx context.Context, entries []string, do func(w World, entry string) error) error {
	if err := refusedBy(ctx); err != nil {
		return err
	}
	_, errs := parallel(entries, func(entry string) (struct{}, error) {
		return struct{}{}, do(b.layout.World(b.layout.Server(entry)), entry)
	})
	err := errors.Join(errs...)
	if err != nil && slices.Contains(errs, nil) {
		return fmt.Errorf("after a part of it was done: %v", err) //nolint:errorlint // not refused as a whole
	}
	return err
}
