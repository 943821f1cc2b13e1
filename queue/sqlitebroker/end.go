package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectExit   = prepared(`SELECT leaves FROM leat_entry WHERE num = ?`)
	archiveEntry = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, ended = ?4,
		token = NULL, asked = NULL, behind = NULL WHERE num = ?1`)
)

// An ending is what is to be done when an entry has ended.
type ending struct {
	exit *broker.Entry // to be enqueued, if not nil
}

// hasEnded reports whether k ended before; what is parked has not.
func (k *known) hasEnded() bool {
	return k.state == task.Completed || k.state == task.Archived && k.end != broker.Undecodable
}

// ending returns what k leaves when it ends now, by its own settlement or by
// something else. It is called before k is written.
func (t *tx) ending(k *known, own bool) (e ending) {
	if own || !k.leaves || k.hasEnded() {
		return e
	}
	t.on(selectExit).int(k.num).first(func(r *row) {
		var recorded recordedEntry
		if r.json("leaves", &recorded) == nil { // nothing can be enqueued of what cannot be read
			exit := recorded.entry()
			e.exit = &exit
		}
	})
	return e
}

// ended does what goes with the end of k, after k was written.
func (t *tx) ended(now time.Time, k *known, e ending) {
	t.closer(k.home)
	t.unclaim(now, k)
	if k.watched {
		t.signal(broker.EndSeen, k.ref())
	}
	if e.exit != nil {
		t.enqueue(now, e.exit)
	}
}

// remove deletes k with all that belongs to it.
func (t *tx) remove(now time.Time, k *known, own bool) {
	e := t.ending(k, own)
	t.on(deleteEntry).int(k.num).exec()
	if k.tried > 0 {
		t.on(deleteAttempts).int(k.num).int(k.tried).exec()
	}
	t.moved(now, k, 0)
	t.ended(now, k, e)
}

// archive keeps k as archived, by something other than its own settlement.
func (t *tx) archive(now time.Time, k *known, end broker.End) {
	e := t.ending(k, false)
	t.on(archiveEntry).int(k.num).int(int64(task.Archived)).int(ceilSecond(now)).any(int64(end)).exec()
	t.moved(now, k, task.Archived)
	t.ended(now, k, e)
}
