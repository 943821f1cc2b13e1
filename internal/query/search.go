package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A Search looks through tasks for those that a query takes. It looks only where the query
// allows them to be: in those states, queues and groups; and if it names ids, it asks for
// these and looks at nothing else.
//
// Tasks come in the order of the states active, pending, retry, scheduled, archived,
// aggregating, completed; in each, queue by queue, and group by group; and there as
// [queue.ListQuery] orders them. If nothing moves meanwhile, each is told once. A task that
// moves while it is searched for may be told twice, or not at all.
//
// A Search may not be used by several goroutines. What one searches for may not be changed once
// [Search.Next] was called.
type Search struct {
	Inspector *queue.Inspector
	Query     Query[*task.Info]
	Queues    []string     // only in these; nil: in all
	States    []task.State // only in these; nil: in all
	Group     string       // only in groups of that name; "": anywhere
	Newest    bool         // in each state and queue the other way round

	// Broken are queues that cannot be read, and why, once [Search.Next] or
	// [Search.Places] was called: they are left out, unless Queues names them.
	Broken map[string]error

	from    *mark // at which it is to go on; nil: at the beginning
	begun   bool
	places  []Place // that are not done
	after   string  // how far the first of them is
	width   int     // about how many bytes a task takes
	found   []sighting
	last    mark // behind the last task that was told, as long as more are found
	scanned int
	total   int
}

// A sighting is a task that was found, and how far the search had come with it.
type sighting struct {
	info *task.Info
	mark mark
}

// Found is what a step of a search came to.
type Found struct {
	Tasks   []*task.Info // without their Attempts, unless they were asked for by id
	Scanned int          // how many tasks were looked at since the search began
	Total   int          // how many there were to look at when it began
	Done    bool         // there are no more
}

// A Place is where tasks lie in one order.
type Place struct {
	Queue string
	State task.State
	Group string // of those that are aggregating
	Size  int    // how many tasks there were
}

// order is the order in which states are searched.
var order = [...]task.State{task.Active, task.Pending, task.Retry, task.Scheduled, task.Archived, task.Aggregating, task.Completed}

// Next goes on with the search, until it has found most tasks, has looked at about budget
// of them, or there are no more; not before there is one of these, unless ctx ends or the
// storage fails. After an error it can be called again, and goes on where it was. A queue
// that is named in Queues and does not exist is an error that matches
// [queue.ErrQueueNotFound].
//
// It takes a trip for each page, of at most 250 tasks and about a megabyte, and a few to
// begin with.
func (s *Search) Next(ctx context.Context, most, budget int) (Found, error) {
	if most < 1 || budget < 1 {
		return Found{}, fmt.Errorf("search: %w", task.Invalid("Search.Next", fmt.Sprintf("%d of %d", most, budget), "must be at least 1 of 1"))
	}
	if err := s.begin(ctx); err != nil {
		return Found{}, fmt.Errorf("search: %w", err)
	}
	for until := s.scanned + budget; len(s.found) < most && s.scanned < until && len(s.places) > 0; {
		if err := s.page(ctx, most-len(s.found), until-s.scanned); err != nil {
			return Found{Scanned: s.scanned, Total: s.total}, fmt.Errorf("search %s of %s: %w", s.places[0].State, s.places[0].Queue, err)
		}
	}
	tasks := s.tell(most)
	return Found{Tasks: tasks, Scanned: s.scanned, Total: s.total, Done: len(s.places)+len(s.found) == 0}, nil
}

// tell returns the first tasks of those that were found.
func (s *Search) tell(most int) []*task.Info {
	var tasks []*task.Info
	for _, f := range s.found[:min(most, len(s.found))] {
		tasks = append(tasks, f.info)
		s.last = f.mark
	}
	s.found = s.found[len(tasks):]
	return tasks
}

func (s *Search) begin(ctx context.Context) error {
	if s.begun {
		return nil
	}
	ids := s.Query.Only("id")
	if ids != nil {
		if err := s.lookUp(ctx, ids); err != nil {
			return err
		}
	} else {
		places, err := s.Places(ctx)
		if err != nil {
			return err
		}
		for _, p := range places {
			s.total += p.Size
		}
		s.places = places
	}
	s.goOn()
	s.begun = true
	return nil
}

