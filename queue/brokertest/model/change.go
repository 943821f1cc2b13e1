package model

import (
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// check makes the checks of c against what is there, in the order of the
// fields of [broker.Change], and returns the first fault.
func (m *Model) check(now time.Time, c broker.Change) error {
	for _, s := range c.Settle {
		if !m.holds(broker.LeaseRef{EntryRef: s.Entry.EntryRef, Token: s.Token}) {
			return broker.LeaseLost(s.Entry.EntryRef)
		}
	}
	for _, move := range c.Move {
		if err := m.checkMove(now, move); err != nil {
			return err
		}
	}
	for _, r := range c.Replace {
		if err := m.checkReplacement(now, r); err != nil {
			return err
		}
	}
	for _, ref := range c.Watch {
		if m.entry(ref) == nil {
			return broker.EntryNotFound(ref)
		}
	}
	if err := m.checkDocuments(c); err != nil {
		return err
	}
	if err := m.checkQuota(c); err != nil {
		return err
	}
	for _, e := range c.Enqueue {
		if m.entry(e.EntryRef) != nil {
			return &broker.ExistsError{Entry: e.EntryRef}
		}
		if holder := m.refuser(now, e); holder != "" {
			return &broker.ClaimedError{Entry: e.EntryRef, Key: e.Claim.Key, Holder: holder}
		}
	}
	return m.checkLatches(c)
}

func (m *Model) checkDocuments(c broker.Change) error {
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
	return nil
}

// holds reports whether a lease is held.
func (m *Model) holds(l broker.LeaseRef) bool {
	e := m.entry(l.EntryRef)
	return e != nil && e.token != "" && e.token == l.Token
}

// write makes the writes of c, whose checks have passed.
func (m *Model) write(now time.Time, c broker.Change) {
	for _, s := range c.Settle {
		m.settle(now, s)
	}
	for _, move := range c.Move {
		if m.checkMove(now, move) == nil { // not so if the change has done something else to it
			m.move(now, move)
		}
	}
	for _, r := range c.Replace {
		if e := m.entry(r.Entry.EntryRef); e != nil && e.waits() {
			m.replace(now, e, r)
		}
	}
	for _, ref := range c.Watch {
		if e := m.entry(ref); e != nil {
			e.watched = true
		}
	}
	for _, p := range c.Put {
		h := m.home(c.Home)
		h.version++
		h.documents[p.Key] = broker.Document{Key: p.Key, Version: h.version, Body: append([]byte(nil), p.Body...)}
	}
	for _, e := range c.Enqueue {
		m.addIfNew(now, e)
	}
	m.writeLatches(now, c)
	if len(c.Drain) > 0 {
		m.home(c.Home).drain = keptAll(c.Drain)
	}
	if c.List != nil {
		m.home(c.Home).list(*c.List)
	}
	if !c.Close.IsZero() {
		m.home(c.Home).close = broker.CeilMilli(c.Close)
	}
}

// addIfNew adds e and takes its claim, unless its id exists.
func (m *Model) addIfNew(now time.Time, e broker.Entry) {
	if m.entry(e.EntryRef) != nil {
		return
	}
	q := m.queue(e.Queue)
	added := &entry{Stored: broker.Stored{Entry: kept(e)}}
	added.Crashes, added.Claim.Behind = 0, false
	m.rewritten(added)
	q.entries[e.ID] = added
	if e.Claim.Key != "" && !m.take(now, added, e.Claim) {
		m.waitBehind(now, added)
		return
	}
	m.wait(now, added, e.DueAt)
}

// rewritten gives e a version of its own.
func (m *Model) rewritten(e *entry) { e.Version = fmt.Sprint(m.number()) }

// enter puts e in a state, and tells of it.
func (m *Model) enter(now time.Time, e *entry, state task.State) {
	e.State = state
	m.events.add(now, e.EntryRef, state)
}

// leave takes e out of where it is: of the line, of its batch, from behind a
// claim. It has no lease, no due time and no state from then on.
func (m *Model) leave(e *entry) {
	q := m.queues[e.Queue]
	if e.State == task.Pending {
		q.unline(e.ID)
	}
	if e.Claim.Behind {
		delete(q.behind, e.Claim.Key)
		e.Claim.Behind = false
	}
	token := e.token
	if token != "" {
		q.leases--
	}
	e.token, e.Until, e.DueAt, e.CancelAsked = "", time.Time{}, time.Time{}, false
	e.State = 0
	if q.batches[token] != nil && len(q.members(token)) == 0 {
		delete(q.batches, token)
	}
}

// wait puts e, which is nowhere, where it waits for due: among the scheduled
// ones, or where it is ready.
func (m *Model) wait(now time.Time, e *entry, due time.Time) {
	if due.After(now) {
		e.DueAt = broker.CeilMilli(due)
		m.queues[e.Queue].awaits(e.DueAt)
		m.enter(now, e, task.Scheduled)
		return
	}
	m.ready(now, e)
}

// ready puts e at the back of the entries to be leased, or in its group.
func (m *Model) ready(now time.Time, e *entry) {
	m.leave(e)
	e.moved, e.ready = now, now
	if e.Group != "" {
		m.join(e)
		m.enter(now, e, task.Aggregating)
		return
	}
	m.queues[e.Queue].lineUp(e)
	m.enter(now, e, task.Pending)
}

// again puts entries whose leases have ended at the front, the first one first.
func (m *Model) again(now time.Time, ended ...*entry) {
	for i := len(ended) - 1; i >= 0; i-- {
		e := ended[i]
		m.leave(e)
		e.moved, e.ready = now, now
		m.queues[e.Queue].lineUpFirst(e)
		m.enter(now, e, task.Pending)
	}
}
