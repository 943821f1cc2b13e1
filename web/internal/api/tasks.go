package api

import (
	"context"
	"net/http"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
)

// How much is looked at for one request: of tasks, and of runs, each of which takes a trip.
const (
	taskBudget = 5000
	runBudget  = 1000
)

func taskRoutes() []route {
	newest := param{name: "newest", help: "the other way round in each state and queue", kind: truth, def: "false"}
	return []route{
		get("/tasks", "tasks", "Tasks that a query takes. A request looks at 5,000 of them at most: it may give few, or none, and a cursor with which to go on.",
			[]param{queryParam("tasks"), limitParam, cursorParam, newest}, listTasks),
		get("/task", "tasks", "All that is known of a task, and why it is not running.", []param{queueParam, idParam}, readTask),
		download("/task/payload", "tasks", "The payload of a task, as it is.", []param{queueParam, idParam}, readPayload),
		download("/task/result", "tasks", "What the handler of a task wrote, as it is.", []param{queueParam, idParam}, readResult),
	}
}

// Tasks are what a search for tasks has found.
type Tasks struct {
	List[view.Task]

	Scanned int               `json:"scanned"`          // how many were looked at since the first page
	Total   int               `json:"total"`            // how many there were to look at, when the first page was made
	Done    bool              `json:"done"`             // there are no more
	Broken  map[string]string `json:"broken,omitempty"` // queues that cannot be read, and why
}

func listTasks(ctx context.Context, a *api, r *request) (Tasks, error) {
	q, err := query.Tasks.Parse(r.args["q"])
	if err != nil {
		return Tasks{}, err
	}
	if err := a.Mask.Query(r.who.Role, q); err != nil {
		return Tasks{}, err
	}
	s := &query.Search{Inspector: a.Storage.Inspector, Query: q, Newest: r.args.truth("newest")}
	if token := r.args["cursor"]; token != "" {
		if err := s.Resume(token); err != nil {
			return Tasks{}, err
		}
	}
	found, err := s.Next(ctx, r.args.number("limit"), taskBudget)
	if err != nil {
		return Tasks{}, err
	}
	servers, err := a.Storage.Servers(ctx)
	if err != nil {
		return Tasks{}, err
	}
	var shown []view.Task
	for _, i := range found.Tasks {
		shown = append(shown, view.TaskOf(a.Mask.Info(r.who.Role, i), servers...))
	}
	page := Tasks{List: listOf(shown), Scanned: found.Scanned, Total: found.Total, Done: found.Done, Broken: texts(s.Broken)}
	page.Next = s.Token()
	return page, nil
}

func readTask(ctx context.Context, a *api, r *request) (view.Task, error) {
	i, err := a.task(ctx, r)
	if err != nil {
		return view.Task{}, err
	}
	servers, err := a.Storage.Servers(ctx)
	if err != nil {
		return view.Task{}, err
	}
	figures, err := a.Storage.Inspector.Figures(ctx, i.Queue)
	if err != nil {
		return view.Task{}, err
	}
	t := view.TaskOf(i, servers...)
	t.Why = view.Why(time.Now(), i, figures[0].Paused, serving(servers, i.Queue))
	return t, nil
}

// task reads the task that is asked for: what may be seen of it.
func (a *api) task(ctx context.Context, r *request) (*task.Info, error) {
	i, err := a.Storage.Inspector.Get(ctx, r.args["queue"], r.args["id"])
	if err != nil {
		return nil, err
	}
	return a.Mask.Info(r.who.Role, i), nil
}

// serving returns how many servers take tasks from a queue.
func serving(servers []broker.Server, name string) (n int) {
	for _, s := range servers {
		if _, serves := s.Queues[name]; serves && s.Status == "active" {
			n++
		}
	}
	return n
}

func readPayload(ctx context.Context, a *api, r *request) (file, error) {
	i, err := a.task(ctx, r)
	if err != nil {
		return file{}, err
	}
	return file{i.ID + ".payload", i.Payload}, nil
}

func readResult(ctx context.Context, a *api, r *request) (file, error) {
	i, err := a.task(ctx, r)
	if err != nil {
		return file{}, err
	}
	if i.Result == nil {
		return file{}, problem.New(http.StatusNotFound, "no-result", "the task has no result")
	}
	return file{i.ID + ".result", i.Result}, nil
}
