package sqlitebroker

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
)

var (
	countGroup = prepared(`INSERT INTO leat_group (queue, name, size, frozen) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET size = size + excluded.size, frozen = frozen + excluded.frozen`)
	forgetGroup  = prepared(`DELETE FROM leat_group WHERE queue = ? AND name = ? AND size + frozen <= 0`)
	selectGroups = prepared(`SELECT name, size, frozen,
		(SELECT at FROM leat_entry e WHERE e.queue = g.queue AND e.group_name = g.name AND ` + waiting + ` ORDER BY at LIMIT 1),
		(SELECT at FROM leat_entry e WHERE e.queue = g.queue AND e.group_name = g.name AND ` + waiting + ` ORDER BY at DESC LIMIT 1)
		FROM leat_group g WHERE queue = ? ORDER BY name`)
	countGroups = prepared(`SELECT count(*) FROM leat_group WHERE queue = ?`)
)

// waiting are entries that wait in groups, and frozen those that are in
// batches: each has an index.
const (
	waiting = `state = 7 AND token IS NULL`
	frozen  = `state = 7 AND token IS NOT NULL`
)

// A groupName names a group by the number of its queue.
type groupName struct {
	queue int64
	name  string
}

// A groupSize is how many entries of a group wait and are frozen, or how many
// more.
type groupSize struct{ size, frozen int64 }

// countGroup counts entries more that wait in a group and that are frozen.
func (t *tx) countGroup(q *queue, name string, size, frozen int64) {
	if t.groups == nil {
		t.groups = make(map[groupName]groupSize)
	}
	g := t.groups[groupName{q.num, name}]
	t.groups[groupName{q.num, name}] = groupSize{g.size + size, g.frozen + frozen}
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
		t.on(countGroup).int(name.queue).text(name.name).int(g.size).int(g.frozen).exec()
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
