package sqlitebroker

import (
	"crypto/rand"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectReady = prepared(`SELECT num, ` + entryColumns + ` FROM leat_entry
		WHERE queue = ? AND state = ? ORDER BY at, id LIMIT ?`)
	leaseEntry = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, token = ?4 WHERE num = ?1`)
	parkEntry  = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, last_error = ?4 WHERE num = ?1`)
)

// A found entry is one that is next in line.
type found struct {
	num   int64
	entry broker.Entry
	err   error // why it cannot be read
}

// lease leases what want asks for, and adds it to applied.
func (t *tx) lease(now time.Time, want broker.LeaseRequest, applied *broker.Applied) {
	if want.Max == 0 {
		return
	}
	until := broker.CeilSecond(want.Until)
	take := func(name string, most int) {
		if q := t.queue(name); q != nil {
			t.leaseFrom(q, name, now, until, min(most, want.Max-len(applied.Leases)), applied)
		}
	}
	for _, share := range want.Queues {
		take(share.Queue, share.First)
	}
	for _, share := range want.Queues {
		take(share.Queue, want.Max)
	}
}

// leaseFrom leases the next most entries of q. Those that cannot be read are
// parked, and others take their place.
func (t *tx) leaseFrom(q *queue, name string, now, until time.Time, most int, applied *broker.Applied) {
	for most > 0 && q.count[task.Pending] > 0 && len(applied.Parked) < broker.MaxParts && t.err == nil {
		next := t.next(q, name, most)
		for i := range next {
			f := &next[i]
			if f.err != nil {
				t.park(q, now, f)
				applied.Parked = append(applied.Parked, broker.Parked{EntryRef: f.entry.EntryRef, Err: f.err})
				continue
			}
			applied.Leases = append(applied.Leases, t.leaseOne(q, until, f))
			most--
		}
		if len(next) == 0 {
			return
		}
	}
}

// next returns the next most entries of q, and the queue's name with them.
func (t *tx) next(q *queue, name string, most int) []found {
	next := make([]found, 0, min(int64(most), q.count[task.Pending]))
	t.on(selectReady).int(q.num).int(int64(task.Pending)).int(int64(most)).each(func(r *row) {
		num := r.int()
		s, err := r.entry(name)
		next = append(next, found{num, s.Entry, err})
	})
	return next
}

func (t *tx) leaseOne(q *queue, until time.Time, f *found) broker.Lease {
	l := broker.Lease{Entry: f.entry, Token: rand.Text(), Until: until}
	t.on(leaseEntry).int(f.num).int(int64(task.Active)).int(milli(until)).text(l.Token).exec()
	q.move(task.Pending, task.Active, 1)
	if len(l.Entry.Reads) > 0 {
		h := t.home(l.Entry.Home)
		for _, key := range l.Entry.Reads {
			l.Documents = append(l.Documents, t.document(h, key))
		}
	}
	return l
}

// park archives an entry that cannot be read, with the reason.
func (t *tx) park(q *queue, now time.Time, f *found) {
	t.on(parkEntry).int(f.num).int(int64(task.Archived)).int(milli(broker.CeilSecond(now))).text(f.err.Error()).exec()
	q.move(task.Pending, task.Archived, 1)
}
