package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectClaim = prepared(`SELECT entry FROM leat_claim WHERE queue = ? AND key = ? AND until > ?`)
	takeClaim   = prepared(`INSERT OR REPLACE INTO leat_claim (queue, key, entry, until) VALUES (?, ?, ?, ?)`)
	freeClaim   = prepared(`DELETE FROM leat_claim WHERE queue = ? AND key = ? AND entry = ?`)
)

// checkEnqueue says whether ids and claims are free.
func (t *tx) checkEnqueue(now time.Time, entries []broker.Entry) error {
	for i := range entries {
		e := &entries[i]
		q := t.queue(e.Queue)
		if q == nil {
			continue
		}
		if t.exists(q, e.ID) {
			return &broker.ExistsError{Entry: e.EntryRef}
		}
		if e.Claim.Key == "" {
			continue
		}
		if holder := t.holder(now, q, e.Claim.Key); holder != "" {
			return &broker.ClaimedError{Entry: e.EntryRef, Key: e.Claim.Key, Holder: holder}
		}
	}
	return nil
}

func (t *tx) exists(q *queue, id string) bool {
	return t.on(selectEntryNum).int(q.num).text(id).first(func(*row) {})
}

// holder returns the id of the entry that holds a claim, or "".
func (t *tx) holder(now time.Time, q *queue, key string) (holder string) {
	t.on(selectClaim).int(q.num).text(key).int(now.UnixMilli()).first(func(r *row) { holder = r.text() })
	return holder
}

// enqueue adds e, ready or scheduled, and takes its claim, which is free. If its
// id exists, it changes nothing.
func (t *tx) enqueue(now time.Time, e *broker.Entry) (added bool) {
	q := t.madeQueue(e.Queue)
	if e.DueAt.After(now) {
		added = t.insert(q, e, task.Scheduled, milli(e.DueAt), 0)
	} else {
		added = t.insert(q, e, task.Pending, q.back(), milli(now))
	}
	if added && e.Claim.Key != "" {
		until := now.Add(e.Claim.TTL.Truncate(time.Second))
		t.on(takeClaim).int(q.num).text(e.Claim.Key).text(e.ID).int(milli(until)).exec()
	}
	return added
}

// unclaim frees the claim of an entry, unless another holds it by now.
func (t *tx) unclaim(q *queue, key, id string) {
	if key != "" {
		t.on(freeClaim).int(q.num).text(key).text(id).exec()
	}
}
