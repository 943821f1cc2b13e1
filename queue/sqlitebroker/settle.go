package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectHeld  = prepared(`SELECT num, claim FROM leat_entry WHERE queue = ? AND id = ? AND state = ? AND token = ?`)
	settleEntry = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, token = NULL,
		retried = ?4, last_error = ?5, failed = ?6, completed = ?7, result = coalesce(?8, result) WHERE num = ?1`)
)

// A heldEntry is an entry whose lease is held, and its claim.
type heldEntry struct {
	num   int64
	claim string
}

// lookUp returns the entry whose lease l names, if it is held.
func (t *tx) lookUp(l broker.LeaseRef) (h heldEntry, held bool) {
	q := t.queue(l.Queue)
	if q == nil {
		return h, false
	}
	held = t.on(selectHeld).int(q.num).text(l.ID).int(int64(task.Active)).text(l.Token).
		first(func(r *row) { h.num, h.claim = r.int(), r.text() })
	return h, held
}

// checkSettle says whether leases are held, and keeps in t.held which those are.
func (t *tx) checkSettle(settle []broker.Settlement) error {
	t.held = t.held[:0]
	for i := range settle {
		s := &settle[i]
		h, held := t.lookUp(broker.LeaseRef{EntryRef: s.Entry.EntryRef, Token: s.Token})
		if !held {
			return broker.LeaseLost(s.Entry.EntryRef)
		}
		t.held = append(t.held, h)
	}
	return nil
}

// settle does to the entry h what s says.
func (t *tx) settle(now time.Time, s *broker.Settlement, h heldEntry) {
	q := t.queue(s.Entry.Queue)
	switch s.To {
	case broker.Done:
		t.on(deleteEntry).int(h.num).exec()
		q.add(task.Active, -1)
		t.unclaim(q, h.claim, s.Entry.ID)
		t.processed(q, now, false)
	case broker.Completed:
		t.keep(q, s, h, task.Completed, milli(broker.CeilSecond(s.At)))
		t.unclaim(q, h.claim, s.Entry.ID)
		t.processed(q, now, false)
	case broker.Retry:
		t.keep(q, s, h, task.Retry, milli(s.At))
		if s.Failed {
			t.processed(q, now, true)
		}
	case broker.Archived:
		t.keep(q, s, h, task.Archived, milli(broker.CeilSecond(now)))
		t.processed(q, now, true)
	case broker.Released:
		t.on(moveEntry).int(h.num).int(int64(task.Pending)).int(q.front(1)).int(milli(now)).exec()
		q.move(task.Active, task.Pending, 1)
	}
}

// keep stores what an attempt has left with its entry, which goes to state.
func (t *tx) keep(q *queue, s *broker.Settlement, h heldEntry, state task.State, at int64) {
	t.on(settleEntry).int(h.num).int(int64(state)).int(at).
		int(int64(s.Entry.Retried)).some(s.Entry.LastErr).any(seconds(s.Entry.LastFailedAt)).
		any(seconds(s.Entry.CompletedAt)).blob(s.Result).exec()
	q.move(task.Active, state, 1)
}
