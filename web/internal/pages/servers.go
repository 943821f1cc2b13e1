package pages

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/svg"
)

var serversPage = page{path: "/servers", name: "servers", title: "Servers", modules: "query", load: loadServers}

// servers are those that are alive, or those of them that a query takes.
type servers struct {
	Query          string
	Fault          *fault
	Headings       []heading
	Rows           []serverRow
	All            int
	Taken          int // by the query
	Left           int // how many of those are not shown, because they are too many
	Slots, Running int // of those that the query takes
}

// A serverRow is a server with what is drawn of it.
type serverRow struct {
	view.Server
	Listens []listening
	Busy    template.HTML
}

// A listening is a queue of a server.
type listening struct {
	Queue    string
	Priority int
}

var serverColumns = []column[serverRow]{
	{Key: "server", Title: "Server", less: func(a, b serverRow) int { return cmp.Or(strings.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID)) }},
	{Key: "state", Title: "State", less: func(a, b serverRow) int { return strings.Compare(a.State, b.State) }},
	byNumber("running", "Running", "how many of its slots are busy", func(r serverRow) int { return r.Running }),
	{Title: "Busy"},
	{Key: "started", Title: "Started", less: func(a, b serverRow) int { return a.StartedAt.Compare(b.StartedAt) }},
	{Title: "Queues", Help: "with their priorities"},
}

func loadServers(ctx context.Context, p *Pages, r *request) (any, error) {
	all, err := p.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	o := servers{Query: r.get("q"), All: len(all)}
	takes, fault, err := parse(query.Servers, o.Query)
	if err != nil {
		return nil, err
	}
	now := p.Storage.Now()
	if o.Fault = fault; fault == nil {
		for _, s := range all {
			if takes.Match(now, s) {
				row := serverRow{Server: view.ServerOf(now, s)}
				o.Rows = append(o.Rows, row)
				o.Slots, o.Running = o.Slots+row.Concurrency, o.Running+row.Running
			}
		}
	}
	o.Headings, err = sorted(p, r, serverColumns, o.Rows)
	o.Taken = len(o.Rows)
	o.Rows, o.Left = firstOf(o.Rows, mostServers)
	for i := range o.Rows {
		o.Rows[i].draw()
	}
	return o, err
}

const mostServers = 500 // in the table

// draw draws what is drawn of a row.
func (r *serverRow) draw() {
	r.Workers = nil // they are not shown here, and their payloads are masked where they are
	label := fmt.Sprintf("%d of %d slots are busy", r.Running, r.Concurrency)
	r.Busy = svg.Progress(label, float64(max(r.Concurrency, r.Running)), svg.Part{Name: "busy", Class: "state-active", Value: float64(r.Running)})
	for _, name := range slices.SortedFunc(maps.Keys(r.Queues), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Queues[b], r.Queues[a]), strings.Compare(a, b))
	}) {
		r.Listens = append(r.Listens, listening{name, r.Queues[name]})
	}
}

var serverPage = page{path: "/server", name: "server", tab: "/servers", load: loadServer}

// A serverPlace is one server.
type serverPlace struct {
	serverRow
	Working []working
}

// A working is what a server is running.
type working struct {
	view.Worker
	Beginning []byte        // of its payload
	Spent     template.HTML // how much of the time that it has is over
	Left      float64       // seconds until its deadline
}

// Title names the server.
func (s serverPlace) Title() string { return fmt.Sprintf("Server %s:%d", s.Host, s.PID) }

var errNoServer = problem.New(http.StatusNotFound, "", "there is no such server, or it has ended")

func loadServer(ctx context.Context, p *Pages, r *request) (any, error) {
	all, err := p.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(s broker.Server) bool { return s.ID == r.get("id") })
	if i < 0 {
		return nil, errNoServer
	}
	now := p.Storage.Now()
	o := serverPlace{serverRow: serverRow{Server: view.ServerOf(now, all[i])}}
	o.draw()
	for _, w := range all[i].Workers {
		o.Working = append(o.Working, p.working(r, now, w))
	}
	slices.SortStableFunc(o.Working, func(a, b working) int { return a.StartedAt.Compare(b.StartedAt) })
	return o, nil
}

func (p *Pages) working(r *request, now time.Time, w broker.Worker) working {
	o := working{Worker: p.Rules.Worker(r.Who.Role, view.WorkerOf(now, w)), Beginning: p.Rules.Payload(r.Who.Role, w.Payload)}
	if w.Deadline.After(w.Started) {
		whole := w.Deadline.Sub(w.Started).Seconds()
		o.Left = w.Deadline.Sub(now).Seconds()
		class := "state-active"
		if o.RunsSeconds >= 0.9*whole {
			class = "state-archived"
		}
		o.Spent = svg.Progress("how much of its time is over", whole, svg.Part{Name: "over", Class: class, Value: min(o.RunsSeconds, whole)})
	}
	return o
}
