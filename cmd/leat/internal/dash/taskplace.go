package dash

import (
	"context"
	"fmt"
	"slices"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A place is where the tasks of a list are.
type place struct {
	queue string     // "": in all queues
	state task.State // 0: in all states
	group string     // of those that are aggregating
}

// A pager is the part of a place that a list shows: a page from its beginning on, or,
// where one has jumped to the end, from there backwards. It never reads what is between.
type pager struct {
	fromEnd bool
	passed  []mark // where the pages begin that were passed, the one shown last
	next    string // where the next one begins; "": there is none
	goal    int    // where the cursor goes when the next page is there: 1 its end, -1 its beginning
}

// A mark is where a page begins.
type mark struct {
	after string
	count int // tasks before it
}

// here returns where the page that is shown begins.
func (p *pager) here() mark {
	if len(p.passed) == 0 {
		return mark{}
	}
	return p.passed[len(p.passed)-1]
}

// turn goes on to the next page, down or up as it is shown, and reports whether there is one.
func (p *pager) turn(down bool, shown int) bool {
	switch {
	case down == p.fromEnd && len(p.passed) == 0, down != p.fromEnd && p.next == "":
		return false
	case down == p.fromEnd:
		p.passed = p.passed[:len(p.passed)-1]
	default:
		p.passed = append(p.passed, mark{after: p.next, count: p.here().count + shown})
	}
	p.goal = map[bool]int{true: -1, false: 1}[down]
	return true
}

// jump goes to the beginning or to the end.
func (p *pager) jump(end bool) {
	*p = pager{fromEnd: end, goal: map[bool]int{false: -1, true: 1}[end]}
}

// askPage asks for the page that is to be shown.
func (l *taskList) askPage() ask {
	at := l.place
	q := queue.ListQuery{
		Queue: at.queue, State: at.state, Group: at.group, Newest: l.pager.fromEnd,
		After: l.pager.here().after, Limit: l.room(),
	}
	return func(ctx context.Context) (func(), error) {
		found, err := l.app.inspector.List(ctx, q)
		if err != nil {
			return nil, err
		}
		if q.Newest {
			slices.Reverse(found.Tasks)
		}
		return func() { l.takePage(q, found) }, nil
	}
}

// room returns how many tasks there is room for below the two lines of the list's own.
func (l *taskList) room() int { return min(max(l.app.bodyHeight()-l.above-2, 5), queue.MaxPage) }

// takePage shows a page, if it is still the one that is wanted.
func (l *taskList) takePage(q queue.ListQuery, found *queue.Page) {
	at := place{queue: q.Queue, state: q.State, group: q.Group}
	if at != l.place || !l.filter.query.Empty() || q.After != l.pager.here().after || q.Newest != l.pager.fromEnd {
		return
	}
	l.pager.next = found.Next
	if len(found.Tasks) == 0 && len(l.pager.passed) > 0 { // what was there is gone
		l.pager.passed = l.pager.passed[:len(l.pager.passed)-1]
		l.app.more()
		return
	}
	l.table.set(found.Tasks)
	switch l.pager.goal {
	case -1:
		l.table.cursor = 0
	case 1:
		l.table.cursor = max(len(found.Tasks)-1, 0)
	}
	l.pager.goal = 0
	l.loaded = true
}

// position tells which tasks of how many are shown.
func (l *taskList) position() string {
	n := len(l.table.rows)
	if n == 0 || !l.loaded {
		return ""
	}
	passed := l.pager.here().count
	total := max(l.total, n)
	if l.pager.next == "" { // tasks that were passed may have gone since, and others come
		passed = total - n
	}
	first := min(passed, total-n) + 1
	if l.pager.fromEnd {
		first = max(total-passed-n, 0) + 1
	}
	return fmt.Sprintf("%s–%s of %s", quantity.Count(first), quantity.Count(first+n-1), quantity.Count(total))
}

// How a search goes on.
const (
	searchStep  = 2_000  // tasks that are looked at before the screen hears of it
	searchShare = 20_000 // tasks that are looked at before the user is asked
	searchMost  = 10_000 // tasks that are kept
	searchAll   = 500    // tasks that are kept if all are taken anyway
	searchSmall = 4_000  // what a search looks at that is done again by itself
)

// A hunt is a search and what it has found so far.
type hunt struct {
	search *query.Search
	found  []*task.Info
	query.Found
	share int // how many may be looked at
	most  int // how many are kept
}

func (l *taskList) newHunt() *hunt {
	s := &query.Search{Inspector: l.app.inspector, Query: l.filter.query, Group: l.place.group}
	if l.place.queue != "" {
		s.Queues = []string{l.place.queue}
	}
	if l.place.state != 0 {
		s.States = []task.State{l.place.state}
	}
	h := &hunt{search: s, share: searchShare, most: searchMost}
	if l.filter.query.Empty() {
		h.most = searchAll
	}
	return h
}

// isOver reports whether the hunt is not to go on by itself.
func (h *hunt) isOver() bool {
	return h.Done || h.Scanned >= h.share || len(h.found) >= h.most
}

// askHunt asks for the next step of the search, or for all of a small one anew.
func (l *taskList) askHunt() ask {
	if l.hunt == nil {
		l.hunt = l.newHunt()
	}
	h := l.hunt
	if !h.isOver() {
		return func(ctx context.Context) (func(), error) {
			found, err := h.search.Next(ctx, h.most-len(h.found), searchStep)
			return func() { l.takeStep(h, found) }, err
		}
	}
	if !h.Done || h.Scanned > searchSmall {
		return nil
	}
	h = l.newHunt()
	return func(ctx context.Context) (func(), error) {
		for !h.isOver() {
			found, err := h.search.Next(ctx, h.most-len(h.found), searchSmall)
			if err != nil {
				return nil, err
			}
			h.Found, h.found = found, append(h.found, found.Tasks...)
		}
		return func() {
			if l.hunt != nil && l.filter.query.String() == h.search.Query.String() {
				l.hunt = h
				l.table.set(h.found)
			}
		}, nil
	}
}

// takeStep shows what a step of a search has found, if it is still the one that is wanted.
func (l *taskList) takeStep(h *hunt, found query.Found) {
	if l.hunt != h {
		return
	}
	h.Found, h.found = found, append(h.found, found.Tasks...)
	l.table.set(h.found)
	l.loaded = true
	if !h.isOver() {
		l.app.more()
	}
}

// progress tells how far the search has come.
func (l *taskList) progress() string {
	h := l.hunt
	if h == nil {
		return ""
	}
	text := quantity.Count(len(h.found)) + " found"
	switch {
	case h.Done:
		return text + ", looked at all " + quantity.Count(h.Scanned)
	case len(h.found) >= searchMost:
		return text + ", and no more are kept; looked at " + quantity.Count(h.Scanned) + " of " + quantity.Count(h.Total)
	case h.isOver():
		return text + ", looked at " + quantity.Count(h.Scanned) + " of " + quantity.Count(h.Total) + "; m goes on"
	}
	return text + ", looking: " + quantity.Count(h.Scanned) + " of " + quantity.Count(h.Total)
}
