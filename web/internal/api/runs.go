package api

import (
	"context"
	"strconv"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// mostSteps is how many steps are read of the runs within a run.
const mostSteps = 500

func runRoutes() []route {
	one := []param{queueParam, idParam}
	children := param{name: "children", help: "with the runs that its steps are", kind: truth, def: "false"}
	output := []param{
		queueParam, idParam, {name: "step", help: "name of the step", kind: text, required: true},
		{name: "item", help: "of a map: which of its items", kind: number, least: 0, most: workflow.MaxWidth},
	}
	return []route{
		get("/runs", "runs", "Runs of workflows, the latest first. A request looks at 1,000 of them at most: it may give few, or none, and a cursor with which to go on.",
			[]param{queryParam("runs"), limitParam, cursorParam}, listRuns),
		get("/run", "runs", "How far a run has come.", append(one[:2:2], children), readRun),
		get("/run/items", "runs", "How the items of a map stand, in their order.", []param{queueParam, idParam, {name: "step", help: "name of the map", kind: text, required: true}, limitParam, cursorParam}, listItems),
		get("/run/history", "runs", "What has happened in a run, the oldest first.", one, readHappenings),
		download("/run/input", "runs", "What a run was started with, as it is.", one, readInput),
		download("/run/outcome", "runs", "What a run has come to, as it is.", one, readOutcome),
		download("/run/output", "runs", "What a step of a run has given, as it is.", output, readOutput),
	}
}

// Runs are what a search for runs has found.
type Runs struct {
	List[view.Run]

	Scanned int  `json:"scanned"` // how many were looked at since the first page
	Done    bool `json:"done"`    // there are no more
}

func listRuns(ctx context.Context, a *api, r *request) (Runs, error) {
	q, err := query.Runs.Parse(r.args["q"])
	if err != nil {
		return Runs{}, err
	}
	s := &query.RunSearch{Client: a.Storage.Client, Query: q}
	if token := r.args["cursor"]; token != "" {
		if err := s.Resume(token); err != nil {
			return Runs{}, err
		}
	}
	found, err := s.Next(ctx, r.args.number("limit"), runBudget)
	if err != nil {
		return Runs{}, err
	}
	now := time.Now()
	var shown []view.Run
	for _, run := range found.Runs {
		shown = append(shown, view.ListedRunOf(run, now))
	}
	page := Runs{List: listOf(shown), Scanned: found.Scanned, Done: found.Done}
	page.Next = s.Token()
	return page, nil
}

// run returns the run that is asked for.
func (a *api) run(r *request) workflow.Handle {
	return workflow.OpenRun(a.Storage.Client, r.args["queue"], r.args["id"])
}

func readRun(ctx context.Context, a *api, r *request) (view.Run, error) {
	most := 0
	if r.args.truth("children") {
		most = mostSteps
	}
	tree, err := a.run(r).Tree(ctx, most)
	if err != nil {
		return view.Run{}, err
	}
	servers, err := a.Storage.Servers(ctx)
	if err != nil {
		return view.Run{}, err
	}
	shown := view.RunOf(tree, time.Now(), servers...)
	if most == 0 {
		shown.Children, shown.Truncated = nil, false
	}
	return shown, nil
}

func readHappenings(ctx context.Context, a *api, r *request) (List[view.Happening], error) {
	happened, err := a.run(r).History(ctx)
	return listOf(view.HistoryOf(happened)), err
}

func listItems(ctx context.Context, a *api, r *request) (List[view.Item], error) {
	key, isBegun, err := r.after("/run/items")
	from, bad := strconv.Atoi(key)
	if err == nil && isBegun && (bad != nil || from < 0) {
		err = task.Invalid("cursor", r.args["cursor"], "is none that was given out")
	}
	if err != nil {
		return List[view.Item]{}, err
	}
	limit := r.args.number("limit")
	items, err := a.run(r).Items(ctx, r.args["step"], from, limit)
	page := listOf(view.ItemsOf(items))
	if len(items) == limit {
		page.Next = tokenOf(cursor{r.name("/run/items"), strconv.Itoa(from + limit)})
	}
	return page, err
}

func readInput(ctx context.Context, a *api, r *request) (file, error) {
	data, err := a.run(r).Input(ctx)
	return a.value(r, "input", data), err
}

func readOutcome(ctx context.Context, a *api, r *request) (file, error) {
	data, err := a.run(r).Outcome(ctx)
	return a.value(r, "outcome", data), err
}

func readOutput(ctx context.Context, a *api, r *request) (file, error) {
	step := r.args["step"]
	if r.args["item"] == "" {
		data, err := a.run(r).Output(ctx, step)
		return a.value(r, step, data), err
	}
	item := r.args.number("item")
	data, err := a.run(r).OutputOf(ctx, step, item)
	return a.value(r, step+"."+strconv.Itoa(item), data), err
}

// value returns what may be seen of a value of the run that is asked for.
func (a *api) value(r *request, of string, data []byte) file {
	return file{r.args["id"] + "." + of, a.Mask.Payload(r.who.Role, data)}
}
