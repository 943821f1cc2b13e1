package sqlitebroker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	putScheduler     = prepared(`INSERT OR REPLACE INTO leat_scheduler (id, until, record) VALUES (?, ?, ?)`)
	deleteScheduler  = prepared(`DELETE FROM leat_scheduler WHERE id = ?`)
	forgetSchedulers = prepared(`DELETE FROM leat_scheduler WHERE id IN
		(SELECT id FROM leat_scheduler WHERE until <= ? ORDER BY until LIMIT ?)`)
	selectSchedulers = prepared(`SELECT record FROM leat_scheduler WHERE until > ? ORDER BY id`)

	addTick   = prepared(`INSERT OR IGNORE INTO leat_tick (entry, at, task) VALUES (?, ?, ?)`)
	trimTicks = prepared(`DELETE FROM leat_tick WHERE entry = ?1 AND (at, task) IN
		(SELECT at, task FROM leat_tick WHERE entry = ?1 ORDER BY at DESC, task DESC LIMIT -1 OFFSET ?2)`)
	selectTicks = prepared(`SELECT at, task FROM leat_tick WHERE entry = ? ORDER BY at DESC, task DESC LIMIT ?`)
	deleteTicks = prepared(`DELETE FROM leat_tick WHERE entry = ?`)
)

// BeatScheduler implements [broker.Timetable]. It also deletes records that are
// forgotten.
func (b *Broker) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("beat of scheduler %s: %w", s.ID, err)
	}
	s.Entries = slices.Clone(s.Entries)
	for i, e := range s.Entries {
		s.Entries[i].Next, s.Entries[i].Prev = e.Next.Truncate(time.Second), e.Prev.Truncate(time.Second)
	}
	record, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("beat of scheduler %s: %w", s.ID, refused(err))
	}
	const most = 100
	err = b.writer.write(ctx, func(t *tx) {
		if s.Gone {
			t.on(deleteScheduler).text(s.ID).exec()
		} else {
			t.on(putScheduler).text(s.ID).int(milli(now.Add(broker.SchedulerTTL))).text(string(record)).exec()
		}
		t.on(forgetSchedulers).int(now.UnixMilli()).int(most).exec()
	})
	if err != nil {
		return fmt.Errorf("beat of scheduler %s: %w", s.ID, err)
	}
	return nil
}

// Schedulers implements [broker.Timetable].
func (b *Broker) Schedulers(ctx context.Context, now time.Time) ([]broker.Scheduler, error) {
	var alive []broker.Scheduler
	err := b.read(ctx, func(c *conn) {
		c.on(selectSchedulers).int(now.UnixMilli()).each(func(r *row) {
			var s broker.Scheduler
			c.note(r.json("record", &s))
			alive = append(alive, s)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("schedulers: %w", err)
	}
	return alive, nil
}

// RecordTicks implements [broker.Timetable].
func (b *Broker) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	if err := broker.CheckTicks(ticks); err != nil {
		return fmt.Errorf("record ticks: %w", err)
	}
	entries := make(map[string]bool)
	for _, tick := range ticks {
		entries[tick.Entry] = true
	}
	err := b.writer.write(ctx, func(t *tx) {
		for _, tick := range ticks {
			t.on(addTick).text(tick.Entry).int(tick.At.Unix()).text(tick.TaskID).exec()
		}
		for entry := range entries {
			t.on(trimTicks).text(entry).int(broker.MaxTicks).exec()
		}
	})
	if err != nil {
		return fmt.Errorf("record ticks: %w", err)
	}
	return nil
}

// Ticks implements [broker.Timetable].
func (b *Broker) Ticks(ctx context.Context, entry string, limit int) ([]broker.Tick, error) {
	if err := broker.CheckEntryTicks(entry, limit); err != nil {
		return nil, fmt.Errorf("ticks of %s: %w", entry, err)
	}
	var ticks []broker.Tick
	err := b.read(ctx, func(c *conn) {
		c.on(selectTicks).text(entry).int(int64(limit)).each(func(r *row) {
			at := time.Unix(r.int(), 0).UTC()
			ticks = append(ticks, broker.Tick{Entry: entry, TaskID: r.text(), At: at})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("ticks of %s: %w", entry, err)
	}
	return ticks, nil
}

// ForgetTicks implements [broker.Timetable].
func (b *Broker) ForgetTicks(ctx context.Context, entries ...string) error {
	if err := broker.CheckForget(entries); err != nil {
		return fmt.Errorf("forget ticks: %w", err)
	}
	err := b.writer.write(ctx, func(t *tx) {
		for _, entry := range entries {
			t.on(deleteTicks).text(entry).exec()
		}
	})
	if err != nil {
		return fmt.Errorf("forget ticks: %w", err)
	}
	return nil
}
