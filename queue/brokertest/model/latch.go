package model

import (
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

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

// writeLatches opens, feeds and reaches the latches of c's home. Arrivals that
// latches make as they complete wait behind those that wait already.
func (m *Model) writeLatches(now time.Time, c broker.Change) {
	var arrivals []broker.Arrival
	for _, l := range c.Open {
		m.home(c.Home).latches[l.ID] = opened(l)
	}
	for _, l := range c.Open {
		arrivals = append(arrivals, m.completeIfAllArrived(now, m.latch(c.Home, l.ID))...)
	}
	for _, f := range c.Feed {
		m.feed(now, m.latch(c.Home, f.Latch), f.Entries)
	}
	arrivals = append(arrivals, c.Arrive...)
	for len(arrivals) > 0 {
		a := arrivals[0]
		arrivals = append(arrivals[1:], m.arrive(now, m.latch(c.Home, a.Latch), a)...)
	}
}

// opened returns a copy of l to which nothing has happened.
func opened(l broker.Latch) *latch {
	for _, part := range []*broker.Part{&l.Then, &l.Else} {
		part.Arrive = slices.Clone(part.Arrive)
		part.Enqueue = keptAll(part.Enqueue)
	}
	return &latch{
		Latch:      l,
		LatchState: broker.LatchState{ID: l.ID, Total: l.Total},
		arrived:    make(map[int]bool),
	}
}

func keptAll(entries []broker.Entry) []broker.Entry {
	var all []broker.Entry
	for _, e := range entries {
		all = append(all, kept(e))
	}
	return all
}

// feed gives l entries to release, and releases what its window lets through.
func (m *Model) feed(now time.Time, l *latch, entries []broker.Entry) {
	if l.Stopped || l.Complete {
		return
	}
	l.Fed += len(entries)
	l.waiting = append(l.waiting, keptAll(entries)...)
	m.letThrough(now, l)
}

// letThrough enqueues what waits in l, as much as its window has room for.
func (m *Model) letThrough(now time.Time, l *latch) {
	for len(l.waiting) > 0 && (l.Window == 0 || l.Released-l.Arrived < l.Window) {
		m.addIfNew(now, l.waiting[0])
		l.waiting = l.waiting[1:]
		l.Released++
	}
}

// arrive reports a member to l, and returns the arrivals that l makes if it
// completes by that.
func (m *Model) arrive(now time.Time, l *latch, a broker.Arrival) []broker.Arrival {
	if l.Complete || l.arrived[a.Member] {
		return nil
	}
	l.arrived[a.Member] = true
	l.Arrived++
	if a.Mark {
		l.Marked++
		if l.Marked == l.StopAt {
			l.Stopped, l.waiting = true, nil
		}
	}
	made := m.completeIfAllArrived(now, l)
	m.letThrough(now, l)
	return made
}

// completeIfAllArrived completes l if nothing is missing: it enqueues the
// entries of Then or Else, and returns their arrivals.
func (m *Model) completeIfAllArrived(now time.Time, l *latch) []broker.Arrival {
	all := l.Arrived == l.Latch.Total || l.Stopped && l.Arrived >= l.Released
	if !all {
		return nil
	}
	l.Complete, l.waiting = true, nil
	part := l.Then
	if l.Marked > l.Tolerate {
		part = l.Else
	}
	for _, e := range part.Enqueue {
		m.addIfNew(now, e)
	}
	return part.Arrive
}
