package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/leatwork/leat/internal/tracetree"
)

// The room for what is drawn, in pixels.
const (
	width       = 900
	left, right = 232, 812 // of the time
	head        = 74       // above the first row
	rowHeight   = 18
	traceGap    = 12 // between traces
	foot        = 12 // below the last row
	indent      = 13
	narrowest   = 2.5 // of a bar
)

//go:embed plot.svg
var plotText string

var plotTemplate = template.Must(template.New("plot.svg").Parse(plotText))

// plot draws spans, to be seen on a light and on a dark page.
func plot(title string, spans []tracetree.Span) (string, error) {
	var b strings.Builder
	err := plotTemplate.Execute(&b, newDrawing(title, tracetree.Rows(spans)))
	return b.String(), err
}

// A drawing is spans in pixels.
type drawing struct {
	Title         string
	Width, Height float64
	Left, Top     float64
	Right, Bottom float64
	Services      []label
	Shapes        []label // what the shapes of bars mean
	Ticks         []label
	Bars          []bar
	Links         []curve

	began    time.Time
	perPixel time.Duration
}

type label struct {
	X     float64
	Text  string
	Class string
}

// A bar is a span.
type bar struct {
	Name    string
	NameX   float64
	Root    bool
	Class   string // of its service
	Shape   string // "cover", "wait" or "work"
	X, Y, W float64
	Odd     bool // has another background than the rows beside it
	Failed  bool
	Note    string // how long it took, and why it failed or waited
	NoteX   float64
}

// A curve goes from what is linked to, to what links to it and has come of it.
type curve struct{ X1, Y1, X2, Y2 float64 }

func newDrawing(title string, rows []tracetree.Row) drawing {
	began, ended := extent(rows)
	d := drawing{
		Title: title, Width: width, Left: left, Right: right, Top: head, Shapes: shapes,
		began: began, perPixel: max(1, ended.Sub(began)/(right-left)),
	}
	classes := d.services(rows)
	at := map[tracetree.Ref]bar{}
	y := float64(head)
	for i, r := range rows {
		if i > 0 && r.Depth == 0 {
			y += traceGap
		}
		b := d.bar(r, y, classes[r.Service])
		b.Odd = i%2 == 1
		at[r.Ref] = b
		d.Bars = append(d.Bars, b)
		y += rowHeight
	}
	d.Bottom, d.Height = y, y+foot
	d.Ticks = d.ticks(ended.Sub(began))
	d.Links = links(rows, at)
	return d
}

// shapes explains the shapes of bars.
var shapes = []label{
	{X: right - 380, Text: "covers what is below", Class: "cover"},
	{X: right - 200, Text: "waits", Class: "wait"},
	{X: right - 115, Text: "works", Class: "work"},
	{X: right - 30, Text: "links to", Class: "link"},
}

// extent returns when the first of all spans began, and the last ended.
func extent(rows []tracetree.Row) (began, ended time.Time) {
	for i, r := range rows {
		if i == 0 || r.Began.Before(began) {
			began = r.Began
		}
		if r.Ended.After(ended) {
			ended = r.Ended
		}
	}
	return began, ended
}

// services gives each service a class, and lists them in order of their first span.
func (d *drawing) services(rows []tracetree.Row) map[string]string {
	var names []string
	for _, r := range rows {
		if !slices.Contains(names, r.Service) {
			names = append(names, r.Service)
		}
	}
	classes := map[string]string{}
	x := 8.0
	for i, name := range names {
		classes[name] = fmt.Sprintf("s%d", i%4)
		d.Services = append(d.Services, label{x, name, classes[name]})
		x += 34 + 6.5*float64(len(name))
	}
	return classes
}

func (d *drawing) across(t time.Time) float64 {
	return tenth(left + float64(t.Sub(d.began))/float64(d.perPixel))
}

func tenth(x float64) float64 { return math.Round(x*10) / 10 }

func (d *drawing) bar(r tracetree.Row, y float64, class string) bar {
	b := bar{
		Name: r.Name, NameX: 8 + float64(r.Depth*indent), Root: r.Depth == 0, Class: class, Shape: shape(r.Span),
		X: d.across(r.Began), Y: y, Failed: r.Failed, Note: rounded(r.Ended.Sub(r.Began)),
	}
	b.W = tenth(max(narrowest, d.across(r.Ended)-b.X))
	b.NoteX = b.X + b.W + 5
	if why := r.Attributes["error.type"]; r.Failed && why != "" {
		b.Note += ", " + why[strings.LastIndexAny(why, "./")+1:]
	}
	if reason := r.Attributes["leat.wait.reason"]; reason != "" && reason != "queue" {
		b.Note += ", " + reason
	}
	return b
}

// shape says what kind of span it is: one that covers others, a wait, or work.
func shape(s tracetree.Span) string {
	switch first, _, _ := strings.Cut(s.Name, " "); {
	case first == "wait", first == "await", first == "timer":
		return "wait"
	case slices.Contains([]string{"workflow", "step", "task", "aggregate", "tick", "undo"}, first):
		return "cover"
	}
	return "work"
}

// rounded returns a duration with three digits at most.
func rounded(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// ticks returns the marks of the time's axis.
func (d *drawing) ticks(all time.Duration) (ticks []label) {
	step := stepOf(all)
	for at := time.Duration(0); at <= all; at += step {
		ticks = append(ticks, label{X: d.across(d.began.Add(at)), Text: fmt.Sprintf("%d ms", at.Milliseconds())})
	}
	return ticks
}

// stepOf returns what lies between two marks, of which there are at most nine.
func stepOf(all time.Duration) time.Duration {
	for unit := time.Millisecond; ; unit *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if all/(n*unit) <= 8 {
				return n * unit
			}
		}
	}
}

// links returns a curve for each link to what began before, and ended before.
func links(rows []tracetree.Row, at map[tracetree.Ref]bar) (curves []curve) {
	for _, r := range rows {
		for _, l := range r.Links {
			from, known := at[l]
			to := at[r.Ref]
			if !known || cmp.Or(cmp.Compare(from.X, to.X), cmp.Compare(from.Y, to.Y)) >= 0 || from.X+from.W > to.X+to.W {
				continue
			}
			const middle = rowHeight / 2
			x := min(from.X+from.W, to.X)
			curves = append(curves, curve{x, from.Y + middle, to.X, to.Y + middle})
		}
	}
	return curves
}
