package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var settleEntry = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, token = NULL, version = ?4,
	retried = ?5, last_error = ?6, failed = ?7, completed = ?8, ended = ?9, attempts = ?10,
	crashes = NULL, asked = NULL, result = coalesce(?11, result),
	headers = nullif(coalesce(?12, headers), '{}') WHERE num = ?1`)

// markEntry is for entries that are released.
var markEntry = prepared(`UPDATE leat_entry SET version = ?2, headers = nullif(?3, '{}') WHERE num = ?1`)

// deletePlain is for leased entries that nothing goes with.
var deletePlain = prepared(`DELETE FROM leat_entry WHERE queue = ? AND id = ? AND token = ?
	AND state = 1 AND coalesce(claim, attempts, watched, home_queue) IS NULL`)

// donePlain deletes the entry that s says is done, if its lease is held and it is a
// plain one.
func (t *tx) donePlain(now time.Time, s *broker.Settlement) (done bool) {
	q := t.queue(s.Entry.Queue)
	if q == nil {
		return false
	}
	t.on(deletePlain).int(q.num).text(s.Entry.ID).text(s.Token).exec()
	if !t.changed() {
		return false
	}
	t.moved(now, &known{q: q, id: s.Entry.ID, state: task.Active}, 0)
	t.processed(q, now, false)
	return true
}

// checkSettle says whether leases are held, and keeps in t.held which those are.
func (t *tx) checkSettle(settle []broker.Settlement) error {
	t.held = t.held[:0]
	for i := range settle {
		s := &settle[i]
		k, held := t.lookUp(broker.LeaseRef{EntryRef: s.Entry.EntryRef, Token: s.Token})
		if !held {
			return broker.LeaseLost(s.Entry.EntryRef)
		}
		t.held = append(t.held, k)
	}
	return nil
}

// settle does to the entry k what s says.
func (t *tx) settle(now time.Time, s *broker.Settlement, k *known) {
	if s.To == broker.Released && s.Headers != nil {
		t.on(markEntry).int(k.num).int(k.q.written()).text(t.marks(s)).exec()
	}
	if k.asked && (s.To == broker.Retry || s.To == broker.Released) {
		t.settleCancelled(now, s, k)
		return
	}
	switch s.To {
	case broker.Done:
		t.done(now, s, k)
		t.processed(k.q, now, false)
	case broker.Completed:
		t.finish(now, s, k, s.At)
		t.processed(k.q, now, false)
	case broker.Retry:
		t.keep(now, s, k, task.Retry, milli(s.At))
		if s.Failed {
			t.processed(k.q, now, true)
		}
	case broker.Archived:
		e := t.ending(k, s.End == 0)
		k.end = s.End
		t.keep(now, s, k, task.Archived, ceilSecond(now))
		t.ended(now, k, e)
		t.processed(k.q, now, s.End != broker.Cancelled && s.End != broker.Expired)
	case broker.Released:
		t.letGo(now, k)
	}
}

// marks returns the headers that s gives its entry, "" if it leaves it those that it
// has.
func (t *tx) marks(s *broker.Settlement) string {
	if s.Headers == nil {
		return ""
	}
	return t.json(1, s.Headers)
}

// done deletes k, or keeps it for a while if somebody waits for it.
func (t *tx) done(now time.Time, s *broker.Settlement, k *known) {
	if !k.watched {
		t.remove(now, k, true)
		return
	}
	t.finish(now, s, k, now)
}

// finish keeps k as completed until at, and longer if somebody waits for it.
func (t *tx) finish(now time.Time, s *broker.Settlement, k *known, at time.Time) {
	if least := now.Add(broker.WatchRetention); k.watched && at.Before(least) {
		at = least
	}
	t.keep(now, s, k, task.Completed, ceilSecond(at))
	t.ended(now, k, ending{})
}

// letGo has k, whose lease has been given back, stand where it stood.
func (t *tx) letGo(now time.Time, k *known) {
	if k.frozen() {
		t.thaw(now, k)
		return
	}
	t.place(now, k, task.Pending, k.q.front(1), milli(now))
}

// settleCancelled archives k, which would be ready or due again and was to be
// cancelled.
func (t *tx) settleCancelled(now time.Time, s *broker.Settlement, k *known) {
	t.processed(k.q, now, false)
	if s.To == broker.Released {
		t.archive(now, k, broker.Cancelled)
		return
	}
	e := t.ending(k, false)
	k.end = broker.Cancelled
	t.keep(now, s, k, task.Archived, ceilSecond(now))
	t.ended(now, k, e)
}

// keep stores what an attempt has left with its entry, which goes to state.
func (t *tx) keep(now time.Time, s *broker.Settlement, k *known, state task.State, at int64) {
	if s.Attempt != nil {
		t.record(k, s.Attempt)
	}
	t.on(settleEntry).int(k.num).int(int64(state)).int(at).int(k.q.written()).
		int(int64(s.Entry.Retried)).some(s.Entry.LastErr).any(seconds(s.Entry.LastFailedAt)).
		any(seconds(s.Entry.CompletedAt)).any(int64(k.end)).any(k.tried).blob(s.Result).some(t.marks(s)).exec()
	k.q.awaits(state, at)
	t.moved(now, k, state)
}
