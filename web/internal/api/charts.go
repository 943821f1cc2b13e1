package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/prom"
)

func chartRoutes() []route {
	var names []string
	for _, c := range prom.Charts() {
		names = append(names, c.Name)
	}
	return []route{
		get("/charts", "storage", "The charts that a Prometheus server gives.", nil, listCharts),
		get("/chart", "storage", "What a Prometheus server has scraped of one figure, over as long a time as it keeps.", []param{
			{name: "name", help: "of the chart", kind: text, required: true, words: names},
			{name: "queue", help: "only of this queue", kind: text},
			{name: "from", help: "RFC 3339; an hour before to, if it is not given", kind: text},
			{name: "to", help: "RFC 3339; now, if it is not given", kind: text},
		}, readChart),
	}
}

// A Chart is a figure over time that there is.
type Chart struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Unit  string `json:"unit"` // "": a number; /s: a second; s: seconds; B: bytes; %: of one
	Per   string `json:"per"`  // what it has a series for each of
}

func chartOf(c prom.Chart) Chart { return Chart{c.Name, c.Title, string(c.Unit), c.Per} }

// A Measured is a figure over a time, as Prometheus has scraped it.
type Measured struct {
	Chart

	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	StepSeconds float64   `json:"step_seconds"`
	Series      []Series  `json:"series"`
}

// A Series is a figure of one thing, in order of time.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"` // where there is no figure, there is no point
}

// A Point is what a figure was at a time.
type Point struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

var errNoPrometheus = problem.New(http.StatusNotImplemented, "no-prometheus", "no Prometheus server is known here")

func listCharts(_ context.Context, a *api, _ *request) (List[Chart], error) {
	if a.Prom == nil {
		return List[Chart]{}, errNoPrometheus
	}
	var all []Chart
	for _, c := range prom.Charts() {
		all = append(all, chartOf(c))
	}
	return listOf(all), nil
}

func readChart(ctx context.Context, a *api, r *request) (Measured, error) {
	if a.Prom == nil {
		return Measured{}, errNoPrometheus
	}
	c, _ := prom.Find(r.args["name"]) // the parameter takes no others
	from, to, err := a.stretch(r)
	if err != nil {
		return Measured{}, err
	}
	var queues []string
	if name := r.args["queue"]; name != "" {
		if queues = []string{name}; !c.ByQueue() {
			return Measured{}, task.Invalid("queue", name, "is for charts that have a series for each queue")
		}
	}
	lines, err := a.Prom.Range(ctx, c, from, to, queues)
	if err != nil {
		a.Logger.WarnContext(ctx, "Prometheus does not tell a chart", "chart", c.Name, "err", err, "cause", errors.Unwrap(err))
		return Measured{}, err
	}
	shown := Measured{Chart: chartOf(c), From: from.UTC(), To: to.UTC(), StepSeconds: prom.Step(to.Sub(from)).Seconds(), Series: []Series{}}
	for _, l := range lines {
		one := Series{Name: l.Name, Points: []Point{}}
		for _, p := range l.Points {
			one.Points = append(one.Points, Point{p.At.UTC(), p.Value})
		}
		shown.Series = append(shown.Series, one)
	}
	return shown, nil
}

// stretch returns the time that is asked for: otherwise the last hour of it.
func (a *api) stretch(r *request) (from, to time.Time, err error) {
	if to, err = r.args.time("to"); err != nil {
		return from, to, err
	}
	if to.IsZero() {
		to = a.Storage.Now()
	}
	if from, err = r.args.time("from"); err == nil && from.IsZero() {
		from = to.Add(-time.Hour)
	}
	return from, to, err
}
