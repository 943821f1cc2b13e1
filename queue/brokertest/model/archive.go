package model

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// trimMost is how many of the oldest archived entries are looked at in a call.
const trimMost = 500

// trim deletes archived entries that keep has no room for, the oldest first, at
// most most, and returns how many.
func (m *Model) trim(now time.Time, q *queue, keep broker.ArchiveLimits, most int) int {
	n := min(q.excess(now, keep), most, trimMost)
	if n <= 0 {
		return 0
	}
	for _, e := range q.in(task.Archived)[:n] {
		m.remove(now, e, others)
	}
	return n
}

// excess returns how many of the oldest archived entries keep has no room for.
func (q *queue) excess(now time.Time, keep broker.ArchiveLimits) int {
	if keep == (broker.ArchiveLimits{}) {
		return 0
	}
	var size int64
	archived := q.in(task.Archived)
	for _, e := range archived {
		size += e.size()
	}
	for i, e := range archived {
		tooMany := keep.Count > 0 && len(archived)-i > keep.Count
		tooOld := keep.Age > 0 && !e.next().Add(keep.Age).After(now)
		tooLarge := keep.Bytes > 0 && size > keep.Bytes
		if !tooMany && !tooOld && !tooLarge {
			return i
		}
		size -= e.size()
	}
	return len(archived)
}

// overfull reports whether an archive has still too much in it.
func (m *Model) overfull(now time.Time, r broker.AdvanceRequest) bool {
	for _, name := range r.Queues {
		if q := m.queues[name]; q != nil && q.excess(now, r.Keep) > 0 {
			return true
		}
	}
	return false
}

// size is how much of an archive e takes up.
func (e *entry) size() int64 { return int64(len(e.Payload) + len(e.Result)) }
