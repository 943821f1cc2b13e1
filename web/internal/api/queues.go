package api

import (
	"context"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/problem"
)

func queueRoutes() []route {
	days := param{name: "days", help: "how many days, today included", kind: number, def: "10", least: 1, most: broker.MaxHistory}
	return []route{
		get("/queues", "queues", "The figures of queues, in order of their names.", []param{queryParam("queues"), limitParam, cursorParam}, listQueues),
		get("/queue", "queues", "The figures of one queue, with the memory that it takes.", []param{nameParam}, readQueue),
		get("/queue/history", "queues", "How many outcomes a queue had on each of the last days, today (UTC) first.", []param{nameParam, days}, readDays),
		get("/groups", "groups", "Groups in which tasks wait to be folded, in order of their queues and names.", []param{{name: "queue", help: "only those of this queue", kind: text}, limitParam, cursorParam}, listGroups),
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
	i, err := a.Storage.Inspector.QueueInfo(ctx, r.args["name"])
	if err != nil {
		return view.Queue{}, err
	}
	shown := view.QueueOf(*i)
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

func listGroups(ctx context.Context, a *api, r *request) (List[view.Group], error) {
	queues := []string{r.args["queue"]}
	if queues[0] == "" {
		var err error
		if queues, err = grouping(ctx, a); err != nil {
			return List[view.Group]{}, err
		}
	}
	var shown []view.Group
	for _, name := range queues {
		groups, err := a.Storage.Inspector.Groups(ctx, name)
		if err != nil {
			return List[view.Group]{}, err
		}
		for _, g := range groups {
			shown = append(shown, view.GroupOf(name, g))
		}
	}
	return pageOf(r, "/groups", shown, func(g view.Group) string { return g.Queue + "\x00" + g.Group })
}

// grouping returns the queues that have groups.
func grouping(ctx context.Context, a *api) (names []string, err error) {
	all, err := a.Storage.Queues(ctx)
	for _, i := range slices.DeleteFunc(slices.Clone(all.Infos), func(i queue.QueueInfo) bool { return i.Groups == 0 }) {
		names = append(names, i.Queue)
	}
	return names, err
}
