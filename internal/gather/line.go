package gather

import (
	"container/heap"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

type groupName struct{ queue, group string }

// A group is one in which something waits, as far as is known.
type group struct {
	groupName
	rule *Rule
	seen broker.Group // as it was told last

	at    time.Time // when to ask for a batch; zero: once more is told
	asked bool      // a hand is asking
	place int       // in its queue of the line, if it is not asked

	// told is how often it was told of since it was last known to be empty, and before
	// how often when the hand asked. A storage that is divided tells of each part of
	// the group, and gives batches of one.
	told, before int

	// wary is whether it has members that are to be run alone. The hand that asks
	// decides.
	wary bool
}

// A line is the groups in which something waits, in order of when they are ripe, and the
// hands for them.
type line struct {
	stirred chan struct{} // has an element if there may be something to do earlier

	mu     sync.Mutex
	groups map[groupName]*group
	queues map[*Rule]*ripening
	free   map[*Rule]int // hands

	// crowded is which rules have more to do than hands: others were told so.
	crowded map[*Rule]bool
}

func newLine() *line {
	return &line{
		stirred: make(chan struct{}, 1),
		groups:  make(map[groupName]*group),
		queues:  make(map[*Rule]*ripening),
		free:    make(map[*Rule]int),
		crowded: make(map[*Rule]bool),
	}
}

// tell takes in what was told of a group by those whom it has joined.
func (l *line) tell(now time.Time, queue string, r *Rule, told broker.Group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.group(groupName{queue, told.Name}, r)
	g.told++
	l.note(g, now, told)
}

// list takes in that a group was listed. What is known of it is only new if that is
// another.
func (l *line) list(now time.Time, queue string, r *Rule, listed broker.Group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	listed.Frozen = 0
	name := groupName{queue, listed.Name}
	if g := l.groups[name]; g != nil && g.seen == listed || listed.Size == 0 {
		return
	}
	g := l.group(name, r)
	g.told += 2 // of as many parts as there may be
	l.note(g, now, listed)
}

// group returns the group of that name.
func (l *line) group(name groupName, r *Rule) *group {
	g := l.groups[name]
	if g == nil {
		g = &group{groupName: name, rule: r, place: -1}
		l.groups[name] = g
	}
	if l.queues[r] == nil {
		l.queues[r], l.free[r] = new(ripening), r.Parallel
	}
	return g
}

func (l *line) note(g *group, now time.Time, told broker.Group) {
	g.seen = told
	g.at = earliest(g.at, g.rule.ripens(now, told))
	l.put(g)
}

// put puts g where it belongs.
func (l *line) put(g *group) {
	queue := l.queues[g.rule]
	switch waits := !g.asked && !g.at.IsZero(); {
	case waits && g.place < 0:
		heap.Push(queue, g)
	case waits:
		heap.Fix(queue, g.place)
	case g.place >= 0:
		heap.Remove(queue, g.place)
	}
	l.stir()
}

func (l *line) stir() {
	select {
	case l.stirred <- struct{}{}:
	default: // it is about to look
	}
}

// A turn is what is to be done next.
type turn struct {
	ripe  []*group  // that have got a hand each
	next  time.Time // when the next of the others is ripe that would get one; zero: none
	spare []string  // queues in which there has come to be more to do than hands
}

// take returns what is to be done at now.
func (l *line) take(now time.Time) (t turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, queue := range l.queues {
		for l.free[r] > 0 && queue.Len() > 0 && !(*queue)[0].at.After(now) {
			g := heap.Pop(queue).(*group)
			g.asked, g.at, g.before = true, time.Time{}, g.told
			l.free[r]--
			t.ripe = append(t.ripe, g)
		}
		switch {
		case queue.Len() == 0:
			l.crowded[r] = l.crowded[r] && l.free[r] == 0
		case l.free[r] > 0:
			l.crowded[r] = false
			t.next = earliest(t.next, (*queue)[0].at)
		case !l.crowded[r] && !(*queue)[0].at.After(now):
			l.crowded[r] = true
			t.spare = append(t.spare, (*queue)[0].queue)
		}
	}
	return t
}

// answered takes in that g has given a batch, or none, and is ripe at next, if nothing
// was told of it meanwhile; zero: if so, nothing waits in it.
func (l *line) answered(g *group, gave bool, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case gave && g.told > 1:
		next = time.Now() // there may be more of it than the storage has looked at
	case !gave && next.IsZero():
		g.told -= g.before
	}
	g.asked, g.at = false, earliest(g.at, next)
	if g.at.IsZero() {
		delete(l.groups, g.groupName)
	}
	l.put(g)
}

// freed takes back a hand.
func (l *line) freed(r *Rule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free[r]++
	l.stir()
}

// A ripening is groups of one rule in order of when they are ripe, as a heap.
type ripening []*group

// Len implements [heap.Interface].
func (q ripening) Len() int { return len(q) }

// Less implements [heap.Interface].
func (q ripening) Less(i, j int) bool { return q[i].at.Before(q[j].at) }

// Swap implements [heap.Interface].
func (q ripening) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

// Push implements [heap.Interface].
func (q *ripening) Push(x any) {
	g := x.(*group)
	g.place = len(*q)
	*q = append(*q, g)
}

// Pop implements [heap.Interface].
func (q *ripening) Pop() any {
	last := len(*q) - 1
	g := (*q)[last]
	g.place = -1
	(*q)[last] = nil
	*q = (*q)[:last]
	return g
}
