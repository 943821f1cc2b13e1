package pages

import (
	"context"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/deed"
	"github.com/leatwork/leat/web/internal/mask"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/trail"
	"github.com/leatwork/leat/workflow"
)

var taskPage = page{path: "/task", name: "task", tab: "/tasks", modules: "copy", load: loadTask}

// A taskPlace is one task, with all that is known of it.
type taskPlace struct {
	Task     view.Task
	Acts     string // its state, as what may be done to it goes by that
	Why      string
	Step     *stepPlace
	Entry    string // the periodic entry whose tick it is of, or ""
	Links    []trail.Place
	Headers  []pair
	Attempts []view.Attempt // the last one first
	Timeline template.HTML
	Payload  document
	Result   document
	Progress document
}

// Title names the task.
func (t taskPlace) Title() string { return "Task " + t.Task.ID }

// A pair is a name and what it stands for.
type pair struct{ Name, Value string }

// A stepPlace is what a task is for in a run.
type stepPlace struct {
	workflow.Place
	Queue string // beside which the run is kept
}

var errNoTask = problem.New(http.StatusBadRequest, "", "the address names no task: it needs a queue and an id")

func loadTask(ctx context.Context, p *Pages, r *request) (any, error) {
	queue, id := r.get("queue"), r.get("id")
	if queue == "" || id == "" {
		return nil, errNoTask
	}
	i, err := p.Storage.Inspector.Get(ctx, queue, id)
	if err != nil {
		return nil, err
	}
	step, err := p.placeOf(ctx, queue, id)
	if err != nil {
		return nil, err
	}
	i = p.Rules.Info(r.Who.Role, i)
	servers, err := p.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	q, err := p.Storage.Queues(ctx)
	if err != nil {
		return nil, err
	}
	paused := false
	for _, one := range q.Infos {
		paused = paused || one.Queue == queue && one.Paused
	}
	now := p.Storage.Now()
	o := taskPlace{
		Task: view.TaskOf(i, servers...), Acts: deed.TaskState(i), Step: step, Entry: i.Headers[periodic.HeaderEntry],
		Why: view.Why(now, i, paused, servedBy(queue, servers)), Links: p.linksOf(i),
	}
	for _, name := range slices.Sorted(maps.Keys(i.Headers)) {
		o.Headers = append(o.Headers, pair{plain.Name(name), plain.Name(i.Headers[name])})
	}
	o.Attempts = slices.Clone(o.Task.Attempts)
	slices.Reverse(o.Attempts)
	o.Timeline = timeline(now, o.Task.Attempts, o.Task.Worker)
	return o, o.documents(ctx, p, r, i)
}

// servedBy returns how many servers take tasks from a queue.
func servedBy(queue string, servers []broker.Server) (n int) {
	for _, s := range servers {
		if _, serves := s.Queues[queue]; serves && s.Status == "active" {
			n++
		}
	}
	return n
}

// placeOf returns what a task is for in a run, or nil. Only an id that an engine has made
// has that sign in it.
func (p *Pages) placeOf(ctx context.Context, queue, id string) (*stepPlace, error) {
	if !strings.Contains(id, "~") {
		return nil, nil
	}
	stored, err := p.Storage.Broker.Entry(ctx, broker.EntryRef{Queue: queue, ID: id})
	if err != nil {
		return nil, err
	}
	place, ok := workflow.PlaceOf(stored.Entry)
	if !ok {
		return nil, nil
	}
	return &stepPlace{place, stored.Home.Queue}, nil
}

// linksOf returns where links lead for a task.
func (p *Pages) linksOf(i *task.Info) (places []trail.Place) {
	for _, l := range p.Links {
		if place, ok := l.For(i, mask.Hidden); ok {
			places = append(places, place)
		}
	}
	return places
}

// documents fills in what a user has written.
func (t *taskPlace) documents(ctx context.Context, p *Pages, r *request, i *task.Info) (err error) {
	for _, d := range []struct {
		to    *document
		title string
		part  string
		b     []byte
		write writer
	}{
		{&t.Payload, "Payload", "payload", i.Payload, p.FormatPayload},
		{&t.Result, "Result", "result", i.Result, p.FormatResult},
		{&t.Progress, "Progress", "progress", i.Progress, nil},
	} {
		if *d.to, err = p.documentOf(ctx, r, d.title, i.Type, d.b, d.write); err != nil {
			return err
		}
		if d.to.Raw, err = p.url("/task/raw", "queue", i.Queue, "id", i.ID, "part", d.part); err != nil {
			return err
		}
	}
	return nil
}
