package model

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/leatwork/leat/queue/broker"
)

// joins is which groups of a queue something has come to.
type joins struct {
	last  map[string]int // by group: the number of its last join
	woken bool           // the call under way leaves a wake
}

// join notes that e has come to wait in its group. Joins of all queues are numbered
// together, so that a queue which is removed and comes again goes on.
func (m *Model) join(e *entry) {
	j := &m.queues[e.Queue].joins
	if j.last == nil {
		j.last = make(map[string]int)
	}
	m.joined++
	j.last[e.Group], j.woken = m.joined, true
}

// Joined implements [broker.Operator].
func (m *Model) Joined(ctx context.Context, r broker.JoinedRequest) (broker.JoinedPage, error) {
	if err := m.ask(ctx, r.Check()); err != nil {
		return broker.JoinedPage{}, err
	}
	defer m.mu.Unlock()
	q := m.queues[r.Queue]
	if q == nil {
		return broker.JoinedPage{}, nil
	}
	after, _ := strconv.Atoi(r.After) // what is no number is as far back as is known
	names := slices.SortedFunc(maps.Keys(q.joins.last), func(a, b string) int { return q.joins.last[a] - q.joins.last[b] })
	names = slices.DeleteFunc(names, func(name string) bool { return q.joins.last[name] <= after })
	page := broker.JoinedPage{Next: strconv.Itoa(m.joined), More: len(names) > r.Limit}
	if page.More {
		names = names[:r.Limit]
		page.Next = strconv.Itoa(q.joins.last[names[r.Limit-1]])
	}
	groups := q.groups()
	for _, name := range names {
		for _, g := range groups {
			if g.Name == name && g.Size > 0 {
				g.Frozen = 0
				page.Groups = append(page.Groups, g)
			}
		}
	}
	return page, nil
}
