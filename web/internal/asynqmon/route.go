package asynqmon

import (
	"context"
	"net/http"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/deed"
)

// A route is an address of asynqmon's.
type route struct {
	method   string
	path     string // with the names in it in braces
	params   []string
	takesIDs bool      // it is sent ids of tasks
	deed     deed.Kind // what it does, is the deed of that kind
	name     string    // and name; "": it only reads
	do       func(ctx context.Context, m *monitor, c *call) (any, error)
}

var paging = []string{"size", "page"}

// routes returns the table of all 65 of them.
func routes() []route {
	all := []route{
		{method: http.MethodGet, path: "queues", do: listQueues},
		{method: http.MethodGet, path: "queues/{queue}", do: readQueue},
		{method: http.MethodDelete, path: "queues/{queue}", deed: deed.Queue, name: "remove", do: removeQueue},
		{method: http.MethodPost, path: "queues/{queue}:pause", deed: deed.Queue, name: "pause", do: doQueue("pause")},
		{method: http.MethodPost, path: "queues/{queue}:resume", deed: deed.Queue, name: "resume", do: doQueue("resume")},
		{method: http.MethodGet, path: "queue_stats", do: readStats},
		{method: http.MethodGet, path: "queues/{queue}/groups", do: listGroups},
		{method: http.MethodGet, path: "queues/{queue}/tasks/{id}", do: readTask},
		{method: http.MethodGet, path: "servers", do: listServers},
		{method: http.MethodGet, path: "scheduler_entries", do: listEntries},
		{method: http.MethodGet, path: "scheduler_entries/{entry}/enqueue_events", params: paging, do: listEvents},
		{method: http.MethodGet, path: "redis_info", do: readRedis},
		{method: http.MethodGet, path: "metrics", params: []string{"duration", "endtime", "queues"}, do: readMetrics},
	}
	for _, state := range task.States() {
		all = append(all, taskRoutes(state)...)
	}
	return all
}

// A verb is what can be done to tasks.
type verb struct {
	deed   string
	act    broker.Act
	method string // of what does it to one, or to all
	one    string // behind a task's id
	all    string // behind the name of the state
	many   string

	done, failed string // fields of what is answered for many
	count        string // and for all; "": nothing is
}

var (
	run     = verb{"run", broker.Run, http.MethodPost, ":run", ":run_all", ":batch_run", "pending_ids", "error_ids", "scheduled"}
	archive = verb{"archive", broker.Archive, http.MethodPost, ":archive", ":archive_all", ":batch_archive", "archived_ids", "error_ids", "archived"}
	remove  = verb{"delete", broker.Delete, http.MethodDelete, "", ":delete_all", ":batch_delete", "deleted_ids", "failed_ids", "deleted"}
	cancel  = verb{"cancel", broker.Cancel, http.MethodPost, ":cancel", ":cancel_all", ":batch_cancel", "canceled_ids", "error_ids", ""}
)

// verbs are those of each state.
var verbs = map[task.State][]verb{
	task.Active:      {cancel},
	task.Pending:     {remove, archive},
	task.Aggregating: {remove, archive, run},
	task.Scheduled:   {remove, archive, run},
	task.Retry:       {remove, archive, run},
	task.Archived:    {remove, run},
	task.Completed:   {remove},
}

// taskRoutes returns the routes of tasks in a state.
func taskRoutes(state task.State) []route {
	path := "queues/{queue}/" + state.String() + "_tasks"
	if state == task.Aggregating {
		path = "queues/{queue}/groups/{group}/" + state.String() + "_tasks"
	}
	all := []route{{method: http.MethodGet, path: path, params: paging, do: listTasks(state)}}
	for _, v := range verbs[state] {
		all = append(all,
			route{method: v.method, path: path + "/{id}" + v.one, deed: deed.Task, name: v.deed, do: doOne(state, v)},
			route{method: v.method, path: path + v.all, deed: deed.Task, name: v.deed, do: doAll(state, v)},
			route{method: http.MethodPost, path: path + v.many, deed: deed.Task, name: v.deed, takesIDs: true, do: doMany(state, v)},
		)
	}
	return all
}

// match returns the names in a path, if it is one of the route's.
func (r *route) match(path []string) (names map[string]string, ok bool) {
	parts := strings.Split(r.path, "/")
	if len(parts) != len(path) {
		return nil, false
	}
	names = map[string]string{}
	for i, part := range parts {
		name, verb, isName := strings.Cut(strings.TrimPrefix(part, "{"), "}")
		value, ends := strings.CutSuffix(path[i], verb)
		switch {
		case !isName && part != path[i], isName && (!ends || value == ""):
			return nil, false
		case isName:
			names[name] = value
		}
	}
	return names, true
}

// least returns the role that a route takes.
func (r *route) least() access.Role {
	if r.name == "" {
		return access.Viewer
	}
	d, err := deed.Find(r.deed, r.name)
	if err != nil {
		return access.Admin // the test finds them all
	}
	return d.Role
}
