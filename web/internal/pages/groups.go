package pages

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/storage"
)

var (
	groupsPage = page{path: "/groups", name: "groups", title: "Groups", modules: "query", load: loadGroups}
	groupPage  = page{path: "/group", name: "group", tab: "/groups", load: loadGroup}
)

// groups are the groups that a query takes, page by page.
type groups struct {
	Query    string
	Fault    *fault
	Queues   []choice
	Headings []heading
	Rows     []view.Group
	paging
}

// mostGrouped is into how many queues is looked for a page: each takes a trip.
const mostGrouped = 50

var groupColumns = []column[view.Group]{
	{Key: "queue", Title: "Queue", less: func(a, b view.Group) int {
		return cmp.Or(strings.Compare(a.Queue, b.Queue), strings.Compare(a.Group, b.Group))
	}},
	{Key: "group", Title: "Group", less: func(a, b view.Group) int { return strings.Compare(a.Group, b.Group) }},
	byNumber("size", "Waiting", "tasks that wait to be folded", func(g view.Group) int { return g.Size }),
	byNumber("frozen", "Being folded", "tasks in batches that are being folded", func(g view.Group) int { return g.Frozen }),
	{Key: "oldest", Title: "Oldest", Help: "when the task was added that waits longest", less: func(a, b view.Group) int { return a.OldestAt.Compare(b.OldestAt) }},
	{Key: "newest", Title: "Newest", Help: "when the last task was added", less: func(a, b view.Group) int { return a.NewestAt.Compare(b.NewestAt) }},
}

func loadGroups(ctx context.Context, p *Pages, r *request) (any, error) {
	r.byQuery()
	o := groups{Query: r.get("q")}
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return nil, err
	}
	asked, fault, err := parse(query.Groups, o.Query)
	if err != nil {
		return nil, err
	}
	if o.Fault = fault; fault != nil {
		o.Headings, err = sorted(p, r, groupColumns, o.Rows)
		return o, err
	}
	for _, i := range q.Infos {
		if i.Aggregating > 0 {
			if err := o.choose(p, r, asked, i.Queue); err != nil {
				return nil, err
			}
		}
	}
	if err := o.find(ctx, p, r, asked); err != nil {
		return nil, err
	}
	o.Headings, err = sorted(p, r, groupColumns, o.Rows)
	return o, err
}

// byQuery has a request that names a queue ask for it in the query.
func (r *request) byQuery() {
	if name := r.get("queue"); name != "" {
		r.Query = maps.Clone(r.Query)
		r.Query.Del("queue")
		r.Query.Set("q", strings.TrimSpace(r.get("q")+" "+query.Term("queue", name)))
	}
}

// find finds the groups of a page.
func (o *groups) find(ctx context.Context, p *Pages, r *request, asked query.Query[query.Group]) error {
	size := choose(r.get("size"), pageSizes, 200)
	s := storage.GroupSearch{Storage: p.Storage, Query: asked}
	s.Queue, s.Group, _ = strings.Cut(r.get("cursor"), " ")
	found, done, err := s.Next(ctx, size, mostGrouped)
	if err != nil {
		return err
	}
	token := ""
	if !done {
		token = s.Queue + " " + s.Group
	}
	for _, g := range found {
		o.Rows = append(o.Rows, view.GroupOf(g.Queue, g.Group))
	}
	o.paging, err = p.paging(r, token, len(found), size)
	o.Place = "looked into " + quantity.Count(s.Scanned) + " of " + quantity.Many(s.Total, "queue")
	if done {
		o.Place = "of " + quantity.Many(s.Total, "queue")
	}
	return err
}

// choose offers a queue.
func (o *groups) choose(p *Pages, r *request, asked query.Query[query.Group], name string) error {
	current := slices.Equal(asked.Only("queue"), []string{name})
	next := asked.Without("queue").String()
	if !current {
		next = strings.TrimSpace(next + " " + query.Term("queue", name))
	}
	address, err := p.with(r, "q", next)
	o.Queues = append(o.Queues, choice{name, address, current})
	return err
}

// A groupPlace is one group, and the tasks that wait in it.
type groupPlace struct {
	view.Group
	Gone        bool // nothing waits in it, or never did
	Table       taskTable
	First, Next string // addresses of pages; "": there is none
	Order       []choice
}

// Title names the group.
func (g groupPlace) Title() string { return "Group " + g.Group.Group }

var errNoGroup = problem.New(http.StatusBadRequest, "", "the address names no group: it needs a queue and a name")

const groupTasks = 50 // on a page

func loadGroup(ctx context.Context, p *Pages, r *request) (any, error) {
	o := groupPlace{Group: view.Group{Queue: r.get("queue"), Group: r.get("name")}, Gone: true}
	if o.Queue == "" || o.Group.Group == "" {
		return nil, errNoGroup
	}
	all, err := p.groupsOf(ctx, o.Queue)
	if err != nil {
		return nil, err
	}
	if n := slices.IndexFunc(all, func(g view.Group) bool { return g.Group == o.Group.Group }); n >= 0 {
		o.Group, o.Gone = all[n], false
	}
	oldest := r.get("order") != "newest"
	found, err := p.Storage.Inspector.List(ctx, queue.ListQuery{
		Queue: o.Queue, State: task.Aggregating, Group: o.Group.Group, Newest: !oldest, After: r.get("cursor"), Limit: groupTasks,
	})
	if err != nil {
		return nil, err
	}
	o.Table = p.tableOf(r.Who.Role, found.Tasks, nil, task.Aggregating, true)
	o.Table.Query = query.Term("queue", o.Queue) + " " + query.Term("group", o.Group.Group)
	o.Table.Columns = nil
	for i := range o.Table.Rows {
		o.Table.Rows[i].Cells = nil
	}
	return o, o.links(p, r, found.Next, oldest)
}

func (g *groupPlace) links(p *Pages, r *request, next string, oldest bool) (err error) {
	link := func(name, value string) string {
		address, e := p.with(r, name, value)
		if e != nil {
			err = e
		}
		return address
	}
	if next != "" {
		g.Next = link("cursor", next)
	}
	if r.get("cursor") != "" {
		g.First = link("cursor", "")
	}
	g.Order = []choice{{"oldest first", link("order", ""), oldest}, {"newest first", link("order", "newest"), !oldest}}
	return err
}

// Sum says how many tasks there are.
func (g groupPlace) Sum() string {
	if g.Frozen > 0 {
		return fmt.Sprintf("%s, and %s being folded", quantity.Many(g.Size, "task"), quantity.Count(g.Frozen))
	}
	return quantity.Many(g.Size, "task")
}
