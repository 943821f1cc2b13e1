package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/task"
)

// When nobody has advanced a queue for as long as mostSilence while it had
// leases, none of them is taken back for as long as grace.
const (
	mostSilence = 5 * time.Second
	grace       = 5 * time.Second
)

// A batch whose members have all been settled is there until the commit.
var selectAnyBatch = prepared(`SELECT 1 FROM leat_batch b WHERE queue = ?
	AND EXISTS (SELECT 1 FROM leat_entry WHERE token = b.token AND ` + frozen + `) LIMIT 1`)

// leased reports whether entries of q are leased, or frozen in batches.
func (c *conn) leased(q *queue) bool {
	return q.count[task.Active] > 0 ||
		q.count[task.Aggregating] > 0 && c.on(selectAnyBatch).int(q.num).first(func(*row) {})
}

// beginLeases notes that q is about to have a lease. If it had none, silence is
// counted from now on.
func (t *tx) beginLeases(q *queue, now time.Time) {
	if q.count[task.Active] == 0 && !t.leased(q) {
		q.advanced, q.changed = now.UnixNano(), true
	}
}

// observe notes that q is advanced, and whether it was left alone too long.
func (t *tx) observe(q *queue, now time.Time) {
	if !t.leased(q) {
		return
	}
	at := now.UnixNano()
	if at > q.advanced+mostSilence.Nanoseconds() {
		q.grace = milli(now.Add(grace))
	}
	q.advanced, q.changed = at, true
}

// graceful reports whether leases of q are not taken back at now.
func (q *queue) graceful(now time.Time) bool { return now.UnixMilli() < q.grace }
