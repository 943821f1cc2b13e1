package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/internal/audit"
	"github.com/leatwork/leat/web/internal/problem"
)

func figureRoutes() []route {
	return []route{
		get("/figures", "storage", "What was done over time, by the minute for short times and by the hour or day for long ones, as far as servers have told.", []param{
			{name: "queue", help: "only in this queue", kind: text},
			{name: "from", help: "RFC 3339, at most 90 days ago; an hour before to, if it is not given", kind: text},
			{name: "to", help: "RFC 3339; now, if it is not given", kind: text},
		}, readFigures),
		get("/audit", "storage", "What was done by whom, the latest first.", []param{limitParam}, readAudit),
	}
}

// Figures are what was done between two times.
type Figures struct {
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	StepSeconds float64   `json:"step_seconds"`
	Steps       []Figure  `json:"steps"`
	Incomplete  string    `json:"incomplete,omitempty"` // why some of it is not known
}

// A Figure is what was done within one step of time.
type Figure struct {
	At        time.Time `json:"at"` // when it begins
	Processed int64     `json:"processed"`
	Failed    int64     `json:"failed"`
	Retried   int64     `json:"retried"`
	Archived  int64     `json:"archived"`
	Untold    bool      `json:"untold,omitempty"` // nothing is written of it as yet: servers write what a minute came to when it is over
	Waits     *Spread   `json:"waits,omitempty"`  // for how long tasks that were begun had been ready
	Runs      *Spread   `json:"runs,omitempty"`   // how long handlers took
}

// A Spread is how long some things took.
type Spread struct {
	Count       int64   `json:"count"`
	MeanSeconds float64 `json:"mean_seconds"`
	P50Seconds  float64 `json:"p50_seconds"`
	P95Seconds  float64 `json:"p95_seconds"`
	P99Seconds  float64 `json:"p99_seconds"`
}

func readFigures(ctx context.Context, a *api, r *request) (Figures, error) {
	asked, err := a.span(ctx, r)
	if err != nil {
		return Figures{}, err
	}
	found, err := history.Read(ctx, a.Storage.Broker, asked)
	_, isPartly := errors.AsType[*history.DocumentError](err)
	if err != nil && !isPartly {
		return Figures{}, err
	}
	shown := Figures{From: found.From.UTC(), To: found.To.UTC(), StepSeconds: found.Step.Seconds(), Steps: make([]Figure, found.Len())}
	if isPartly {
		shown.Incomplete = problem.Why(err)
	}
	for i := range shown.Steps {
		f := found.Total.Steps[i]
		shown.Steps[i] = Figure{
			At: found.Time(i).UTC(), Processed: f.Processed, Failed: f.Failed, Retried: f.Retried, Archived: f.Archived,
			Untold: !found.Told(i),
			Waits:  spreadOf(f.Waits), Runs: spreadOf(f.Runs),
		}
	}
	return shown, nil
}

// span returns the request for the figures that are asked for.
func (a *api) span(ctx context.Context, r *request) (asked history.Request, err error) {
	if asked.From, err = r.args.time("from"); err != nil {
		return asked, err
	}
	if asked.To, err = r.args.time("to"); err != nil {
		return asked, err
	}
	if name := r.args["queue"]; name != "" {
		asked.Queues = []string{name}
		return asked, nil
	}
	all, err := a.Storage.Queues(ctx)
	for _, i := range all.Infos {
		asked.Queues = append(asked.Queues, i.Queue)
	}
	return asked, err
}

// time returns a parameter that is a time, the zero time if it was not given.
func (a args) time(name string) (time.Time, error) {
	if a[name] == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, a[name])
	if err != nil {
		return t, task.Invalid(name, a[name], "must be a time in RFC 3339: 2026-11-30T12:00:00Z")
	}
	return t, nil
}

func spreadOf(h history.Histogram) *Spread {
	if h.Count() == 0 {
		return nil
	}
	return &Spread{
		Count: h.Count(), MeanSeconds: h.Mean().Seconds(),
		P50Seconds: h.Quantile(0.5).Seconds(), P95Seconds: h.Quantile(0.95).Seconds(), P99Seconds: h.Quantile(0.99).Seconds(),
	}
}

func readAudit(ctx context.Context, a *api, r *request) (List[audit.Entry], error) {
	if a.Audit == nil {
		return List[audit.Entry]{}, problem.New(http.StatusNotImplemented, "no-audit", "what is done is not kept here")
	}
	entries, err := a.Audit.Latest(ctx, r.args.number("limit"))
	for i := range entries {
		entries[i] = entries[i].Shown(r.who.Role, a.Mask)
	}
	return listOf(entries), err
}
