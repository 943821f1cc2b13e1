package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	insertAttempt  = prepared(`INSERT INTO leat_attempt (entry, number, started, ended, worker, error, stack) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	deleteAttempts = prepared(`DELETE FROM leat_attempt WHERE entry = ? AND number <= ?`)
	selectAttempts = prepared(`SELECT started, ended, worker, error, stack FROM leat_attempt WHERE entry = ? ORDER BY number`)

	crashEntry = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, ready = ?4, crashes = ?5, attempts = ?6, token = NULL WHERE num = ?1`)
)

// record adds an attempt of k, and forgets the oldest if there are too many.
// Whoever calls it writes k.tried.
func (t *tx) record(k *known, a *broker.Attempt) {
	k.tried++
	t.on(insertAttempt).int(k.num).int(k.tried).any(milli(a.Started)).any(milli(a.Ended)).some(a.Worker).some(a.Err).some(a.Stack).exec()
	if k.tried > broker.MaxAttempts {
		t.on(deleteAttempts).int(k.num).int(k.tried - broker.MaxAttempts).exec()
	}
}

// crashed counts that the lease of k has run out, and makes it ready at the
// given place, unless it was to be cancelled.
func (t *tx) crashed(now time.Time, k *known, place int64) (cancelled bool) {
	t.lose(now, k, beganBy(k.token))
	t.on(crashEntry).int(k.num).int(int64(task.Pending)).int(place).int(milli(now)).int(k.crashes).int(k.tried).exec()
	if k.asked {
		t.archive(now, k, broker.Cancelled)
		return true
	}
	t.moved(now, k, task.Pending)
	return false
}

// attempts returns those of an entry that were recorded last.
func (c *conn) attempts(num int64) (all []broker.Attempt) {
	c.on(selectAttempts).int(num).each(func(r *row) {
		all = append(all, broker.Attempt{Started: r.milli(), Ended: r.milli(), Worker: r.text(), Err: r.text(), Stack: r.text()})
	})
	return all
}