// lookUp finds the tasks of these ids.
func (s *Search) lookUp(ctx context.Context, ids []string) error {
	queues, err := s.queues(ctx)
	if err != nil {
		return err
	}
	var found []*task.Info
	for _, id := range ids {
		for _, q := range queues {
			i, err := s.Inspector.Get(ctx, q, id)
			if errors.Is(err, queue.ErrTaskNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			found = append(found, i)
		}
	}
	s.total, s.scanned = len(found), len(found)
	now := time.Now()
	found = slices.DeleteFunc(found, func(i *task.Info) bool { return !s.takes(now, i) })
	slices.SortStableFunc(found, func(a, b *task.Info) int {
		return cmp.Or(rank(a.State)-rank(b.State), strings.Compare(a.Queue, b.Queue))
	})
	for n, i := range found {
		s.found = append(s.found, sighting{i, mark{Told: n + 1}})
	}
	return nil
}

// rank returns where a state comes in the order.
func rank(state task.State) int { return slices.Index(order[:], state) }

// takes reports whether a task is searched for.
func (s *Search) takes(now time.Time, i *task.Info) bool {
	return s.allowsState(i.State) && (s.Group == "" || i.Group == s.Group) && s.Query.Match(now, i)
}

func (s *Search) allowsState(state task.State) bool {
	return (s.States == nil || slices.Contains(s.States, state)) && s.Query.Allows("state", state.String())
}

func (s *Search) allowsGroup(group string) bool {
	return (s.Group == "" || s.Group == group) && s.Query.Allows("group", group)
}

// queues returns the names of the queues in which is searched.
func (s *Search) queues(ctx context.Context) ([]string, error) {
	all, err := s.Inspector.Queues(ctx)
	if err != nil {
		return nil, err
	}
	for _, q := range s.Queues {
		if !slices.Contains(all, q) {
			return nil, fmt.Errorf("%s: %w", q, queue.ErrQueueNotFound)
		}
	}
	return slices.DeleteFunc(all, func(q string) bool {
		return s.Queues != nil && !slices.Contains(s.Queues, q) || !s.Query.Allows("queue", q)
	}), nil
}

// Places returns where the search has to look, in its order: what is elsewhere, the query
// does not take. It takes two trips, and one for each queue in whose groups is searched.
func (s *Search) Places(ctx context.Context) ([]Place, error) {
	queues, err := s.queues(ctx)
	if err != nil || len(queues) == 0 {
		return nil, err
	}
	figures, broken, err := s.Inspector.Survey(ctx, queues...)
	for _, name := range s.Queues {
		err = cmp.Or(err, broken[name])
	}
	if err != nil {
		return nil, err
	}
	s.Broken = broken
	var places []Place
	for _, state := range order {
		for _, f := range figures {
			switch {
			case f.In(state) == 0 || !s.allowsState(state):
			case state == task.Aggregating:
				groups, err := s.groups(ctx, f.Queue)
				if err != nil {
					return nil, err
				}
				places = append(places, groups...)
			default:
				places = append(places, Place{Queue: f.Queue, State: state, Size: f.In(state)})
			}
		}
	}
	return places, nil
}

func (s *Search) groups(ctx context.Context, q string) ([]Place, error) {
	groups, err := s.Inspector.Groups(ctx, q)
	if err != nil && !errors.Is(err, queue.ErrQueueNotFound) {
		return nil, err
	}
	var places []Place
	for _, g := range groups {
		if g.Size > 0 && s.allowsGroup(g.Name) {
			places = append(places, Place{Queue: q, State: task.Aggregating, Group: g.Name, Size: g.Size})
		}
	}
	return places, nil
}

// How much a page is to be.
const (
	firstPage = 50
	maxPage   = 250
	pageBytes = 1 << 20
)

// page looks at one page of the first place, of at most left tasks, or of at most most of
// them if all are taken anyway.
func (s *Search) page(ctx context.Context, most, left int) error {
	limit := firstPage
	if s.width > 0 {
		limit = min(max(pageBytes/s.width, 1), maxPage)
	}
	if limit = min(limit, left); s.Query.Without("queue", "state").Empty() {
		limit = min(limit, most)
	}
	p := s.places[0]
	found, err := s.Inspector.List(ctx, queue.ListQuery{Queue: p.Queue, State: p.State, Group: p.Group, Newest: s.Newest, After: s.after, Limit: limit})
	if errors.Is(err, queue.ErrQueueNotFound) { // it was removed meanwhile
		found, err = &queue.Page{}, nil
	}
	if err != nil {
		return err
	}
	if len(found.Tasks) > 0 {
		s.width = max(size(found.Tasks)/len(found.Tasks), 1)
	}
	now := time.Now()
	for n, i := range found.Tasks {
		if s.scanned++; s.takes(now, i) {
			s.found = append(s.found, sighting{i, s.markOf(p, found.Places[n])})
		}
	}
	if s.after = found.Next; s.after == "" {
		s.places = s.places[1:]
	}
	return nil
}

// size returns about how many bytes the tasks have taken on their way.
func size(tasks []*task.Info) (n int) {
	for _, i := range tasks {
		n += len(i.Payload) + len(i.Result) + len(i.Progress) + len(i.LastErr) + 100
	}
	return n
}
