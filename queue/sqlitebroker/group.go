package sqlitebroker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

var (
	countGroup = prepared(`INSERT INTO leat_group (queue, name, size, frozen, joined) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET size = size + excluded.size, frozen = frozen + excluded.frozen,
		joined = max(joined, excluded.joined)`)
	forgetGroup  = prepared(`DELETE FROM leat_group WHERE queue = ? AND name = ? AND size + frozen <= 0`)
	selectGroups = prepared(`SELECT name, size, frozen, ` + agesOfGroup + ` FROM leat_group g WHERE queue = ? ORDER BY name`)
	selectJoined = prepared(`SELECT joined, name, size, ` + agesOfGroup + ` FROM leat_group g
		WHERE queue = ? AND joined > ? AND joined > 0 AND size > 0 ORDER BY joined LIMIT ?`)
	countGroups = prepared(`SELECT count(*) FROM leat_group WHERE queue = ?`)
)

// waiting are entries that wait in groups, and frozen those that are in
// batches: each has an index. Those that wait are read from ofGroups: left alone, SQLite
// takes the index of all that wait in any group, and passes over those of others.
const (
	waiting  = `state = 7 AND token IS NULL`
	ofGroups = `leat_entry INDEXED BY leat_entry_group`
	frozen   = `state = 7 AND token IS NOT NULL`
)

// agesOfGroup are when the first and the last was added of those that wait in g.
const agesOfGroup = `
	(SELECT at FROM ` + ofGroups + ` WHERE leat_entry.queue = g.queue AND group_name = g.name AND ` + waiting + ` ORDER BY at LIMIT 1),
	(SELECT at FROM ` + ofGroups + ` WHERE leat_entry.queue = g.queue AND group_name = g.name AND ` + waiting + ` ORDER BY at DESC LIMIT 1)`

// A groupName names a group by the number of its queue.
type groupName struct {
	queue int64
	name  string
}

// A groupSize is how many entries of a group wait and are frozen, or how many
// more, and the number of its last join, or 0.
type groupSize struct{ size, frozen, joined int64 }

// countGroup counts entries more that wait in a group and that are frozen.
func (t *tx) countGroup(q *queue, name string, size, frozen int64) {
	if t.groups == nil {
		t.groups = make(map[groupName]groupSize)
	}
	g := t.groups[groupName{q.num, name}]
	t.groups[groupName{q.num, name}] = groupSize{g.size + size, g.frozen + frozen, g.joined}
}

// joinGroup counts an entry more that waits in a group, frozen of which were in a
// batch of it.
func (t *tx) joinGroup(now time.Time, q *queue, name string, frozen int64) {
	t.countGroup(q, name, 1, -frozen)
	q.joined = max(q.joined+1, now.UnixMicro())
	q.grouped, q.changed = true, true
	g := t.groups[groupName{q.num, name}]
	g.joined = q.joined
	t.groups[groupName{q.num, name}] = g
}

// leaveGroup counts k out of its group, and out of its batch.
func (t *tx) leaveGroup(k *known) {
	if !k.frozen() {
		t.countGroup(k.q, k.group, -1, 0)
		return
	}
	t.countGroup(k.q, k.group, 0, -1)
	t.touchBatch(k.token)
}

// flushGroups writes what was counted. What is empty is forgotten.
func (t *tx) flushGroups() {
	for name, g := range t.groups {
		t.on(countGroup).int(name.queue).text(name.name).int(g.size).int(g.frozen).int(g.joined).exec()
		if g.size+g.frozen <= 0 {
			t.on(forgetGroup).int(name.queue).text(name.name).exec()
		}
	}
	for token := range t.batches {
		t.on(forgetBatch).text(token).exec()
	}
	clear(t.groups)
	clear(t.batches)
}

// Groups implements [broker.Operator].
func (b *Broker) Groups(ctx context.Context, queue string) ([]broker.Group, error) {
	if err := broker.CheckQueue(queue); err != nil {
		return nil, fmt.Errorf("groups of %s: %w", queue, err)
	}
	var groups []broker.Group
	err := b.read(ctx, func(c *conn) {
		c.on(selectGroups).int(c.queueNum(queue)).each(func(r *row) {
			groups = append(groups, broker.Group{
				Name: r.text(), Size: int(r.int()), Frozen: int(r.int()), Oldest: r.milli(), Newest: r.milli(),
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("groups of %s: %w", queue, err)
	}
	return groups, nil
}

// Joined implements [broker.Operator].
func (b *Broker) Joined(ctx context.Context, r broker.JoinedRequest) (broker.JoinedPage, error) {
	if err := r.Check(); err != nil {
		return broker.JoinedPage{}, fmt.Errorf("joined: %w", err)
	}
	after, _ := strconv.ParseInt(r.After, 10, 64) // what is no number is as far back as is known
	var page broker.JoinedPage
	err := b.read(ctx, func(c *conn) {
		q := c.queue(r.Queue)
		if q == nil {
			return
		}
		if after > q.joined {
			after = 0 // the database has been an older one since
		}
		last := q.joined
		c.on(selectJoined).int(q.num).int(after).int(int64(r.Limit + 1)).each(func(row *row) {
			if page.More = len(page.Groups) == r.Limit; page.More {
				return
			}
			last = row.int()
			page.Groups = append(page.Groups, broker.Group{Name: row.text(), Size: int(row.int()), Oldest: row.milli(), Newest: row.milli()})
		})
		if !page.More {
			last = q.joined
		}
		page.Next = strconv.FormatInt(last, 10)
	})
	if err != nil {
		return broker.JoinedPage{}, fmt.Errorf("joined groups of %s: %w", r.Queue, err)
	}
	return page, nil
}
