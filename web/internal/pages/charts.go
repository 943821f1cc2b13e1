package pages

import (
	"context"
	"html/template"
	"math"
	"time"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/web/internal/problem"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/web/internal/svg"
)

// A chart is a figure over time, drawn.
type chart struct {
	Title string
	SVG   template.HTML
	Note  string // why there is none
}

const (
	chartWidth  = 620
	chartHeight = 190
)

// charts are those of one stretch of time.
type charts struct {
	Range   string // that is shown
	Ranges  []string
	Sources []source // if there is a choice
	Note    string   // why something is missing
	Charts  []chart
	Heat    *chart // how long tasks waited
}

// A source is where charts may come from.
type source struct {
	Name, Title string
	Chosen      bool
}

const fromPrometheus = "prometheus"

// charts returns the charts of a queue, or of all together if its name is "", from where
// the request says.
func (p *Pages) charts(ctx context.Context, r *request, queue string) charts {
	name, back := rangeOf(r)
	c := charts{Range: name}
	for _, one := range ranges {
		c.Ranges = append(c.Ranges, one.name)
	}
	outside := p.Prom != nil && r.get("from") == fromPrometheus
	if p.Prom != nil {
		c.Sources = []source{{"", "Kept here", !outside}, {fromPrometheus, "Prometheus", outside}}
	}
	if outside {
		p.measured(ctx, &c, queue, back)
	} else {
		p.remembered(ctx, &c, queue, back)
	}
	return c
}

// ranges are how far back charts may reach. What lies further back than two days is told by
// the hour.
var ranges = []struct {
	name string
	back time.Duration
}{
	{"1h", time.Hour}, {"6h", 6 * time.Hour}, {"1d", 24 * time.Hour}, {"2d", 48 * time.Hour},
	{"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}, {"90d", 90 * 24 * time.Hour},
}

// rangeOf returns the range that a request names, or else the first.
func rangeOf(r *request) (name string, back time.Duration) {
	for _, one := range ranges {
		if one.name == r.get("range") {
			return one.name, one.back
		}
	}
	return ranges[0].name, ranges[0].back
}

// remembered adds the charts of what the broker keeps. That some of it cannot be read is a
// note, and no error.
func (p *Pages) remembered(ctx context.Context, c *charts, queue string, back time.Duration) {
	f, err := p.Storage.Figures(ctx, storage.Span{Queue: queue, Back: back})
	if err != nil {
		p.Logger.WarnContext(ctx, "the history of figures cannot be read", "queue", queue, "err", err)
		c.Note = problem.Of(err).Detail
	}
	if f.Len() == 0 {
		return
	}
	c.Charts = []chart{
		{Title: "Throughput, tasks a second", SVG: drawn(f, "Tasks a second", svg.Count, processedLine(f), failedLine(f))},
		{Title: "Tasks in the queues", SVG: drawn(f, "Tasks by state", svg.Count, gaugeLines(f)...)},
		{Title: "How long tasks waited", SVG: drawn(f, "How long tasks waited", svg.Seconds, quantiles(f, func(one history.Figure) history.Histogram { return one.Waits })...)},
		{Title: "How long tasks ran", SVG: drawn(f, "How long tasks ran", svg.Seconds, quantiles(f, func(one history.Figure) history.Histogram { return one.Runs })...)},
	}
	c.Heat = &chart{Title: "How many waited how long", SVG: heatOf(f)}
}

// drawn draws lines over the time of figures.
func drawn(f history.Figures, label string, write func(float64) string, lines ...svg.Series) template.HTML {
	return svg.Lines(svg.Chart{Label: label, From: f.From, To: f.To, Series: lines, Width: chartWidth, Height: chartHeight, Write: write})
}

// line returns a value of each step.
func line(f history.Figures, name, class string, value func(i int) float64) svg.Series {
	s := svg.Series{Name: name, Class: class}
	for i := range f.Len() {
		s.Points = append(s.Points, svg.Point{At: f.Time(i), Value: value(i)})
	}
	return s
}

func processedLine(f history.Figures) svg.Series {
	return rateLine(f, "processed", "c0", func(one history.Figure) int64 { return one.Processed })
}

func failedLine(f history.Figures) svg.Series {
	return rateLine(f, "failed", "c1", func(one history.Figure) int64 { return one.Failed })
}

func rateLine(f history.Figures, name, class string, of func(history.Figure) int64) svg.Series {
	return line(f, name, class, func(i int) float64 {
		if !f.Told(i) {
			return math.NaN()
		}
		return f.Rate(i, of(f.Total.Steps[i]))
	})
}

func gaugeLines(f history.Figures) []svg.Series {
	gauge := func(name, class string, of func(history.Gauges) int64) svg.Series {
		return line(f, name, class, func(i int) float64 {
			if g := f.Total.Gauges[i]; g.Known {
				return float64(of(g))
			}
			return math.NaN()
		})
	}
	return []svg.Series{
		gauge("pending", "state-pending", func(g history.Gauges) int64 { return g.Pending }),
		gauge("active", "state-active", func(g history.Gauges) int64 { return g.Active }),
		gauge("scheduled", "state-scheduled", func(g history.Gauges) int64 { return g.Scheduled }),
		gauge("retry", "state-retry", func(g history.Gauges) int64 { return g.Retry }),
		gauge("archived", "state-archived", func(g history.Gauges) int64 { return g.Archived }),
		gauge("aggregating", "state-aggregating", func(g history.Gauges) int64 { return g.Aggregating }),
	}
}

func quantiles(f history.Figures, of func(history.Figure) history.Histogram) []svg.Series {
	quantile := func(name, class string, q float64) svg.Series {
		return line(f, name, class, func(i int) float64 {
			if h := of(f.Total.Steps[i]); h.Count() > 0 {
				return h.Quantile(q).Seconds()
			}
			return math.NaN()
		})
	}
	return []svg.Series{quantile("p50", "c2", .5), quantile("p95", "c4", .95), quantile("p99", "c1", .99)}
}

func heatOf(f history.Figures) template.HTML {
	m := svg.HeatMap{Label: "How many tasks waited how long", From: f.From, To: f.To, Every: f.Step, Width: chartWidth, Height: 260}
	for i := range history.Buckets - 1 {
		m.Bounds = append(m.Bounds, history.Bound(i).Seconds())
	}
	for i := range f.Len() {
		h := svg.Histogram{At: f.Time(i)}
		for b := range history.Buckets {
			h.Counts = append(h.Counts, int(f.Total.Steps[i].Waits.Of(b)))
		}
		m.Columns = append(m.Columns, h)
	}
	return svg.Heat(m)
}
