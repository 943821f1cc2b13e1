package rundraw

import (
	"time"

	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/view"
)

// besides returns when the steps of a figure of run r were worked on in another run, as if
// that had begun with r; zero if they were not, or there is no other.
func besides(r view.Run, f outline.Figure, now time.Time, other *view.Run) (all outline.Span) {
	if other == nil {
		return all
	}
	later := beginOf(r).Sub(beginOf(*other))
	for _, s := range f.Steps {
		if same, ok := other.Find(s.Name); ok {
			all = joined(all, outline.RowOf(*other, same, now).Work)
		}
	}
	if !all.IsZero() {
		all.From, all.To = all.From.Add(later), all.To.Add(later)
	}
	return all
}

// beginOf returns when a run began.
func beginOf(r view.Run) time.Time {
	if r.BeginsAt.After(r.StartedAt) {
		return r.BeginsAt
	}
	return r.StartedAt
}

// besideHeight is how high the bar of the other run is.
func (c *chart) besideHeight() int {
	if c.pitch == widePitch {
		return 3
	}
	return 1
}
