package sqlitebroker

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	selectPaused = prepared(`SELECT 1 FROM leat_paused WHERE name = ?`)
	pauseQueue   = prepared(`INSERT INTO leat_paused (name) VALUES (?) ON CONFLICT DO NOTHING`)
	resumeQueue  = prepared(`DELETE FROM leat_paused WHERE name = ?`)

	selectDays  = prepared(`SELECT day, processed, failed FROM leat_day WHERE queue = ? AND day > ? AND day <= ?`)
	selectSizes = prepared(`SELECT coalesce(length(payload), 0) + coalesce(length(result), 0) + coalesce(length(headers), 0)
			+ coalesce(length(leaves), 0) + coalesce(length(progress), 0) + coalesce(length(last_error), 0) + 2 * length(id) + length(type)
		FROM leat_entry WHERE queue = ? AND state = ? ORDER BY at, id LIMIT ?`)
)

// Pause implements [broker.Operator].
func (b *Broker) Pause(ctx context.Context, _ time.Time, queue string, paused bool) (changed bool, err error) {
	if err := broker.CheckQueue(queue); err != nil {
		return false, fmt.Errorf("pause %s: %w", queue, err)
	}
	switchTo := resumeQueue
	if paused {
		switchTo = pauseQueue
	}
	err = b.writer.write(ctx, func(t *tx) {
		t.on(switchTo).text(queue).exec()
		changed = t.changed()
		if q := t.queue(queue); q != nil {
			q.paused = paused
			q.readied = q.readied || !paused
		}
	})
	if err != nil {
		return false, fmt.Errorf("pause %s: %w", queue, err)
	}
	return changed, nil
}

// Queues implements [broker.Operator].
func (b *Broker) Queues(ctx context.Context) ([]string, error) {
	var names []string
	err := b.read(ctx, func(c *conn) {
		c.on(selectQueueNames).each(func(r *row) { names = append(names, r.text()) })
	})
	if err != nil {
		return nil, fmt.Errorf("queues: %w", err)
	}
	return names, nil
}

// History implements [broker.Operator].
func (b *Broker) History(ctx context.Context, now time.Time, queue string, days int) ([]broker.Day, error) {
	if err := broker.CheckHistory(queue, days); err != nil {
		return nil, fmt.Errorf("history of %s: %w", queue, err)
	}
	today := dayOf(now)
	history := make([]broker.Day, days)
	for i := range history {
		history[i].Date = time.Unix((today-int64(i))*secondsOfDay, 0).UTC()
	}
	err := b.read(ctx, func(c *conn) {
		c.on(selectDays).int(c.queueNum(queue)).int(today - int64(days)).int(today).each(func(r *row) {
			d := &history[today-r.int()]
			d.Processed, d.Failed = int(r.int()), int(r.int())
		})
	})
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", queue, err)
	}
	return history, nil
}

// rowBytes is about what an entry takes besides its texts and bodies: its row's
// numbers, and its places in two indexes.
const rowBytes = 120

// Memory implements [broker.Operator]: of each state, some of the entries that
// are first are measured.
func (b *Broker) Memory(ctx context.Context, queue string) (int64, error) {
	if err := broker.CheckQueue(queue); err != nil {
		return 0, fmt.Errorf("memory of %s: %w", queue, err)
	}
	var total int64
	err := b.read(ctx, func(c *conn) {
		q := c.queue(queue)
		if q == nil {
			return
		}
		for _, state := range counted {
			var bytes, n int64
			c.on(selectSizes).int(q.num).int(int64(state)).int(sampleSize).each(func(r *row) {
				bytes += r.int() + rowBytes
				n++
			})
			if n > 0 {
				total += q.count[state] * bytes / n
			}
		}
	})
	if err != nil {
		return 0, fmt.Errorf("memory of %s: %w", queue, err)
	}
	return total, nil
}
