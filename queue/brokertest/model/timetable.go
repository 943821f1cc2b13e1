package model

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// timetable is what schedulers have told of themselves.
type timetable struct {
	schedulers map[string]scheduler
	ticks      map[string][]broker.Tick // by entry, the latest first
}

type scheduler struct {
	broker.Scheduler
	beat time.Time
}

// BeatScheduler implements [broker.Timetable].
func (m *Model) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	if err := m.ask(ctx, s.Check()); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if m.schedulers == nil {
		m.schedulers = make(map[string]scheduler)
	}
	delete(m.schedulers, s.ID)
	if !s.Gone {
		s.Entries = copied(s.Entries)
		m.schedulers[s.ID] = scheduler{s, now}
	}
	return nil
}

// copied returns entries as they are stored.
func copied(entries []broker.PeriodicEntry) []broker.PeriodicEntry {
	entries = slices.Clone(entries)
	for i, e := range entries {
		entries[i].Payload, entries[i].Options = slices.Clone(e.Payload), slices.Clone(e.Options)
		entries[i].Next, entries[i].Prev = e.Next.Truncate(time.Second), e.Prev.Truncate(time.Second)
	}
	return entries
}

// Schedulers implements [broker.Timetable].
func (m *Model) Schedulers(ctx context.Context, now time.Time) ([]broker.Scheduler, error) {
	if err := m.ask(ctx, nil); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var alive []broker.Scheduler
	for _, id := range slices.Sorted(maps.Keys(m.schedulers)) {
		if s := m.schedulers[id]; now.Before(s.beat.Add(broker.SchedulerTTL)) {
			s.Entries = copied(s.Entries)
			alive = append(alive, s.Scheduler)
		}
	}
	return alive, nil
}

// RecordTicks implements [broker.Timetable].
func (m *Model) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	if err := m.ask(ctx, broker.CheckTicks(ticks)); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if m.ticks == nil {
		m.ticks = make(map[string][]broker.Tick)
	}
	for _, t := range ticks {
		t.At = t.At.Truncate(time.Second)
		kept := m.ticks[t.Entry]
		if slices.ContainsFunc(kept, func(k broker.Tick) bool { return k.TaskID == t.TaskID && k.At.Equal(t.At) }) {
			continue
		}
		at, _ := slices.BinarySearchFunc(kept, t, func(k, t broker.Tick) int { return t.At.Compare(k.At) })
		kept = slices.Insert(kept, at, t)
		m.ticks[t.Entry] = kept[:min(len(kept), broker.MaxTicks)]
	}
	return nil
}

// Ticks implements [broker.Timetable].
func (m *Model) Ticks(ctx context.Context, entry string, limit int) ([]broker.Tick, error) {
	if err := m.ask(ctx, broker.CheckEntryTicks(entry, limit)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	kept := m.ticks[entry]
	return slices.Clone(kept[:min(len(kept), limit)]), nil
}

// ForgetTicks implements [broker.Timetable].
func (m *Model) ForgetTicks(ctx context.Context, entries ...string) error {
	if err := m.ask(ctx, broker.CheckForget(entries)); err != nil {
		return err
	}
	defer m.mu.Unlock()
	for _, e := range entries {
		delete(m.ticks, e)
	}
	return nil
}
