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

	selectStored = prepared(`SELECT ` + entryColumns + `, result FROM leat_entry WHERE queue = ? AND id = ?`)
	selectPage   = prepared(`SELECT ` + entryColumns + `, result FROM leat_entry
		WHERE queue = ? AND state = ? ORDER BY at, id LIMIT ? OFFSET ?`)
)

// stored reads entryColumns and the result. What cannot be read of a parked
// entry is left out: LastErr says what that is.
func (r *row) stored(queue string) broker.Stored {
	s, _ := r.entry(queue)
	s.Result = r.blob()
	return s
}

// Entry implements [broker.Broker].
func (b *Broker) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	if err := broker.CheckEntry(ref); err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	var s broker.Stored
	found := false
	err := b.read(ctx, func(c *conn) {
		found = c.on(selectStored).int(c.queueNum(ref.Queue)).text(ref.ID).first(func(r *row) { s = r.stored(ref.Queue) })
	})
	if err == nil && !found {
		err = broker.ErrNotFound
	}
	if err != nil {
		return broker.Stored{}, fmt.Errorf("entry %s: %w", ref, err)
	}
	return s, nil
}

// queueNum returns the number of the queue of that name, 0 if there is none.
func (c *conn) queueNum(name string) (num int64) {
	c.on(selectQueueNum).text(name).first(func(r *row) { num = r.int() })
	return num
}

// List implements [broker.Broker].
func (b *Broker) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	if err := r.Check(); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	var page []broker.Stored
	err := b.read(ctx, func(c *conn) {
		c.on(selectPage).int(c.queueNum(r.Queue)).int(int64(r.State)).int(int64(r.Limit)).int(int64(r.Offset)).
			each(func(row *row) { page = append(page, row.stored(r.Queue)) })
	})
	if err != nil {
		return nil, fmt.Errorf("list %s of %s: %w", r.State, r.Queue, err)
	}
	return page, nil
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
		return n
	}
	n.Pending, n.Active = int(q.count[task.Pending]), int(q.count[task.Active])
	n.Scheduled, n.Retry = int(q.count[task.Scheduled]), int(q.count[task.Retry])
	n.Archived, n.Completed = int(q.count[task.Archived]), int(q.count[task.Completed])
	n.ProcessedTotal, n.FailedTotal = int(q.processed), int(q.failed)
	c.on(selectDay).int(q.num).int(dayOf(now)).first(func(r *row) { n.Processed, n.Failed = int(r.int()), int(r.int()) })
	c.on(selectReadySince).int(q.num).int(int64(task.Pending)).first(func(r *row) { n.ReadySince = r.milli() })
	return n
}
