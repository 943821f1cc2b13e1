package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// lineUp puts e behind all that are pending, and lineUpFirst before them.
func (q *queue) lineUp(e *entry) {
	e.seat = 1
	if n := len(q.pending); n > 0 {
		e.seat = q.entries[q.pending[n-1]].seat + 1
	}
	q.pending, q.readied = append(q.pending, e.ID), true
}

func (q *queue) lineUpFirst(e *entry) {
	e.seat = -1
	if len(q.pending) > 0 {
		e.seat = q.entries[q.pending[0]].seat - 1
	}
	q.pending, q.readied = slices.Insert(q.pending, 0, e.ID), true
}

// unline takes the entry with that id out of those that are pending.
func (q *queue) unline(id string) {
	if q.pending[0] == id {
		q.pending = q.pending[1:]
		return
	}
	i := slices.Index(q.pending, id)
	q.pending = slices.Delete(q.pending, i, i+1)
}

// next is when something happens to e by itself, or happened last; it orders
// the entries of a state.
func (e *entry) next() time.Time {
	switch e.State {
	case task.Scheduled, task.Retry:
		return e.DueAt
	case task.Active, task.Completed:
		return e.Until
	default:
		return broker.CeilSecond(e.moved)
	}
}

// A place is where an entry is in a list.
type place struct {
	at int64
	id string
}

func (e *entry) place() place {
	if e.State == task.Pending {
		return place{e.seat, e.ID}
	}
	return place{e.next().UnixMilli(), e.ID}
}

func (p place) compare(other place) int {
	if c := cmp.Compare(p.at, other.at); c != 0 {
		return c
	}
	return strings.Compare(p.id, other.id)
}

func (p place) String() string { return fmt.Sprintf("%d %s", p.at, p.id) }

func parsePlace(text string) (p place, err error) {
	_, err = fmt.Sscanf(text, "%d %s", &p.at, &p.id)
	return p, err
}

// in returns the entries of q that are in one of states, in order of their next
// time and then of their ids; pending ones as they will be leased.
func (q *queue) in(states ...task.State) []*entry {
	return q.ordered(func(e *entry) bool { return slices.Contains(states, e.State) })
}

// listed returns the entries of q that a list of a state, or of a group, shows.
func (q *queue) listed(state task.State, group string) []*entry {
	return q.ordered(func(e *entry) bool {
		return e.State == state && (state != task.Aggregating || e.Group == group && !e.frozen())
	})
}

func (q *queue) ordered(which func(*entry) bool) []*entry {
	var found []*entry
	for _, e := range q.entries {
		if which(e) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *entry) int { return a.place().compare(b.place()) })
	return found
}
