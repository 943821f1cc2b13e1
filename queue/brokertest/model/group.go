package model

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A batch is entries of a group that are frozen under its token.
type batch struct {
	group string
	until time.Time
}

// Gather implements [broker.Operator].
func (m *Model) Gather(ctx context.Context, now time.Time, r broker.GatherRequest) (broker.Batch, error) {
	if err := m.ask(ctx, r.Check()); err != nil {
		return broker.Batch{}, err
	}
	defer m.end()
	q := m.queues[r.Queue]
	if q == nil {
		return broker.Batch{}, nil
	}
	if q.batches[r.Token] == nil {
		waiting := q.listed(task.Aggregating, r.Group)
		if !ripe(now, waiting, r) {
			return broker.Batch{Next: ripens(now, waiting, r)}, nil
		}
		gathered := m.freeze(now, q, waiting[:fit(waiting, r)], r)
		gathered.Next = ripens(now, q.listed(task.Aggregating, r.Group), r)
		return gathered, nil
	}
	b := q.batches[r.Token]
	gathered := broker.Batch{Queue: r.Queue, Group: b.group, Token: r.Token, Until: b.until}
	gathered.Next = ripens(now, q.listed(task.Aggregating, r.Group), r)
	for _, e := range q.members(r.Token) {
		gathered.Members = append(gathered.Members, e.lease())
	}
	return gathered, nil
}

// ripe reports whether the entries that wait in a group are to be folded.
func ripe(now time.Time, waiting []*entry, r broker.GatherRequest) bool {
	next := ripens(now, waiting, r)
	return !next.IsZero() && !next.After(now)
}

// ripens returns when the entries that wait in a group are to be folded: now, or
// later, or with none of them never.
func ripens(now time.Time, waiting []*entry, r broker.GatherRequest) time.Time {
	n := len(waiting)
	if n == 0 {
		return time.Time{}
	}
	if n >= r.MaxSize || r.Grace == 0 || r.MaxBytes > 0 && bytesOf(waiting) >= r.MaxBytes {
		return now
	}
	next := waiting[n-1].next().Add(ceilTo(r.Grace, time.Second))
	if oldest := waiting[0].next().Add(ceilTo(r.MaxDelay, time.Second)); r.MaxDelay > 0 && oldest.Before(next) {
		next = oldest
	}
	if next.Before(now) {
		return now
	}
	return next
}

func bytesOf(entries []*entry) (sum int64) {
	for _, e := range entries {
		sum += int64(len(e.Payload))
	}
	return sum
}

// fit returns how many of those that wait in a group make a batch.
func fit(waiting []*entry, r broker.GatherRequest) int {
	n := min(r.MaxSize, len(waiting))
	for r.MaxBytes > 0 && n > 1 && bytesOf(waiting[:n]) > r.MaxBytes {
		n--
	}
	return n
}

// freeze leases entries as one batch.
func (m *Model) freeze(now time.Time, q *queue, taken []*entry, r broker.GatherRequest) broker.Batch {
	q.beginLease(now)
	b := &batch{group: r.Group, until: broker.CeilSecond(r.Until)}
	q.batches[r.Token] = b
	q.leases += len(taken)
	gathered := broker.Batch{Queue: r.Queue, Group: r.Group, Token: r.Token, Until: b.until}
	for _, e := range taken {
		gathered.Members = append(gathered.Members, e.leased(now, r.Token, r.Until))
	}
	for _, e := range taken {
		m.started(now, e)
	}
	return gathered
}

// members returns the entries of a batch, in the order in which they were added
// to its group.
func (q *queue) members(token string) []*entry {
	return q.ordered(func(e *entry) bool { return e.frozen() && e.token == token })
}

// extendBatch has a batch end at until.
func (q *queue) extendBatch(token string, until time.Time) {
	q.batches[token].until = until
	for _, e := range q.members(token) {
		e.Until = until
	}
}

// giveBack has members of batches that have run out return to their groups, at
// most most, and returns how many did.
func (m *Model) giveBack(now time.Time, q *queue, most int) int {
	n := 0
	for _, token := range q.batchesByEnd() {
		if q.takenBack(q.batches[token].until).After(now) {
			break
		}
		for _, e := range q.members(token) {
			if n == most {
				return n
			}
			e.crashed(now)
			m.release(now, e)
			n++
		}
	}
	return n
}

// batchesByEnd returns the tokens of all batches, by when they end.
func (q *queue) batchesByEnd() []string {
	var tokens []string
	for token := range q.batches {
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, func(a, b string) int {
		if c := q.batches[a].until.Compare(q.batches[b].until); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	return tokens
}

// Groups implements [broker.Operator].
func (m *Model) Groups(ctx context.Context, queue string) ([]broker.Group, error) {
	if err := m.ask(ctx, broker.CheckQueue(queue)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	q := m.queues[queue]
	if q == nil {
		return nil, nil
	}
	return q.groups(), nil
}

// groups returns the groups of q that hold entries, in order of their names.
func (q *queue) groups() []broker.Group {
	var groups []broker.Group
	for _, e := range q.in(task.Aggregating) {
		i, found := slices.BinarySearchFunc(groups, e.Group, func(g broker.Group, name string) int { return strings.Compare(g.Name, name) })
		if !found {
			groups = slices.Insert(groups, i, broker.Group{Name: e.Group})
		}
		g := &groups[i]
		if e.frozen() {
			g.Frozen++
			continue
		}
		if g.Size == 0 {
			g.Oldest = e.next()
		}
		g.Size++
		g.Newest = e.next()
	}
	return groups
}
