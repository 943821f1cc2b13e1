package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Of an archive, as many of the oldest entries are looked at for trimming, and
// as many to estimate what an entry takes.
const (
	mostTrimmable = 500
	sampleSize    = 50
)

const bodySize = `coalesce(length(payload), 0) + coalesce(length(result), 0)`

var (
	selectOldestArchived = prepared(`SELECT ` + bodySize + `, ` + knownColumns + ` FROM leat_entry
		WHERE queue = ? AND state = 5 ORDER BY at, id LIMIT ?`)
	selectBodies = prepared(`SELECT ` + bodySize + ` FROM leat_entry WHERE queue = ? AND state = ? ORDER BY at, id LIMIT ?`)
)

// trim deletes archived entries that are beyond what is kept, the oldest first.
func (t *tx) trim(q *queue, now time.Time, keep broker.ArchiveLimits, most int) int {
	if most <= 0 {
		return 0
	}
	old := t.excess(q, now, keep, most)
	for i := range old {
		t.remove(now, &old[i], true)
	}
	return len(old)
}

// excess returns at most most of the archived entries of q that are beyond what
// is kept.
func (c *conn) excess(q *queue, now time.Time, keep broker.ArchiveLimits, most int) (old []known) {
	left := q.count[task.Archived]
	if left == 0 || keep == (broker.ArchiveLimits{}) {
		return nil
	}
	bytes := int64(0)
	if keep.Bytes > 0 {
		bytes = c.bodies(q, task.Archived)
	}
	past := now.Add(-keep.Age).UnixMilli()
	c.on(selectOldestArchived).int(q.num).int(mostTrimmable).while(func(r *row) bool {
		size := r.int()
		k := r.known(q)
		if !(keep.Count > 0 && left > int64(keep.Count) || keep.Age > 0 && k.at <= past || keep.Bytes > 0 && bytes > keep.Bytes) {
			return false
		}
		if k.end != broker.Undecodable {
			old = append(old, k)
		}
		left--
		bytes -= size
		return len(old) < most
	})
	return old
}

// bodies returns what the payloads and results of the entries of q take that are
// in a state, estimated from the first.
func (c *conn) bodies(q *queue, state task.State) int64 {
	var bytes, n int64
	c.on(selectBodies).int(q.num).int(int64(state)).int(sampleSize).each(func(r *row) {
		bytes += r.int()
		n++
	})
	if n == 0 {
		return 0
	}
	return bytes * q.count[state] / n
}
