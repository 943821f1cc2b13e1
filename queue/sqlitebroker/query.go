package sqlitebroker

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectQueueNum   = prepared(`SELECT num FROM leat_queue WHERE name = ?`)
	selectQueueNames = prepared(`SELECT name FROM leat_queue ORDER BY name`)
	selectReadySince = prepared(`SELECT ready FROM leat_entry WHERE queue = ? AND state = ? ORDER BY at, id LIMIT 1`)
)

// queueNum returns the number of the queue of that name, 0 if there is none.
func (c *conn) queueNum(name string) (num int64) {
	c.on(selectQueueNum).text(name).first(func(r *row) { num = r.int() })
	return num
}

// Counts implements [broker.Broker].
func (b *Broker) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	if err := broker.CheckCounts(queues); err != nil {
		return nil, fmt.Errorf("counts: %w", err)
	}
	var all []broker.Counts
	err := b.read(ctx, func(c *conn) {
		names := queues
		if len(names) == 0 {
			c.on(selectQueueNames).each(func(r *row) { names = append(names, r.text()) })
		}
		for _, name := range names {
			all = append(all, c.counts(now, name))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("counts: %w", err)
	}
	return all, nil
}

func (c *conn) counts(now time.Time, name string) broker.Counts {
	n := broker.Counts{Queue: name}
	q := c.queue(name)
	if q == nil {
		n.Paused = c.on(selectPaused).text(name).first(func(*row) {})
		return n
	}
	n.Pending, n.Active = int(q.count[task.Pending]), int(q.count[task.Active])
	n.Scheduled, n.Retry = int(q.count[task.Scheduled]), int(q.count[task.Retry])
	n.Archived, n.Completed = int(q.count[task.Archived]), int(q.count[task.Completed])
	n.Aggregating, n.Paused = int(q.count[task.Aggregating]), q.paused
	if n.Aggregating > 0 {
		c.on(countGroups).int(q.num).first(func(r *row) { n.Groups = int(r.int()) })
	}
	n.ProcessedTotal, n.FailedTotal = int(q.processed), int(q.failed)
	c.on(selectDay).int(q.num).int(dayOf(now)).first(func(r *row) { n.Processed, n.Failed = int(r.int()), int(r.int()) })
	c.on(selectReadySince).int(q.num).int(int64(task.Pending)).first(func(r *row) { n.ReadySince = r.milli() })
	return n
}
