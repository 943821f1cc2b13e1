package cron

import "time"

// A span is a time within which a zone's clocks run without a switch. What they
// show, the wall clock time, is written as the time of UTC that shows the same.
type span struct {
	from, to time.Time // from is of it, to is not; zero if it has no such end
	offset   time.Duration
}

func spanAt(t time.Time, zone *time.Location) span {
	t = t.In(zone)
	from, to := t.ZoneBounds()
	for !to.IsZero() && !to.After(t) {
		to = to.AddDate(0, 0, 1) // on the last day of a leap year it is a day early: go.dev/issue/81583
	}
	_, offset := t.Zone()
	return span{from: from, to: to, offset: time.Duration(offset) * time.Second}
}

func (s span) wall(t time.Time) time.Time    { return t.UTC().Add(s.offset) }
func (s span) instant(w time.Time) time.Time { return w.Add(-s.offset) }

// over reports whether t is later than s.
func (s span) over(t time.Time) bool { return !s.to.IsZero() && !t.Before(s.to) }

// farthestBack is more than clocks are ever set back.
const farthestBack = 48 * time.Hour

// shownUntil returns the latest wall clock time that the clocks of zone have
// shown until t. It is later than what they show at t if they were set back.
func shownUntil(t time.Time, zone *time.Location) time.Time {
	s := spanAt(t, zone)
	latest := s.wall(t)
	for !s.from.IsZero() && t.Sub(s.from) < farthestBack {
		last := s.from.Add(-1)
		s = spanAt(last, zone)
		if w := s.wall(last); w.After(latest) {
			latest = w
		}
	}
	return latest
}
