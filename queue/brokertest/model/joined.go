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
	count int            // of times that something has
	last  map[string]int // by group: which was its last
	woken bool           // the call under way leaves a wake
}

// join notes that an entry has come to wait in a group.
func (j *joins) join(group string) {
	if j.last == nil {
		j.last = make(map[string]int)
	}
	j.count++
	j.last[group], j.woken = j.count, true
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
	after, err := strconv.Atoi(r.After)
	if err != nil || after > q.joins.count { // of a queue of that name that was removed
		after = 0
	}
	names := slices.SortedFunc(maps.Keys(q.joins.last), func(a, b string) int { return q.joins.last[a] - q.joins.last[b] })
	names = slices.DeleteFunc(names, func(name string) bool { return q.joins.last[name] <= after })
	page := broker.JoinedPage{Next: strconv.Itoa(q.joins.count), More: len(names) > r.Limit}
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
