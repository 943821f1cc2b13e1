package brokertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// lease leases up to want.Max entries: a first pass gives each queue its share,
// a second what is missing.
func (m *Model) lease(want broker.LeaseRequest) []broker.Lease {
	var leases []broker.Lease
	take := func(name string, most int) {
		q := m.queues[name]
		for ; q != nil && most > 0 && len(q.pending) > 0 && len(leases) < want.Max; most-- {
			e := q.entries[q.pending[0]]
			q.pending = q.pending[1:]
			m.leases++
			e.State, e.token, e.Until = task.Active, fmt.Sprintf("token %d", m.leases), broker.CeilSecond(want.Until)
			l := broker.Lease{Entry: e.shown().Entry, Token: e.token, Until: e.Until}
			for _, key := range e.Reads {
				l.Documents = append(l.Documents, m.document(e.Home, key))
			}
			leases = append(leases, l)
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

// Extend implements [broker.Broker].
func (m *Model) Extend(ctx context.Context, _, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	if err := m.ask(ctx, broker.CheckExtend(leases)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var held []broker.Held
	for _, l := range leases {
		e := m.entry(l.EntryRef)
		if e == nil || e.State != task.Active || e.token != l.Token {
			held = append(held, broker.Lost)
			continue
		}
		e.Until = broker.CeilSecond(until)
		held = append(held, broker.Kept)
	}
	return held, nil
}

// Advance implements [broker.Broker].
func (m *Model) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if err := m.ask(ctx, r.Check()); err != nil {
		return broker.Advanced{}, err
	}
	defer m.mu.Unlock()
	var a broker.Advanced
	for _, name := range r.Queues {
		if q := m.queues[name]; q != nil {
			q.advance(now, &a, r.Limit)
		}
		closed := first(m.closing(name), now, r.Limit-a.Total(), func(h broker.Home) time.Time { return m.homes[h].close })
		for _, home := range closed {
			delete(m.homes, home)
		}
		a.Closed += len(closed)
	}
	if a.Total() == r.Limit {
		a.Next = now
		return a, nil
	}
	a.Next = m.next(r.Queues)
	return a, nil
}

// advance does what is due in q, as long as a has not reached limit.
func (q *modelQueue) advance(now time.Time, a *broker.Advanced, limit int) {
	due := first(q.in(task.Scheduled, task.Retry), now, limit-a.Total(), (*modelEntry).next)
	for _, e := range due {
		q.ready(now, e)
	}
	a.Due += len(due)
	ended := first(q.in(task.Active), now, limit-a.Total(), (*modelEntry).next)
	q.again(now, ended...)
	a.Recovered += len(ended)
	past := first(q.in(task.Completed), now, limit-a.Total(), (*modelEntry).next)
	for _, e := range past {
		delete(q.entries, e.ID)
	}
	a.Expired += len(past)
}

// first returns those of ordered whose time is not after now, at most most.
func first[T any](ordered []T, now time.Time, most int, when func(T) time.Time) []T {
	for i, v := range ordered {
		if i >= most || when(v).After(now) {
			return ordered[:i]
		}
	}
	return ordered
}

// closing returns the homes beside a queue that are to be closed, in order of
// the time and then of their ids.
func (m *Model) closing(queue string) []broker.Home {
	var homes []broker.Home
	for name, h := range m.homes {
		if name.Queue == queue && !h.close.IsZero() {
			homes = append(homes, name)
		}
	}
	slices.SortFunc(homes, func(a, b broker.Home) int {
		if c := m.homes[a].close.Compare(m.homes[b].close); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return homes
}

// next returns the earliest time that something in queues waits for, or zero.
func (m *Model) next(queues []string) time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, name := range queues {
		if q := m.queues[name]; q != nil {
			for _, e := range q.in(task.Scheduled, task.Retry, task.Active, task.Completed) {
				sooner(e.next())
			}
		}
		for _, home := range m.closing(name) {
			sooner(m.homes[home].close)
		}
	}
	return next
}
