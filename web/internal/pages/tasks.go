package pages

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/facet"
	"github.com/leatwork/leat/web/internal/problem"
)

var tasksPage = page{path: "/tasks", name: "tasks", title: "Tasks", modules: "query", load: loadTasks}

// tasks are those that a query takes, page by page.
type tasks struct {
	Query string
	Fault *fault
	Table taskTable
	paging
	Order   []choice
	Facets  []shownFacet
	Counted string // what facets are counted over
	Broken  []brokenQueue
	Kept    kept
	Columns columnsForm

	chosen []taskField // columns; none: those that suit the state
}

const (
	lookAt       = 5000 // tasks for a page
	lookAtOnce   = 500  // of them, before there is a look at the time
	lookAtFacets = 500  // more, for what they have in common
	countFacets  = 250
)

// lookTime is about how long is looked for the tasks of a page.
const lookTime = 120 * time.Millisecond

// lookFor looks for as many tasks as a page has, until it was looked at enough of them, or
// for long enough.
func lookFor(ctx context.Context, s *query.Search, size int, now func() time.Time) (found query.Found, err error) {
	until := now().Add(lookTime)
	for looked := 0; looked < lookAt; looked += lookAtOnce {
		more, err := s.Next(ctx, size-len(found.Tasks), lookAtOnce)
		if err != nil {
			return more, err
		}
		more.Tasks = append(found.Tasks, more.Tasks...)
		if found = more; found.Done || len(found.Tasks) >= size || !now().Before(until) {
			break
		}
	}
	return found, nil
}

var pageSizes = []int{25, 50, 100, 200}

func loadTasks(ctx context.Context, p *Pages, r *request) (any, error) {
	o := tasks{Query: r.get("q"), Kept: p.kept(ctx, r)}
	if err := o.choose(p, r); err != nil {
		return nil, err
	}
	asked, fault, err := parse(query.Tasks, o.Query)
	if err != nil {
		return nil, err
	}
	if fault != nil {
		o.Fault, o.Table.Empty = fault, "The query makes no sense."
		return o, nil
	}
	if err := p.Rules.Query(r.Who.Role, asked); err != nil {
		return nil, err
	}
	size := choose(r.get("size"), pageSizes, 50)
	s := &query.Search{Inspector: p.Storage.Inspector, Query: asked, Newest: r.get("order") != "oldest"}
	if cursor := r.get("cursor"); cursor != "" {
		if err := s.Resume(cursor); err != nil {
			return nil, err
		}
	}
	found, err := lookFor(ctx, s, size, p.Storage.Now)
	if err != nil {
		return nil, err
	}
	servers, err := p.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	if o.paging, err = p.paging(r, s.Token(), len(found.Tasks), size); err != nil {
		return nil, err
	}
	o.fill(p, r, asked, found, servers)
	if err := o.orders(p, r); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(s.Broken)) {
		o.Broken = append(o.Broken, brokenQueue{name, problem.Why(s.Broken[name])})
	}
	if r.Live {
		return o, nil
	}
	return o, o.count(ctx, p, r, s, found)
}

// choose returns the number that text is, if it is one of those that are offered.
func choose(text string, offered []int, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil && slices.Contains(offered, n) {
		return n
	}
	return otherwise
}

// choose reads which columns are asked for, and offers others.
func (o *tasks) choose(p *Pages, r *request) (err error) {
	if o.chosen, err = readColumns(r.get("columns")); err == nil {
		o.Columns, err = p.columnsForm(r, o.chosen)
	}
	return err
}

// fill fills in the tasks that were found.
func (o *tasks) fill(p *Pages, r *request, asked query.Query[*task.Info], found query.Found, servers []broker.Server) {
	var state task.State
	if only := asked.Only("state"); len(only) == 1 {
		state, _ = task.ParseState(only[0]) // the language knows no others
	}
	if len(o.chosen) > 0 {
		o.Table = p.chosenTable(r.Who.Role, found.Tasks, state, o.chosen)
	} else {
		o.Table = p.tableOf(r.Who.Role, found.Tasks, servers, state, len(asked.Only("queue")) == 1)
	}
	o.Table.Query = o.Query
	o.Place = "looked at " + quantity.Count(found.Scanned) + " of " + quantity.Count(found.Total)
	if found.Done {
		o.Place = "looked at all " + quantity.Count(found.Scanned)
	}
}

// orders fills in how the list may be ordered.
func (o *tasks) orders(p *Pages, r *request) error {
	newest, err := p.with(r, "order", "")
	if err != nil {
		return err
	}
	oldest, err := p.with(r, "order", "oldest")
	is := r.get("order") == "oldest"
	o.Order = []choice{{"newest first", newest, !is}, {"oldest first", oldest, is}}
	return err
}

// count counts what the tasks that were found, and some more, have in common.
func (o *tasks) count(ctx context.Context, p *Pages, r *request, s *query.Search, found query.Found) error {
	some := found.Tasks
	if !found.Done && len(some) < countFacets {
		more, err := s.Next(ctx, countFacets-len(some), lookAtFacets)
		if err != nil {
			return err
		}
		some = append(slices.Clone(some), more.Tasks...)
		found.Scanned, found.Done = more.Scanned, more.Done
	}
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return err
	}
	var parts []string
	if facet.IsExact(s.Query) {
		parts = append(parts, "states and queues over all tasks")
	}
	over := "the " + quantity.Many(len(some), "task") + " found"
	if !found.Done {
		over = "the " + quantity.Many(len(some), "task") + " that come next, not over all"
	}
	o.Counted = strings.Join(append(parts, "the rest over "+over), ", ")
	if parts == nil {
		o.Counted = "over " + over
	}
	o.Facets, err = p.facets(r, s.Query, some, q)
	return err
}
