package pages

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
)

var (
	groupsPage = page{path: "/groups", name: "groups", title: "Groups", load: loadGroups}
	groupPage  = page{path: "/group", name: "group", tab: "/groups", load: loadGroup}
)

// groups are the groups of all queues, or of one.
type groups struct {
	Queue    string // "": all
	Queues   []choice
	Headings []heading
	Rows     []view.Group
	Left     int // groups that are not shown
	Unread   int // queues whose groups were not looked at
}

const (
	mostGrouped = 50 // queues whose groups are read for a page: each takes a trip
	mostGroups  = 500
)

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
	o := groups{Queue: r.get("queue")}
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return nil, err
	}
	read := 0
	for _, i := range q.Infos {
		if i.Aggregating == 0 {
			continue
		}
		if err := o.choose(p, r, i); err != nil {
			return nil, err
		}
		if o.Queue != "" && o.Queue != i.Queue {
			continue
		}
		if read++; read > mostGrouped {
			o.Unread++
			continue
		}
		some, err := p.groupsOf(ctx, i.Queue)
		if err != nil {
			return nil, err
		}
		o.Rows = append(o.Rows, some...)
	}
	if o.Headings, err = sorted(p, r, groupColumns, o.Rows); err != nil {
		return nil, err
	}
	o.Left = max(len(o.Rows)-mostGroups, 0)
	o.Rows = o.Rows[:len(o.Rows)-o.Left]
	return o, nil
}

// choose offers a queue.
func (o *groups) choose(p *Pages, r *request, i queue.QueueInfo) error {
	current := o.Queue == i.Queue
	next := i.Queue
	if current {
		next = ""
	}
	address, err := p.with(r, "queue", next)
	o.Queues = append(o.Queues, choice{i.Queue, address, current})
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
