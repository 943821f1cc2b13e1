package pages

import (
	"fmt"
	"html/template"
	"time"

	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/internal/svg"
)

// Measures of a timeline.
const (
	timelineWidth = 960
	timelinePitch = 18
	timelineLeast = 3
)

// timeline draws when the attempts of a task began and ended, one below the other; the one
// that goes on lasts until now.
func timeline(now time.Time, attempts []view.Attempt, running *view.Holder) template.HTML {
	bars := make([]view.Attempt, 0, len(attempts)+1)
	for _, a := range attempts {
		if !a.StartedAt.IsZero() && !a.EndedAt.Before(a.StartedAt) {
			bars = append(bars, a)
		}
	}
	if running != nil && !running.StartedAt.IsZero() {
		bars = append(bars, view.Attempt{StartedAt: running.StartedAt, EndedAt: now, Worker: fmt.Sprintf("%s:%d", running.Host, running.PID)})
	}
	if len(bars) < 2 && running == nil || len(bars) == 0 {
		return ""
	}
	from, to := bars[0].StartedAt, bars[0].EndedAt
	for _, a := range bars {
		if a.StartedAt.Before(from) {
			from = a.StartedAt
		}
		if a.EndedAt.After(to) {
			to = a.EndedAt
		}
	}
	whole := max(to.Sub(from).Seconds(), 1e-3)
	var p svg.Pen
	p.Image("timeline", fmt.Sprintf("%s over %s", quantity.Many(len(bars), "attempt"), quantity.Seconds(whole)), timelineWidth, len(bars)*timelinePitch+4, false)
	for i, a := range bars {
		x := timelineWidth * a.StartedAt.Sub(from).Seconds() / whole
		width := max(timelineWidth*a.EndedAt.Sub(a.StartedAt).Seconds()/whole, timelineLeast)
		class, came := "state-archived", plain.Cut(plain.Name(a.Error), lineWidth)
		if a.Error == "" {
			class, came = "state-completed", "done"
		}
		if running != nil && i == len(bars)-1 {
			class, came = "state-active", "goes on"
		}
		p.Open("rect", "class", class, "x", min(x, timelineWidth-timelineLeast), "y", i*timelinePitch+4, "width", width, "height", timelinePitch-6, "rx", 2, "fill", "currentColor")
		p.Text("title", fmt.Sprintf("%s UTC, %s on %s: %s", a.StartedAt.Format(time.DateTime), quantity.Seconds(a.EndedAt.Sub(a.StartedAt).Seconds()), plain.Name(a.Worker), came))
		p.Close()
	}
	return p.HTML()
}
