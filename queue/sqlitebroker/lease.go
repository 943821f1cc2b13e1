package sqlitebroker

import (
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

var (
	selectReady = prepared(`SELECT num, ready, ` + leasedColumns + ` FROM leat_entry
		WHERE queue = ? AND state = ? ORDER BY at, id LIMIT ?`)
	leaseEntry = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, token = ?4 WHERE num = ?1`)
	parkEntry  = prepared(`UPDATE leat_entry SET state = ?2, at = ?3, ended = ?4, last_error = ?5 WHERE num = ?1`)
)

// A found entry is one that is next in line.
type found struct {
	num   int64
	ready time.Time
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
		if q := t.queue(name); q != nil && !q.paused {
			t.leaseFrom(q, now, until, min(most, want.Max-len(applied.Leases)), applied)
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
func (t *tx) leaseFrom(q *queue, now, until time.Time, most int, applied *broker.Applied) {
	for most > 0 && q.count[task.Pending] > 0 && len(applied.Parked) < broker.MaxParts && t.err == nil {
		next := t.next(q, most)
		applied.Leases = slices.Grow(applied.Leases, len(next))
		for i := range next {
			f := &next[i]
			if f.err != nil {
				applied.Parked = append(applied.Parked, t.park(q, task.Pending, now, f))
				continue
			}
			applied.Leases = append(applied.Leases, t.leaseOne(q, now, until, f))
			most--
		}
		if len(next) == 0 {
			return
		}
		clear(next)
	}
}

// next returns the next most entries of q. What it returned before is overwritten.
func (t *tx) next(q *queue, most int) []found {
	t.line = t.line[:0]
	t.on(selectReady).int(q.num).int(int64(task.Pending)).int(int64(most)).each(func(r *row) {
		t.line = append(t.line, r.found(q))
	})
	return t.line
}

// found reads the number of an entry of q, since when it is ready, and leasedColumns.
func (r *row) found(q *queue) found {
	num, ready := r.int(), r.milli()
	s, err := r.entry(q.name)
	return found{num, ready, s.Entry, err}
}

func (t *tx) leaseOne(q *queue, now, until time.Time, f *found) broker.Lease {
	l := t.lend(f, newToken(now), until)
	t.on(leaseEntry).int(f.num).int(int64(task.Active)).int(milli(until)).text(l.Token).exec()
	t.beginLeases(q, now)
	q.add(task.Pending, -1)
	t.came(now, q, l.Entry.ID, "", task.Active)
	t.started(now, q, &l.Entry)
	if len(l.Entry.Reads) > 0 {
		h := t.home(l.Entry.Home)
		for _, key := range l.Entry.Reads {
			l.Documents = append(l.Documents, t.document(h, key))
		}
	}
	return l
}

// lend returns the lease of f with a token.
func (t *tx) lend(f *found, token string, until time.Time) broker.Lease {
	l := broker.Lease{Entry: f.entry, Token: token, Until: until, Ready: f.ready}
	if l.Entry.Crashes > 0 {
		l.Lost = t.lost(f.num)
	}
	return l
}

// started frees the claim of e, which is leased, if it is only until then.
func (t *tx) started(now time.Time, q *queue, e *broker.Entry) {
	if e.Claim.UntilStart {
		t.free(now, q, freeClaim, e.Claim.Key, e.ID)
	}
}

// park archives an entry that cannot be read, with the reason. That is not its
// end: its claim is kept.
func (t *tx) park(q *queue, from task.State, now time.Time, f *found) broker.Parked {
	t.on(parkEntry).int(f.num).int(int64(task.Archived)).int(ceilSecond(now)).int(int64(broker.Undecodable)).text(f.err.Error()).exec()
	t.moved(now, &known{q: q, num: f.num, id: f.entry.ID, state: from, group: f.entry.Group}, task.Archived)
	return broker.Parked{EntryRef: f.entry.EntryRef, Err: f.err}
}
