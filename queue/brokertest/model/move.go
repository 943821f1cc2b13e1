package model

import (
	"context"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func (m *Model) checkMove(now time.Time, move broker.Move) error {
	e := m.entry(move.EntryRef)
	if e == nil {
		return broker.EntryNotFound(move.EntryRef)
	}
	fault := &broker.StateError{Entry: e.EntryRef, State: e.State, Frozen: e.frozen()}
	ranOut := e.State == task.Active && !e.Until.After(now)
	switch {
	case fault.Frozen:
		return fault
	case move.Do.From(e.State), ranOut && move.Do.FromLapsed():
		return nil
	default:
		return fault
	}
}

// move does to an entry what it may be done to it.
func (m *Model) move(now time.Time, move broker.Move) {
	e := m.entry(move.EntryRef)
	switch move.Do {
	case broker.Run:
		m.rerun(now, e, now)
	case broker.Reschedule:
		m.rerun(now, e, move.At)
	case broker.Archive:
		m.archive(now, e, 0, others)
	case broker.Delete:
		m.remove(now, e, others)
	case broker.Cancel:
		if e.State != task.Active {
			m.archive(now, e, broker.Cancelled, others)
			return
		}
		e.CancelAsked = true
		m.tell(broker.CancelSent, e.EntryRef)
	}
}

// rerun has e run at due, whatever it has come to.
func (m *Model) rerun(now time.Time, e *entry, due time.Time) {
	m.leave(e)
	e.Group, e.End, e.Crashes, e.lost = "", 0, 0, nil
	m.rewritten(e)
	m.wait(now, e, due)
}

// Sweep implements [broker.Operator].
func (m *Model) Sweep(ctx context.Context, now time.Time, r broker.SweepRequest) (int, error) {
	if err := m.ask(ctx, r.Check()); err != nil {
		return 0, err
	}
	defer m.end()
	q := m.queues[r.Queue]
	if q == nil {
		return 0, nil
	}
	found := q.listed(r.State, r.Group)
	found = found[:min(r.Limit, len(found))]
	for _, e := range found {
		m.move(now, broker.Move{EntryRef: e.EntryRef, Do: r.Do})
	}
	m.drain(now)
	return len(found), nil
}
