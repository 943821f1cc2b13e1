package brokertest

import (
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// check makes the checks of c against what is there, in the order of the
// fields of [broker.Change], and returns the first fault.
func (m *Model) check(now time.Time, c broker.Change) error {
	for _, s := range c.Settle {
		if e := m.entry(s.Entry.EntryRef); e == nil || e.State != task.Active || e.token != s.Token {
			return broker.LeaseLost(s.Entry.EntryRef)
		}
	}
	for _, r := range c.Require {
		if d := m.document(c.Home, r.Key); d.Version != r.Version {
			return &broker.ConflictError{Home: c.Home, Document: d}
		}
	}
	for _, p := range c.Put {
		if d := m.document(c.Home, p.Key); p.If != broker.AnyVersion && d.Version != p.If {
			return &broker.ConflictError{Home: c.Home, Document: d}
		}
	}
	for _, e := range c.Enqueue {
		if m.entry(e.EntryRef) != nil {
			return &broker.ExistsError{Entry: e.EntryRef}
		}
		if holder := m.holder(now, e.Queue, e.Claim.Key); holder != "" {
			return &broker.ClaimedError{Entry: e.EntryRef, Key: e.Claim.Key, Holder: holder}
		}
	}
	return m.checkLatches(c)
}

// holder returns the id of the entry that holds a claim at now, or "".
func (m *Model) holder(now time.Time, queue, key string) string {
	if q := m.queues[queue]; q != nil {
		if held, ok := q.claims[key]; ok && now.Before(held.until) {
			return held.holder
		}
	}
	return ""
}

func (m *Model) checkLatches(c broker.Change) error {
	total := func(id string) int { // of a latch that is there or opened with c
		if l := m.latch(c.Home, id); l != nil {
			return l.Latch.Total
		}
		for _, l := range c.Open {
			if l.ID == id {
				return l.Total
			}
		}
		return -1
	}
	arrivals := func(arrive []broker.Arrival) error {
		for _, a := range arrive {
			if a.Member >= total(a.Latch) {
				return broker.LatchNotFound(c.Home, a.Latch)
			}
		}
		return nil
	}
	for _, l := range c.Open {
		if m.latch(c.Home, l.ID) != nil {
			return &broker.ExistsError{Latch: l.ID}
		}
		if err := arrivals(slices.Concat(l.Then.Arrive, l.Else.Arrive)); err != nil {
			return err
		}
	}
	for _, f := range c.Feed {
		if total(f.Latch) < 0 {
			return broker.LatchNotFound(c.Home, f.Latch)
		}
	}
	return arrivals(c.Arrive)
}

// write makes the writes of c, whose checks have passed.
func (m *Model) write(now time.Time, c broker.Change) {
	for _, s := range c.Settle {
		m.settle(now, s)
	}
	for _, p := range c.Put {
		h := m.home(c.Home)
		h.version++
		h.documents[p.Key] = broker.Document{Key: p.Key, Version: h.version, Body: slices.Clone(p.Body)}
	}
	for _, e := range c.Enqueue {
		m.add(now, e)
	}
	m.writeLatches(now, c)
	if !c.Close.IsZero() {
		m.home(c.Home).close = broker.CeilMilli(c.Close)
	}
}

// add adds e, ready or scheduled, and takes its claim.
func (m *Model) add(now time.Time, e broker.Entry) {
	q := m.queue(e.Queue)
	added := &modelEntry{Stored: broker.Stored{Entry: kept(e), State: task.Scheduled}}
	q.entries[e.ID] = added
	if !e.DueAt.After(now) {
		q.ready(now, added)
	}
	if e.Claim.Key != "" {
		q.claims[e.Claim.Key] = modelClaim{e.ID, now.Add(e.Claim.TTL.Truncate(time.Second))}
	}
}

// ready puts e at the back of the entries to be leased.
func (q *modelQueue) ready(now time.Time, e *modelEntry) {
	e.State, e.DueAt, e.moved = task.Pending, time.Time{}, now
	q.pending = append(q.pending, e.ID)
}

// again puts entries whose leases have ended at the front, the first one first.
func (q *modelQueue) again(now time.Time, ended ...*modelEntry) {
	var ids []string
	for _, e := range ended {
		e.State, e.token, e.Until, e.moved = task.Pending, "", time.Time{}, now
		ids = append(ids, e.ID)
	}
	q.pending = slices.Concat(ids, q.pending)
}

// settle ends the lease of an entry and does to it what the outcome says.
func (m *Model) settle(now time.Time, s broker.Settlement) {
	q, e := m.queues[s.Entry.Queue], m.entry(s.Entry.EntryRef)
	if s.To == broker.Released {
		q.again(now, e)
		return
	}
	e.token, e.Until = "", time.Time{}
	e.Retried, e.LastErr = s.Entry.Retried, s.Entry.LastErr
	e.LastFailedAt = s.Entry.LastFailedAt.Truncate(time.Second)
	e.CompletedAt = s.Entry.CompletedAt.Truncate(time.Second)
	if s.Result != nil {
		e.Result = slices.Clone(s.Result)
	}
	switch s.To {
	case broker.Done:
		delete(q.entries, e.ID)
		q.unclaim(e)
		q.count(now, 1, 0)
	case broker.Completed:
		e.State, e.Until = task.Completed, broker.CeilSecond(s.At)
		q.unclaim(e)
		q.count(now, 1, 0)
	case broker.Retry:
		e.State, e.DueAt = task.Retry, broker.CeilMilli(s.At)
		if s.Failed {
			q.count(now, 1, 1)
		}
	case broker.Archived:
		e.State, e.moved = task.Archived, now
		q.count(now, 1, 1)
	}
}

// unclaim frees the claim of e if e holds it.
func (q *modelQueue) unclaim(e *modelEntry) {
	if q.claims[e.Claim.Key].holder == e.ID {
		delete(q.claims, e.Claim.Key)
	}
}

func (q *modelQueue) count(now time.Time, processed, failed int) {
	day := now.UTC().Format(time.DateOnly)
	today := q.days[day]
	q.days[day] = figures{today.processed + processed, today.failed + failed}
	q.ever = figures{q.ever.processed + processed, q.ever.failed + failed}
}
