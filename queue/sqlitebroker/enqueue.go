package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
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
		if err := t.checkClaim(now, q, e); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) exists(q *queue, id string) bool {
	return t.on(selectEntryNum).int(q.num).text(id).first(func(*row) {})
}

// enqueue adds e where it belongs, and takes its claim, which is free unless e
// waits behind it. If its id exists, it changes nothing.
func (t *tx) enqueue(now time.Time, e *broker.Entry) (added bool) {
	q := t.madeQueue(e.Queue)
	if e.Claim.Behind {
		if holder, _ := t.holder(now, q, e.Claim.Key); holder != "" {
			return t.enqueueBehind(now, q, e)
		}
	}
	switch {
	case e.DueAt.After(now):
		added = t.insert(now, q, e, task.Scheduled, milli(e.DueAt), 0)
	case e.Group != "":
		added = t.insert(now, q, e, task.Aggregating, ceilSecond(now), milli(now))
	default:
		added = t.insert(now, q, e, task.Pending, q.back(), milli(now))
	}
	if added && e.Claim.Key != "" {
		t.take(now, q, e.ID, e.Claim)
	}
	return added
}

// enqueueBehind adds e as one that waits for its claim.
func (t *tx) enqueueBehind(now time.Time, q *queue, e *broker.Entry) (added bool) {
	added = t.insert(now, q, e, task.Scheduled, milli(now.Add(broker.BehindRetry)), 0)
	if added {
		t.on(awaitClaim).text(e.ID).int(q.num).text(e.Claim.Key).exec()
	}
	return added
}
