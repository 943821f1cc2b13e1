package model

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// lease leases up to want.Max entries: a first pass gives each queue its share,
// a second what is missing.
func (m *Model) lease(now time.Time, want broker.LeaseRequest) []broker.Lease {
	var leases []broker.Lease
	take := func(name string, most int) {
		q := m.queues[name]
		for ; q != nil && !m.paused[name] && most > 0 && len(q.pending) > 0 && len(leases) < want.Max; most-- {
			leases = append(leases, m.leaseNext(now, q, want.Until))
		}
	}
	for _, share := range want.Queues {
		take(share.Queue, share.First)
	}
	for _, share := range want.Queues {
		take(share.Queue, want.Max)
	}
	return leases
}

// leaseNext leases the first of the pending entries of q.
func (m *Model) leaseNext(now time.Time, q *queue, until time.Time) broker.Lease {
	e := q.entries[q.pending[0]]
	q.beginLease(now)
	m.leave(e)
	q.leases++
	l := e.leased(now, fmt.Sprintf("token %d", m.number()), until)
	m.enter(now, e, task.Active)
	m.started(now, e)
	for _, key := range e.Reads {
		l.Documents = append(l.Documents, m.document(e.Home, key))
	}
	return l
}

// leased puts e under a lease, and returns that without documents.
func (e *entry) leased(now time.Time, token string, until time.Time) broker.Lease {
	e.token, e.began, e.Until = token, broker.CeilMilli(now), broker.CeilSecond(until)
	l := e.lease()
	l.Ready, l.Lost = broker.CeilMilli(e.ready), e.lost
	e.lost = nil
	return l
}

// lease returns the lease that e is under, as it is told again.
func (e *entry) lease() broker.Lease {
	l := broker.Lease{Entry: e.shown().Entry, Token: e.token, Until: e.Until}
	l.Entry.Exit = nil
	return l
}

// How long nobody may have called Advance while there were leases, and how long
// none is taken back then.
const (
	away  = 5 * time.Second
	grace = 5 * time.Second
)

// beginLease notes that there are leases from now on, if there were none.
func (q *queue) beginLease(now time.Time) {
	if q.leases == 0 {
		q.seen = now
	}
}

// see notes that Advance is called for q.
func (q *queue) see(now time.Time) {
	if q.leases > 0 && now.Sub(q.seen) > away {
		q.grace = broker.CeilMilli(now.Add(grace))
	}
	q.seen = now
}

// takenBack returns when a lease that ends at until is taken back.
func (q *queue) takenBack(until time.Time) time.Time {
	if until.Before(q.grace) {
		return q.grace
	}
	return until
}

// Holds reports whether a lease is held: its entry is under it, and is under no
// other.
func (m *Model) Holds(l broker.LeaseRef) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.holds(l)
}

// Extend implements [broker.Broker].
func (m *Model) Extend(ctx context.Context, _, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	if err := m.ask(ctx, broker.CheckExtend(leases)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var all []broker.Held
	for _, l := range leases {
		held := m.held(l)
		if e := m.entry(l.EntryRef); held != broker.Lost {
			e.Until = broker.CeilSecond(until)
			if e.frozen() {
				m.queues[l.Queue].extendBatch(l.Token, e.Until)
			}
		}
		all = append(all, held)
	}
	return all, nil
}

// held says what has become of a lease.
func (m *Model) held(l broker.LeaseRef) broker.Held {
	switch {
	case !m.holds(l):
		return broker.Lost
	case m.entry(l.EntryRef).CancelAsked:
		return broker.Asked
	default:
		return broker.Kept
	}
}

// Report implements [broker.Operator].
func (m *Model) Report(ctx context.Context, _ time.Time, reports ...broker.Progress) ([]broker.Held, error) {
	if err := m.ask(ctx, broker.CheckReport(reports)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var all []broker.Held
	for _, r := range reports {
		held := m.held(r.LeaseRef)
		if held != broker.Lost {
			e := m.entry(r.EntryRef)
			e.Progress = append([]byte(nil), r.Data...)
			if e.watched {
				m.tell(broker.ProgressSeen, e.EntryRef)
			}
		}
		all = append(all, held)
	}
	return all, nil
}
