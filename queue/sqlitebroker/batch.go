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
	putBatch    = prepared(`INSERT OR REPLACE INTO leat_batch (token, queue, group_name, until, began) VALUES (?, ?, ?, ?, ?)`)
	extendBatch = prepared(`UPDATE leat_batch SET until = ? WHERE token = ?`)
	forgetBatch = prepared(`DELETE FROM leat_batch WHERE token = ?1
		AND NOT EXISTS (SELECT 1 FROM leat_entry WHERE token = ?1 AND ` + frozen + `)`)

	selectMembers = prepared(`SELECT num, ready, ` + leasedColumns + ` FROM leat_entry WHERE token = ? AND ` + frozen + ` ORDER BY at, id`)
	selectWaiting = prepared(`SELECT num, ready, ` + leasedColumns + ` FROM ` + ofGroups + `
		WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at, id LIMIT ?`)
	selectOldest = prepared(`SELECT at FROM ` + ofGroups + ` WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at LIMIT 1`)
	selectNewest = prepared(`SELECT at FROM ` + ofGroups + ` WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at DESC LIMIT 1`)
	weighOldest  = prepared(`SELECT length(payload) FROM ` + ofGroups + `
		WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at, id LIMIT ?`)
	selectNth = prepared(`SELECT at FROM ` + ofGroups + ` WHERE queue = ? AND group_name = ? AND ` + waiting + ` ORDER BY at LIMIT 1 OFFSET ?`)

	freezeEntry = prepared(`UPDATE leat_entry SET token = ? WHERE num = ?`)
	countCrash  = prepared(`UPDATE leat_entry SET crashes = ?, attempts = ? WHERE num = ?`)
	thawEntry   = prepared(`UPDATE leat_entry SET token = NULL WHERE num = ?`)

	selectLateBatch = prepared(`SELECT token, began FROM leat_batch WHERE queue = ? AND until <= ? ORDER BY until, token LIMIT 1`)
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
		batch.Next = t.ripens(q, now, r)
		return batch
	}
	if next := t.ripens(q, now, r); next.IsZero() || next.After(now) {
		return broker.Batch{Next: next}
	}
	batch := t.freeze(q, now, r)
	batch.Next = t.ripens(q, now, r)
	return batch
}

// freeze leases the oldest entries of a group as one batch.
func (t *tx) freeze(q *queue, now time.Time, r broker.GatherRequest) broker.Batch {
	batch, bytes, until := broker.Batch{Queue: r.Queue, Group: r.Group}, int64(0), broker.CeilSecond(r.Until)
	t.beginLeases(q, now)
	full := false
	for more := true; more && t.err == nil; { // others take the place of those that are parked
		next := t.members(q, t.on(selectWaiting).int(q.num).text(r.Group).int(int64(r.MaxSize-len(batch.Members))))
		for i := range next {
			f := &next[i]
			if f.err != nil {
				batch.Parked = append(batch.Parked, t.park(q, task.Aggregating, now, f))
				continue
			}
			bytes += int64(len(f.entry.Payload))
			if full = r.MaxBytes > 0 && bytes > r.MaxBytes && len(batch.Members) > 0; full {
				break
			}
			t.on(freezeEntry).text(r.Token).int(f.num).exec()
			t.countGroup(q, r.Group, -1, 1)
			batch.Members = append(batch.Members, t.lend(f, r.Token, until))
			t.started(now, q, &f.entry)
		}
		more = !full && len(next) > 0 && len(batch.Members) < r.MaxSize && len(batch.Parked) < broker.MaxParts
	}
	if len(batch.Members) > 0 {
		batch.Token, batch.Until = r.Token, until
		t.on(putBatch).text(r.Token).int(q.num).text(r.Group).int(milli(until)).int(milli(now)).exec()
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
		b.Members = append(b.Members, broker.Lease{Entry: f.entry, Token: token, Until: b.Until})
	}
	return b, true
}

// members returns the entries of q that s selects.
func (t *tx) members(q *queue, s *stmt) (all []found) {
	s.each(func(r *row) { all = append(all, r.found(q)) })
	return all
}

// ripens returns when a group is to be folded: now, or later, or if nothing waits in
// it never.
func (t *tx) ripens(q *queue, now time.Time, r broker.GatherRequest) time.Time {
	added := func(which query) (at time.Time) {
		t.on(which).int(q.num).text(r.Group).first(func(r *row) { at = r.milli() })
		return at
	}
	newest := added(selectNewest)
	if newest.IsZero() {
		return newest
	}
	next := newest.Add(ceilTo(r.Grace))
	if r.MaxDelay > 0 {
		if oldest := added(selectOldest).Add(ceilTo(r.MaxDelay)); oldest.Before(next) {
			next = oldest
		}
	}
	if r.Grace == 0 || !next.After(now) || t.isLarge(q, r) {
		return now
	}
	return next
}

// isLarge reports whether a group has as many entries, or bytes, as a batch may have.
func (t *tx) isLarge(q *queue, r broker.GatherRequest) bool {
	if t.on(selectNth).int(q.num).text(r.Group).int(int64(r.MaxSize - 1)).first(func(*row) {}) {
		return true
	}
	bytes := int64(0)
	if r.MaxBytes > 0 {
		t.on(weighOldest).int(q.num).text(r.Group).int(int64(r.MaxSize)).each(func(r *row) { bytes += r.int() })
	}
	return r.MaxBytes > 0 && bytes >= r.MaxBytes
}

// ceilTo returns d, rounded up to a second.
func ceilTo(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }

// thaw has k, which is in a batch, wait in its group again, where it was.
func (t *tx) thaw(now time.Time, k *known) {
	t.on(thawEntry).int(k.num).exec()
	t.joinGroup(now, k.q, k.group, 1)
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
		token, began := "", int64(0)
		if !t.on(selectLateBatch).int(q.num).int(now.UnixMilli()).first(func(r *row) { token, began = r.text(), r.int() }) {
			return returned
		}
		var members []known
		t.on(selectFrozen).text(token).int(int64(most - returned)).each(func(r *row) { members = append(members, r.known(q)) })
		for i := range members {
			k := &members[i]
			t.lose(now, k, began)
			t.on(countCrash).int(k.crashes).int(k.tried).int(k.num).exec()
			t.thaw(now, k)
		}
		returned += len(members)
		t.on(forgetBatch).text(token).exec()
	}
	return returned
}
