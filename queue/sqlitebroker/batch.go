package sqlitebroker

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectBatch = prepared(`SELECT group_name, until FROM leat_batch WHERE token = ? AND queue = ?`)
	putBatch    = prepared(`INSERT OR REPLACE INTO leat_batch (token, queue, group_name, until) VALUES (?, ?, ?, ?)`)
	extendBatch = prepared(`UPDATE leat_batch SET until = ? WHERE token = ?`)
	forgetBatch = prepared(`DELETE FROM leat_batch WHERE token = ?1
		AND NOT EXISTS (SELECT 1 FROM leat_entry WHERE token = ?1 AND ` + frozen + `)`)

	selectMembers = prepared(`SELECT num, ` + leasedColumns + ` FROM leat_entry WHERE token = ? AND ` + frozen + ` ORDER BY at, id`)
	selectWaiting = prepared(`SELECT num, ` + leasedColumns + ` FROM leat_entry
		WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at, id LIMIT ?`)
	selectOldest = prepared(`SELECT at FROM leat_entry WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at LIMIT 1`)
	selectNewest = prepared(`SELECT at FROM leat_entry WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at DESC LIMIT 1`)
	selectNth    = prepared(`SELECT at FROM leat_entry WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at LIMIT 1 OFFSET ?`)

	freezeEntry = prepared(`UPDATE leat_entry SET token = ? WHERE num = ?`)
	countCrash  = prepared(`UPDATE leat_entry SET crashes = ?, attempts = ? WHERE num = ?`)
	thawEntry   = prepared(`UPDATE leat_entry SET token = NULL WHERE num = ?`)

	selectLateBatch = prepared(`SELECT token FROM leat_batch WHERE queue = ? AND until <= ? ORDER BY until, token LIMIT 1`)
	selectNextBatch = prepared(`SELECT until FROM leat_batch WHERE queue = ? ORDER BY until LIMIT 1`)
	selectFrozen    = prepared(`SELECT ` + knownColumns + ` FROM leat_entry WHERE token = ? AND ` + frozen + ` ORDER BY at, id LIMIT ?`)
)

// Gather implements [broker.Operator].
func (b *Broker) Gather(ctx context.Context, now time.Time, r broker.GatherRequest) (broker.Batch, error) {
	if err := r.Check(); err != nil {
		return broker.Batch{}, fmt.Errorf("gather: %w", err)
	}
	var batch broker.Batch
	err := b.writer.write(ctx, func(t *tx) { batch = t.gather(now, r) })
	if err != nil {
		return broker.Batch{}, fmt.Errorf("gather %s of %s: %w", r.Group, r.Queue, err)
	}
	return batch, nil
}

func (t *tx) gather(now time.Time, r broker.GatherRequest) broker.Batch {
	q := t.queue(r.Queue)
	if q == nil {
		return broker.Batch{}
	}
	if batch, held := t.heldBatch(q, r.Token); held {
		return batch
	}
	if !t.ripe(q, now, r) {
		return broker.Batch{}
	}
	batch := broker.Batch{Queue: r.Queue, Group: r.Group}
	t.beginLeases(q, now)
	for more := true; more && t.err == nil; { // others take the place of those that are parked
		next := t.members(q, t.on(selectWaiting).int(q.num).text(r.Group).int(int64(r.MaxSize-len(batch.Entries))))
		for i := range next {
			f := &next[i]
			if f.err != nil {
				batch.Parked = append(batch.Parked, t.park(q, task.Aggregating, now, f))
				continue
			}
			t.on(freezeEntry).text(r.Token).int(f.num).exec()
			t.countGroup(q, r.Group, -1, 1)
			batch.Entries = append(batch.Entries, f.entry)
			t.started(now, q, &f.entry)
		}
		more = len(next) > 0 && len(batch.Entries) < r.MaxSize && len(batch.Parked) < broker.MaxParts
	}
	if len(batch.Entries) > 0 {
		batch.Token, batch.Until = r.Token, broker.CeilSecond(r.Until)
		t.on(putBatch).text(r.Token).int(q.num).text(r.Group).int(milli(batch.Until)).exec()
	}
	return batch
}

// heldBatch returns the batch that is held under token, if there is one.
func (t *tx) heldBatch(q *queue, token string) (b broker.Batch, held bool) {
	held = t.on(selectBatch).text(token).int(q.num).first(func(r *row) {
		b = broker.Batch{Queue: q.name, Group: r.text(), Token: token, Until: r.milli()}
	})
	if !held {
		return b, false
	}
	for _, f := range t.members(q, t.on(selectMembers).text(token)) {
		b.Entries = append(b.Entries, f.entry)
	}
	return b, true
}

// members returns the entries of q that s selects.
func (t *tx) members(q *queue, s *stmt) (all []found) {
	s.each(func(r *row) { all = append(all, r.found(q)) })
	return all
}

// ripe reports whether a group is to be folded.
func (t *tx) ripe(q *queue, now time.Time, r broker.GatherRequest) bool {
	since := func(s *stmt, most time.Duration) (passed bool) {
		s.first(func(r *row) { passed = r.int()+ceilSeconds(most)*1000 <= now.UnixMilli() })
		return passed
	}
	return t.on(selectNth).int(q.num).text(r.Group).int(int64(r.MaxSize-1)).first(func(*row) {}) ||
		r.MaxDelay > 0 && since(t.on(selectOldest).int(q.num).text(r.Group), r.MaxDelay) ||
		r.Grace == 0 && t.on(selectOldest).int(q.num).text(r.Group).first(func(*row) {}) ||
		r.Grace > 0 && since(t.on(selectNewest).int(q.num).text(r.Group), r.Grace)
}

// ceilSeconds returns d in seconds, rounded up.
func ceilSeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// thaw has k, which is in a batch, wait in its group again, where it was.
func (t *tx) thaw(k *known) {
	t.on(thawEntry).int(k.num).exec()
	t.countGroup(k.q, k.group, 1, -1)
	t.touchBatch(k.token)
	k.token = ""
}

// touchBatch notes that a batch may be empty.
func (t *tx) touchBatch(token string) {
	if t.batches == nil {
		t.batches = make(map[string]bool)
	}
	t.batches[token] = true
}

// returnBatches gives batches whose time has run out back to their groups, as
// far as most members.
func (t *tx) returnBatches(q *queue, now time.Time, most int) (returned int) {
	if q.graceful(now) || q.count[task.Aggregating] == 0 {
		return 0
	}
	for returned < most && t.err == nil {
		token := ""
		if !t.on(selectLateBatch).int(q.num).int(now.UnixMilli()).first(func(r *row) { token = r.text() }) {
			return returned
		}
		var members []known
		t.on(selectFrozen).text(token).int(int64(most - returned)).each(func(r *row) { members = append(members, r.known(q)) })
		for i := range members {
			k := &members[i]
			t.record(k, &broker.Attempt{Ended: now, Err: broker.LeaseRanOut})
			t.on(countCrash).int(k.crashes + 1).int(k.tried).int(k.num).exec()
			t.thaw(k)
		}
		returned += len(members)
		t.on(forgetBatch).text(token).exec()
	}
	return returned
}
