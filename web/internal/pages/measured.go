package pages

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/web/internal/prom"
	"github.com/leatwork/leat/web/internal/svg"
)

// askAtOnce is how many charts Prometheus is asked for at a time.
const askAtOnce = 4

// measured adds the charts of what Prometheus has scraped. What it does not tell is a note
// in place of the chart.
func (p *Pages) measured(ctx context.Context, c *charts, queue string, back time.Duration) {
	to := p.Storage.Now()
	from := to.Add(-back)
	var queues []string
	if queue != "" {
		queues = []string{queue}
	}
	var kinds []prom.Chart
	for _, k := range prom.Charts() {
		if queue == "" || k.ByQueue() {
			kinds = append(kinds, k)
		}
	}
	drawn := make([]chart, len(kinds))
	room := make(chan struct{}, askAtOnce)
	var all sync.WaitGroup
	for i, k := range kinds {
		all.Go(func() {
			room <- struct{}{}
			defer func() { <-room }()
			lines, err := p.Prom.Range(ctx, k, from, to, queues)
			drawn[i] = p.drawMeasured(ctx, k, lines, err, from, to)
		})
	}
	all.Wait()
	c.Charts = drawn
}

func (p *Pages) drawMeasured(ctx context.Context, k prom.Chart, lines []prom.Series, err error, from, to time.Time) chart {
	drawn := chart{Title: k.Title}
	switch {
	case err != nil:
		p.Logger.WarnContext(ctx, "Prometheus does not tell a chart", "chart", k.Name, "err", err, "cause", errors.Unwrap(err))
		drawn.Note = plain.Name(err.Error())
		return drawn
	case len(lines) == 0:
		drawn.Note = "Prometheus has nothing of it in this time"
		return drawn
	}
	d := svg.Chart{Label: k.Title, From: from, To: to, Width: chartWidth, Height: chartHeight, Write: writers[k.Unit], Gap: 2 * prom.Step(to.Sub(from))}
	for _, l := range lines {
		s := svg.Series{Name: plain.Name(l.Name)}
		for _, at := range l.Points {
			s.Points = append(s.Points, svg.Point{At: at.At, Value: at.Value})
		}
		d.Series = append(d.Series, s)
	}
	drawn.SVG = svg.Lines(d)
	return drawn
}

// writers write values of a unit.
var writers = map[prom.Unit]func(float64) string{
	prom.Count: svg.Count, prom.PerSecond: svg.Count, prom.Seconds: svg.Seconds, prom.Bytes: svg.Bytes,
	prom.Share: func(v float64) string { return svg.Count(100*v) + " %" },
}
