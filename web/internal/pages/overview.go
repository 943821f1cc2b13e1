package pages

import (
	"context"
	"fmt"
	"html/template"
	"maps"
	"slices"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/web/internal/svg"
)

// overview is how everything stands.
type overview struct {
	Stats   view.Stats
	States  []counted
	Queues  []view.Queue
	Servers int
	Slots   int
	Running int
	Alerts  []alert
	Pace    pace
	Charts  charts
}

// A pace is how fast everything goes, and went while somebody looked.
type pace struct {
	Known     bool
	Processed float64 // tasks a second
	Spark     template.HTML
}

// A counted is how many tasks are in a state.
type counted struct {
	Name  string
	Count int
}

// shownStates are the states in the order in which they are shown.
var shownStates = []task.State{task.Active, task.Pending, task.Scheduled, task.Retry, task.Archived, task.Completed, task.Aggregating}

// stateNames returns the names of the states in that order.
func stateNames() (names []string) {
	for _, s := range shownStates {
		names = append(names, s.String())
	}
	return names
}

// An alert is something about some queues that somebody should look at.
type alert struct {
	Queues []string
	Text   string
}

var overviewPage = page{path: "/", name: "overview", title: "Overview", load: loadOverview}

func loadOverview(ctx context.Context, p *Pages, r *request) (any, error) {
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return nil, err
	}
	servers, err := p.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	o := overview{Stats: view.StatsOf(q.Infos), Servers: len(servers), Slots: q.Loads.All.Slots, Running: q.Loads.All.Active, Pace: paceOf(p.Storage.Pace()), Charts: p.charts(ctx, r, "")}
	for _, s := range shownStates {
		o.States = append(o.States, counted{s.String(), o.Stats.States[s.String()]})
	}
	unserved := alert{Text: "has tasks that wait, and no server serves it"}
	for _, i := range q.Infos {
		o.Queues = append(o.Queues, view.QueueOf(i))
		if load := q.Loads.Queues[i.Queue]; load.Slots == 0 && load.Ready > 0 {
			unserved.Queues = append(unserved.Queues, i.Queue)
		}
	}
	if len(unserved.Queues) > 0 {
		o.Alerts = append(o.Alerts, unserved)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Broken)) {
		o.Alerts = append(o.Alerts, alert{[]string{name}, problem.Of(q.Broken[name]).Detail})
	}
	return o, nil
}

func paceOf(samples []storage.Sample) pace {
	if len(samples) == 0 {
		return pace{}
	}
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = s.Processed
	}
	last := values[len(values)-1]
	return pace{Known: true, Processed: last, Spark: svg.Spark(fmt.Sprintf("%.1f tasks a second now, and before", last), "c0", values)}
}
