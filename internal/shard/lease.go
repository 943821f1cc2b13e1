package shard

import (
	"slices"

	"github.com/leatwork/leat/queue/broker"
)

// A lessor leases what a call of Apply wants: some together with the call's
// changes, and then the rest.
type lessor interface {
	first(calls map[string]*call)
	rest()
}

// lessor returns the one that keeps the order of queues, if each of them lies in
// one world, or else the one that asks worlds in turn.
func (a *applying) lessor() lessor {
	var names []string
	for _, q := range a.want.Queues {
		for _, name := range a.b.layout.Of(q.Queue) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	switch {
	case a.want.Max == 0 || len(names) == 0:
		return idle{}
	case len(names) == 1:
		return &inTurn{a: a, names: names}
	case a.b.layout.Ordered():
		return &byQueue{a: a, empty: make(map[string]bool)}
	}
	return &inTurn{a: a, names: a.b.inTurn(names)}
}

// idle is the lessor of a call that wants nothing.
type idle struct{}

func (idle) first(map[string]*call) {}
func (idle) rest()                  {}

// callOf returns the call of the world named name.
func callOf(calls map[string]*call, name string) *call {
	if calls[name] == nil {
		calls[name] = &call{}
	}
	return calls[name]
}

// inTurn asks the first world with the changes, for everything. The others are
// asked for what is missing then.
type inTurn struct {
	a     *applying
	names []string
	all   int // names there were
}

func (t *inTurn) first(calls map[string]*call) {
	t.all = len(t.names)
	callOf(calls, t.names[0]).want = t.a.want
	t.names = t.names[1:]
}

func (t *inTurn) rest() {
	for len(t.names) > 0 && len(t.a.leases) < t.a.want.Max {
		limits := limits(t.a.want.Max-len(t.a.leases), len(t.names), t.all)
		some := t.names[:len(limits)]
		calls := make(map[string]*call, len(some))
		for i, name := range some {
			calls[name] = &call{want: atMost(t.a.want, limits[i])}
		}
		if t.a.make(calls) != nil {
			return
		}
		t.names = t.names[len(some):]
		for _, name := range some { // they may have more
			if c := calls[name]; c.got == c.want.Max {
				t.names = append(t.names, name)
			}
		}
	}
}

// limits says how much the first of n worlds, out of all, are asked for next, if
// together they may give no more than most: one of them for everything if it is
// little, which keeps the order of what is there, or each of them for its part.
func limits(most, n, all int) []int {
	if most < 2*all {
		return []int{most}
	}
	parts := make([]int, n)
	for i := range parts {
		parts[i] = most / n
		if i < most%n {
			parts[i]++
		}
	}
	return parts
}

// atMost returns r for at most most entries.
func atMost(r broker.LeaseRequest, most int) broker.LeaseRequest {
	r.Max = most
	r.Queues = slices.Clone(r.Queues)
	for i := range r.Queues {
		r.Queues[i].First = min(r.Queues[i].First, most)
	}
	return r
}

// byQueue asks for the shares of all queues at once, with the changes, if there
// is room for all of them, and then for the rest, queue by queue.
type byQueue struct {
	a       *applying
	empty   map[string]bool // queues that gave less than they were asked for
	asked   map[string]*call
	started bool
}

// of asks for entries of one queue.
func (q *byQueue) of(queue string, most int) broker.LeaseRequest {
	return broker.LeaseRequest{Queues: []broker.Share{{Queue: queue, First: most}}, Max: most, Until: q.a.want.Until}
}

func (q *byQueue) first(calls map[string]*call) {
	sum := 0
	for _, share := range q.a.want.Queues {
		sum += max(share.First, 0)
	}
	if sum > q.a.want.Max {
		return
	}
	q.started, q.asked = true, calls
	for _, share := range q.a.want.Queues {
		c := callOf(calls, q.a.b.layout.Of(share.Queue)[0])
		if share.First > 0 && c.want.Max == 0 {
			c.want = q.of(share.Queue, share.First)
		}
	}
}

func (q *byQueue) rest() {
	for _, c := range q.asked {
		if c.want.Max > 0 && c.got < c.want.Max {
			q.empty[c.want.Queues[0].Queue] = true
		}
	}
	if !q.started {
		for _, share := range q.a.want.Queues {
			q.ask(share.Queue, share.First)
		}
	}
	for _, share := range q.a.want.Queues {
		q.ask(share.Queue, q.a.want.Max)
	}
	q.inOrder()
}

// ask leases at most most entries of one queue, and no more than are missing.
func (q *byQueue) ask(queue string, most int) {
	most = min(most, q.a.want.Max-len(q.a.leases))
	if most <= 0 || q.empty[queue] {
		return
	}
	c := &call{want: q.of(queue, most)}
	if q.a.make(map[string]*call{q.a.b.layout.Of(queue)[0]: c}) == nil {
		q.empty[queue] = c.got < most
	}
}

// inOrder has the leases of the first pass in order of the queues, as they would
// have been leased one after another.
func (q *byQueue) inOrder() {
	if !q.started {
		return
	}
	firsts := 0
	for _, c := range q.asked {
		firsts += c.got
	}
	slices.SortStableFunc(q.a.leases[:firsts], func(a, b broker.Lease) int {
		return q.rank(a) - q.rank(b)
	})
}

func (q *byQueue) rank(l broker.Lease) int {
	return slices.IndexFunc(q.a.want.Queues, func(s broker.Share) bool { return s.Queue == l.Entry.Queue })
}
