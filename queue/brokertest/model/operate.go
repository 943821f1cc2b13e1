package model

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Pause implements [broker.Operator].
func (m *Model) Pause(ctx context.Context, _ time.Time, queue string, paused bool) (bool, error) {
	if err := m.ask(ctx, broker.CheckQueue(queue)); err != nil {
		return false, err
	}
	defer m.end()
	before := m.paused[queue]
	if paused {
		m.paused[queue] = true
	} else {
		delete(m.paused, queue)
		m.resumed(queue)
	}
	return before != paused, nil
}

// Remove implements [broker.Operator].
func (m *Model) Remove(ctx context.Context, _ time.Time, queue string, force bool) error {
	if err := m.ask(ctx, broker.CheckQueue(queue)); err != nil {
		return err
	}
	defer m.mu.Unlock()
	q := m.queues[queue]
	if q == nil {
		return fmt.Errorf("queue %s: %w", queue, broker.ErrNotFound)
	}
	if n := len(q.entries); n > 0 {
		return fmt.Errorf("queue %s holds %d entries: %w", queue, n, broker.ErrNotEmpty)
	}
	for home := range m.homes {
		if home.Queue == queue && !force {
			return fmt.Errorf("queue %s has the home %s beside it: %w", queue, home, broker.ErrNotEmpty)
		}
	}
	maps.DeleteFunc(m.homes, func(home broker.Home, _ *home) bool { return home.Queue == queue })
	delete(m.queues, queue)
	delete(m.paused, queue)
	m.board.Forget(queue)
	m.board.Forget(broker.GroupsOf(queue))
	return nil
}

// Queues implements [broker.Operator].
func (m *Model) Queues(ctx context.Context) ([]string, error) {
	if err := m.ask(ctx, nil); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.queues)), nil
}

// History implements [broker.Operator].
func (m *Model) History(ctx context.Context, now time.Time, queue string, days int) ([]broker.Day, error) {
	if err := m.ask(ctx, broker.CheckHistory(queue, days)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	today := now.UTC().Truncate(24 * time.Hour)
	var history []broker.Day
	for i := range days {
		day := broker.Day{Date: today.AddDate(0, 0, -i)}
		if q := m.queues[queue]; q != nil {
			f := q.days[day.Date.Format(time.DateOnly)]
			day.Processed, day.Failed = f.processed, f.failed
		}
		history = append(history, day)
	}
	return history, nil
}

// Memory implements [broker.Operator]: it counts payloads and results.
func (m *Model) Memory(ctx context.Context, queue string) (int64, error) {
	if err := m.ask(ctx, broker.CheckQueue(queue)); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	var size int64
	if q := m.queues[queue]; q != nil {
		for _, e := range q.entries {
			size += e.size()
		}
	}
	return size, nil
}
