package model

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A cause is what ends an entry: its own settlement, or something else, which
// is for its exit to tell.
type cause bool

const (
	own    cause = false
	others cause = true
)

// hasEnded reports whether e has ended, and is only kept.
func (e *entry) hasEnded() bool { return e.State == task.Completed || e.State == task.Archived }

// complete keeps e as completed.
func (m *Model) complete(now time.Time, e *entry, until time.Time) {
	m.leave(e)
	m.enter(now, e, task.Completed)
	e.Until = broker.CeilSecond(until)
	m.free(now, e)
	m.endSeen(e)
}

// archive keeps e as archived.
func (m *Model) archive(now time.Time, e *entry, end broker.End, by cause) {
	before := e.hasEnded()
	m.leave(e)
	m.enter(now, e, task.Archived)
	e.End, e.moved = end, now
	m.freeUnlessTTL(now, e)
	m.exit(now, e, by, before)
	m.endSeen(e)
}

// remove deletes e.
func (m *Model) remove(now time.Time, e *entry, by cause) {
	before := e.hasEnded()
	m.leave(e)
	delete(m.queues[e.Queue].entries, e.ID)
	m.events.add(now, e.EntryRef, 0)
	m.free(now, e)
	m.exit(now, e, by, before)
	m.endSeen(e)
}

// exit enqueues the exit of e, if others end it and it had not ended before.
func (m *Model) exit(now time.Time, e *entry, by cause, before bool) {
	if e.Exit != nil && by == others && !before {
		m.addIfNew(now, *e.Exit)
	}
}

func (m *Model) endSeen(e *entry) {
	if e.watched {
		m.tell(broker.EndSeen, e.EntryRef)
	}
}
