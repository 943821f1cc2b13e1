package api

import (
	"context"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/storage"
)

func queueRoutes() []route {
	days := param{name: "days", help: "how many days, today included", kind: number, def: "10", least: 1, most: broker.MaxHistory}
	return []route{
		get("/queues", "queues", "The figures of queues, in order of their names.", []param{queryParam("queues"), limitParam, cursorParam}, listQueues),
		get("/queue", "queues", "The figures of one queue, with the memory that it takes.", []param{nameParam}, readQueue),
		get("/queue/history", "queues", "How many outcomes a queue had on each of the last days, today (UTC) first.", []param{nameParam, days}, readDays),
		get("/groups", "groups", "Groups in which tasks wait to be folded, in order of their queues and names. A request looks into 50 queues at most: it may give few, or none, and a cursor with which to go on.", []param{queryParam("groups"), {name: "queue", help: "only those of this queue", kind: text}, limitParam, cursorParam}, listGroups),
	}
}

// Queues are some queues.
type Queues struct {
	List[view.Queue]

	Broken map[string]string `json:"broken,omitempty"` // those that cannot be read, and why
}

func listQueues(ctx context.Context, a *api, r *request) (Queues, error) {
	q, err := query.Queues.Parse(r.args["q"])
	if err != nil {
		return Queues{}, err
	}
	all, err := a.Storage.Queues(ctx)
	if err != nil {
		return Queues{}, err
	}
	now := time.Now()
	var shown []view.Queue
	for _, i := range all.Infos {
		if q.Match(now, i) {
			shown = append(shown, view.QueueOf(i))
		}
	}
	page, err := pageOf(r, "/queues", shown, func(q view.Queue) string { return q.Queue })
	return Queues{page, texts(all.Broken)}, err
}

func readQueue(ctx context.Context, a *api, r *request) (view.Queue, error) {
	i, err := a.Storage.QueueInfo(ctx, r.args["name"])
	if err != nil {
		return view.Queue{}, err
	}
	shown := view.QueueOf(i)
	if i.MemoryErr != nil {
		shown.MemoryError = problem.Why(i.MemoryErr)
	}
	return shown, nil
}

func readDays(ctx context.Context, a *api, r *request) (List[view.Day], error) {
	days, err := a.Storage.Inspector.History(ctx, r.args["name"], r.args.number("days"))
	var shown []view.Day
	for _, d := range days {
		shown = append(shown, view.DayOf(r.args["name"], d))
	}
	return listOf(shown), err
}

// Groups are some groups.
type Groups struct {
	List[view.Group]

	Scanned int  `json:"scanned"` // how many queues were looked into since the first page
	Total   int  `json:"total"`   // how many there are to look into
	Done    bool `json:"done"`    // there are no more
}

// groupBudget is into how many queues is looked for one request: each takes a trip.
const groupBudget = 50

func listGroups(ctx context.Context, a *api, r *request) (Groups, error) {
	text, name := r.args["q"], r.args["queue"]
	if name != "" {
		if _, err := a.Storage.Groups(ctx, name); err != nil {
			return Groups{}, err
		}
		text += " " + query.Term("queue", name)
	}
	q, err := query.Groups.Parse(text)
	if err != nil {
		return Groups{}, err
	}
	s := storage.GroupSearch{Storage: a.Storage, Query: q}
	after, _, err := r.after("/groups")
	if err != nil {
		return Groups{}, err
	}
	s.Queue, s.Group, _ = strings.Cut(after, "\x00")
	found, done, err := s.Next(ctx, r.args.number("limit"), groupBudget)
	if err != nil {
		return Groups{}, err
	}
	var shown []view.Group
	for _, g := range found {
		shown = append(shown, view.GroupOf(g.Queue, g.Group))
	}
	page := Groups{List: listOf(shown), Scanned: s.Scanned, Total: s.Total, Done: done}
	if !done {
		page.Next = tokenOf(cursor{r.name("/groups"), s.Queue + "\x00" + s.Group})
	}
	return page, nil
}
