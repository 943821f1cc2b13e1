package model

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// waits reports whether e waits to be run or folded, so that it may be replaced.
func (e *entry) waits() bool {
	switch e.State {
	case task.Pending, task.Scheduled, task.Retry:
		return true
	default:
		return e.State == task.Aggregating && !e.frozen()
	}
}

func (m *Model) checkReplacement(now time.Time, r broker.Replacement) error {
	e := m.entry(r.Entry.EntryRef)
	if e == nil {
		return broker.EntryNotFound(r.Entry.EntryRef)
	}
	if !e.waits() {
		return &broker.StateError{Entry: e.EntryRef, State: e.State, Frozen: e.frozen()}
	}
	if r.If != "" {
		if r.If != e.Version {
			return broker.EntryChanged(e.EntryRef)
		}
		return nil
	}
	q, key := m.queues[e.Queue], r.Entry.Claim.Key
	if holder := q.holder(now, key); holder != e.ID && q.behind[key] != e.ID {
		if holder == "" {
			holder = q.behind[key]
		}
		return &broker.ClaimedError{Entry: e.EntryRef, Key: key, Holder: holder}
	}
	return nil
}

// replace overwrites e, which waits.
func (m *Model) replace(now time.Time, e *entry, r broker.Replacement) {
	old := e.Entry
	e.Entry = kept(r.Entry)
	e.Group, e.Home, e.Reads, e.Exit = old.Group, old.Home, old.Reads, old.Exit
	e.Crashes, e.DueAt, e.Claim = old.Crashes, old.DueAt, old.Claim
	m.reclaim(now, e, r)
	m.rewritten(e)
	if !r.Entry.DueAt.IsZero() && !e.Claim.Behind {
		m.leave(e)
		m.wait(now, e, r.Entry.DueAt)
	}
}

// reclaim has the claim of e, which stays as it was, end as r says.
func (m *Model) reclaim(now time.Time, e *entry, r broker.Replacement) {
	says := r.Entry.Claim
	if says.Key != e.Claim.Key || says.Key == "" {
		return
	}
	behind := e.Claim.Behind
	e.Claim = kept(r.Entry).Claim
	e.Claim.Behind = behind
	if c := m.queues[e.Queue].claims[says.Key]; c != nil && c.holder == e.ID && says.TTL > 0 {
		m.take(now, e, says)
	}
}
