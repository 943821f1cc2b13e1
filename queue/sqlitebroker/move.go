package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	reviveEntry = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, ready = ?4, version = ?5, token = NULL, group_name = NULL,
		ended = NULL, crashes = NULL, asked = NULL, behind = NULL WHERE num = ?1`)
	askEntry = prepared(`UPDATE leat_entry SET asked = 1 WHERE num = ?`)
)

// checkMoves says whether entries exist and are in states that allow the acts.
func (t *tx) checkMoves(now time.Time, moves []broker.Move) error {
	for _, m := range moves {
		k, found := t.find(m.EntryRef)
		if !found {
			return broker.EntryNotFound(m.EntryRef)
		}
		if !k.allows(now, m.Do) {
			return &broker.StateError{Entry: m.EntryRef, State: k.state, Frozen: k.frozen()}
		}
	}
	return nil
}

// allows reports whether act may be done to k at now.
func (k *known) allows(now time.Time, act broker.Act) bool {
	lapsed := k.state == task.Active && k.at <= now.UnixMilli()
	return !k.frozen() && (act.From(k.state) || lapsed && act.FromLapsed())
}

// move does what m says, unless the entry went elsewhere in the same change.
func (t *tx) move(now time.Time, m broker.Move) {
	if k, found := t.find(m.EntryRef); found && k.allows(now, m.Do) {
		t.do(now, &k, m.Do, m.At)
	}
}

// do does act to k; at is when to reschedule it to.
func (t *tx) do(now time.Time, k *known, act broker.Act, at time.Time) {
	switch act {
	case broker.Run:
		t.revive(now, k, now)
	case broker.Reschedule:
		t.revive(now, k, at)
	case broker.Archive:
		t.archive(now, k, 0)
	case broker.Delete:
		t.remove(now, k, false)
	case broker.Cancel:
		if k.state != task.Active {
			t.archive(now, k, broker.Cancelled)
			return
		}
		t.on(askEntry).int(k.num).exec()
		t.signal(broker.CancelSent, k.ref())
	}
}

// revive makes k ready, or scheduled if at is later. It is in no group then, and
// waits behind no claim.
func (t *tx) revive(now time.Time, k *known, at time.Time) {
	to, place, ready := task.Pending, int64(0), milli(now)
	if at.After(now) {
		to, place, ready = task.Scheduled, milli(at), 0
	} else {
		place = k.q.back()
	}
	if k.claim.behind {
		t.waitNoMore(k)
	}
	t.on(reviveEntry).int(k.num).int(int64(to)).int(place).any(ready).int(k.q.written()).exec()
	k.q.awaits(to, place)
	t.moved(now, k, to)
}
