package model

import (
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// settle ends the lease of an entry and does to it what the outcome says.
func (m *Model) settle(now time.Time, s broker.Settlement) {
	q, e := m.queues[s.Entry.Queue], m.entry(s.Entry.EntryRef)
	m.mark(e, s)
	if e.CancelAsked && (s.To == broker.Retry || s.To == broker.Released) {
		if s.To == broker.Retry {
			m.record(e, s)
		}
		m.archive(now, e, broker.Cancelled, others)
		q.count(now, 1, 0)
		return
	}
	if s.To == broker.Released {
		m.release(now, e)
		return
	}
	m.record(e, s)
	switch {
	case s.To == broker.Done && !e.watched:
		m.remove(now, e, own)
		q.count(now, 1, 0)
	case s.To == broker.Done || s.To == broker.Completed:
		until := s.At
		if least := now.Add(broker.WatchRetention); e.watched && (s.To == broker.Done || until.Before(least)) {
			until = least
		}
		m.complete(now, e, until)
		q.count(now, 1, 0)
	case s.To == broker.Retry:
		m.leave(e)
		e.DueAt = broker.CeilMilli(s.At)
		q.awaits(e.DueAt)
		m.enter(now, e, task.Retry)
		if s.Failed {
			q.count(now, 1, 1)
		}
	case s.End == 0:
		m.archive(now, e, 0, own)
		q.count(now, 1, 1)
	default:
		m.archive(now, e, s.End, others)
		failed := 1
		if s.End == broker.Cancelled || s.End == broker.Expired {
			failed = 0
		}
		q.count(now, 1, failed)
	}
}

// mark gives e other headers, if a settlement says so.
func (m *Model) mark(e *entry, s broker.Settlement) {
	if s.Headers != nil {
		e.Headers = maps.Clone(s.Headers)
		m.rewritten(e)
	}
}

// record stores what a settlement says of its entry.
func (m *Model) record(e *entry, s broker.Settlement) {
	e.Retried, e.LastErr = s.Entry.Retried, s.Entry.LastErr
	e.LastFailedAt = s.Entry.LastFailedAt.Truncate(time.Second)
	e.CompletedAt = s.Entry.CompletedAt.Truncate(time.Second)
	e.Crashes = 0
	if s.Result != nil {
		e.Result = slices.Clone(s.Result)
	}
	if s.Attempt != nil {
		e.attempted(*s.Attempt)
	}
	m.rewritten(e)
}

// attempted adds a record of an attempt, and forgets the oldest of too many.
func (e *entry) attempted(a broker.Attempt) {
	a.Started, a.Ended = broker.CeilMilli(a.Started), broker.CeilMilli(a.Ended)
	e.Attempts = append(e.Attempts, a)
	e.Attempts = e.Attempts[max(0, len(e.Attempts)-broker.MaxAttempts):]
}

// crashed counts that the lease of e ran out, and keeps it for the next to tell.
func (e *entry) crashed(now time.Time) {
	e.Crashes++
	e.lost = &broker.LostLease{Token: e.token, Began: e.began}
	e.attempted(broker.Attempt{Ended: now, Err: broker.LeaseRanOut})
}

// release undoes the lease of e: it is next, or back in its group.
func (m *Model) release(now time.Time, e *entry) {
	if e.frozen() {
		m.leave(e)
		e.State = task.Aggregating
		m.join(e)
		return
	}
	m.again(now, e)
	e.ready = time.Time{}
}

func (q *queue) count(now time.Time, processed, failed int) {
	day := now.UTC().Format(time.DateOnly)
	today := q.days[day]
	q.days[day] = figures{today.processed + processed, today.failed + failed}
	q.ever = figures{q.ever.processed + processed, q.ever.failed + failed}
}
