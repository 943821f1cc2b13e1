package sqlitebroker

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A queue is a row of leat_queue and what is to be added to it.
type queue struct {
	num        int64
	name       string
	head, tail int64 // pending entries lie at places head to tail-1
	count      [task.Aggregating + 1]int64
	figures
	version  int64 // of the entry written last
	joined   int64 // the number of the last join of a group
	advanced int64 // when it was last advanced, or began to have leases, in nanoseconds
	grace    int64 // until then no lease is taken back
	paused   bool
	day      int64 // that today is about
	today    figures
	changed  bool

	// What is noted for wakes: that an entry has become ready, that one has joined a
	// group, and the earliest time that one waits for; 0: none.
	readied bool
	grouped bool
	due     int64
}

// figures count outcomes.
type figures struct{ processed, failed int64 }

const queueColumns = `num, name, head, tail, pending, active, scheduled, retry, archived, completed, aggregating,
	processed, failed, version, joined, advanced, grace, EXISTS (SELECT 1 FROM leat_paused p WHERE p.name = leat_queue.name)`

var (
	selectQueue = prepared(`SELECT ` + queueColumns + ` FROM leat_queue WHERE name = ?`)
	insertQueue = prepared(`INSERT INTO leat_queue (name) VALUES (?)`)
	updateQueue = prepared(`UPDATE leat_queue SET head = ?2, tail = ?3,
		pending = ?4, active = ?5, scheduled = ?6, retry = ?7, archived = ?8, completed = ?9, aggregating = ?10,
		processed = ?11, failed = ?12, version = ?13, joined = ?14, advanced = ?15, grace = ?16 WHERE num = ?1`)

	addToDay = prepared(`INSERT INTO leat_day (queue, day, processed, failed) VALUES (?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET processed = processed + excluded.processed, failed = failed + excluded.failed`)
	selectDay  = prepared(`SELECT processed, failed FROM leat_day WHERE queue = ? AND day = ?`)
	deleteDays = prepared(`DELETE FROM leat_day WHERE queue = ?1 AND day IN
		(SELECT day FROM leat_day WHERE queue = ?1 AND day < ?2 ORDER BY day LIMIT ?3)`)
)

// counted are the states in the order of queueColumns.
var counted = [...]task.State{task.Pending, task.Active, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating}

// queue reads the columns of queueColumns.
func (r *row) queue() *queue {
	q := &queue{num: r.int(), name: r.text(), head: r.int(), tail: r.int()}
	for _, state := range counted {
		q.count[state] = r.int()
	}
	q.processed, q.failed = r.int(), r.int()
	q.version, q.joined, q.advanced, q.grace, q.paused = r.int(), r.int(), r.int(), r.int(), r.flag()
	return q
}

// queue returns the queue of that name, or nil.
func (c *conn) queue(name string) (q *queue) {
	c.on(selectQueue).text(name).first(func(r *row) { q = r.queue() })
	return q
}

// queue returns the queue of that name as t has left it, or nil.
func (t *tx) queue(name string) *queue {
	q, known := t.queues[name]
	if !known {
		q = t.conn.queue(name)
		t.queues[name] = q
	}
	return q
}

// madeQueue returns the queue of that name, which comes into being by that.
func (t *tx) madeQueue(name string) *queue {
	q := t.queue(name)
	if q == nil {
		t.on(insertQueue).text(name).exec()
		q = &queue{num: t.db.LastInsertRowID(), name: name, changed: true}
		q.paused = t.on(selectPaused).text(name).first(func(*row) {})
		t.queues[name] = q
	}
	return q
}

func (t *tx) flushQueue(q *queue) {
	if q == nil || !q.changed {
		return
	}
	s := t.on(updateQueue).int(q.num).int(q.head).int(q.tail)
	for _, state := range counted {
		s.int(q.count[state])
	}
	q.changed = false
	s.int(q.processed).int(q.failed).int(q.version).int(q.joined).any(q.advanced).any(q.grace).exec()
	t.flushDay(q)
}

func (t *tx) flushDay(q *queue) {
	if q.today != (figures{}) {
		t.on(addToDay).int(q.num).int(q.day).int(q.today.processed).int(q.today.failed).exec()
		q.today = figures{}
	}
}

// add counts n more entries in state.
func (q *queue) add(state task.State, n int) {
	q.count[state] += int64(n)
	q.changed = true
}

// written returns the version of the entry that is written next.
func (q *queue) written() int64 {
	q.version++
	q.changed = true
	return q.version
}

// back returns the place behind all pending entries, for one more.
func (q *queue) back() int64 {
	q.tail++
	return q.tail - 1
}

// front returns the first of n places before all pending entries, for n more.
func (q *queue) front(n int) int64 {
	q.head -= int64(n)
	return q.head
}

// processed counts an outcome, and whether it was a failure.
func (t *tx) processed(q *queue, now time.Time, failure bool) {
	if day := dayOf(now); q.day != day { // calls of two days may share a transaction
		t.flushDay(q)
		q.day = day
	}
	q.changed = true
	q.today.processed++
	q.figures.processed++
	if failure {
		q.today.failed++
		q.figures.failed++
	}
}

// keptDays is how long the figures of a day are kept.
const keptDays = broker.MaxHistory

// forgetDays deletes figures that are too old, a few at a time.
func (t *tx) forgetDays(q *queue, now time.Time) {
	const most = 100
	t.on(deleteDays).int(q.num).int(dayOf(now) - keptDays).int(most).exec()
}

// dayOf returns the day of t in UTC, counted from 1970.
func dayOf(t time.Time) int64 { return t.Unix() / secondsOfDay }

const secondsOfDay = 24 * 60 * 60
