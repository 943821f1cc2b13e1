package model

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Advance implements [broker.Broker].
func (m *Model) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if err := m.ask(ctx, r.Check()); err != nil {
		return broker.Advanced{}, err
	}
	defer m.end()
	var a broker.Advanced
	for _, name := range r.Queues {
		if q := m.queues[name]; q != nil {
			q.see(now)
		}
	}
	for _, name := range r.Queues {
		m.advance(now, name, r, &a)
	}
	m.drain(now)
	a.Next = m.next(r.Queues)
	if a.Total() == r.Limit || m.overfull(now, r) {
		a.Next = now
	}
	return a, nil
}

// advance does what is due in a queue and beside it, as long as a has not
// reached the limit.
func (m *Model) advance(now time.Time, name string, r broker.AdvanceRequest, a *broker.Advanced) {
	rest := func() int { return r.Limit - a.Total() }
	q := m.queues[name]
	if q != nil {
		a.Due += m.makeReady(now, q, rest())
		m.recover(now, q, rest(), a)
		a.Expired += m.expire(now, q, rest())
	}
	closed := first(m.closing(name), now, rest(), func(h broker.Home) time.Time { return m.homes[h].close })
	for _, home := range closed {
		delete(m.homes, home)
	}
	a.Closed += len(closed)
	if q != nil {
		a.Returned += m.giveBack(now, q, rest())
		a.Trimmed += m.trim(now, q, r.Keep, rest())
	}
}

// makeReady has entries become ready whose time has come. Those that are still
// behind a claim wait on.
func (m *Model) makeReady(now time.Time, q *queue, most int) (n int) {
	for _, e := range q.in(task.Scheduled, task.Retry) {
		switch {
		case n >= most || e.DueAt.After(now):
			return n
		case !e.Claim.Behind:
			m.ready(now, e)
			n++
		case q.holder(now, e.Claim.Key) != "":
			e.DueAt = broker.CeilMilli(now.Add(broker.BehindRetry))
			q.awaits(e.DueAt)
		default:
			m.takeUp(now, e)
			n++
		}
	}
	return n
}

// recover takes back the entries whose leases have run out: they are next, or
// archived if they were to be cancelled.
func (m *Model) recover(now time.Time, q *queue, most int, a *broker.Advanced) {
	var back []*entry
	for _, e := range first(q.in(task.Active), now, most, func(e *entry) time.Time { return q.takenBack(e.Until) }) {
		e.crashed(now)
		if e.CancelAsked {
			m.archive(now, e, broker.Cancelled, others)
			a.Cancelled++
			continue
		}
		back = append(back, e)
		a.Recovered++
	}
	m.again(now, back...)
}

// expire deletes completed entries at the end of their retention.
func (m *Model) expire(now time.Time, q *queue, most int) int {
	past := first(q.in(task.Completed), now, most, (*entry).next)
	for _, e := range past {
		m.remove(now, e, own)
	}
	return len(past)
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
			for _, e := range q.in(task.Scheduled, task.Retry, task.Completed) {
				sooner(e.next())
			}
			for _, e := range q.entries {
				if e.token != "" {
					sooner(q.takenBack(e.Until))
				}
			}
		}
		for _, home := range m.closing(name) {
			sooner(m.homes[home].close)
		}
	}
	return next
}
