package cron

import (
	"errors"
	"time"
)

// A rule says when a schedule ticks, were it for ever.
type rule interface {
	// next returns the first tick later than t. It is a whole second, or
	// as far from one as the rule's start is.
	next(t time.Time) time.Time
}

// byRealTime ticks whenever the clocks of a zone show what matches.
type byRealTime struct {
	fields
	zone *time.Location
}

func (r byRealTime) next(t time.Time) time.Time {
	s := spanAt(t, r.zone)
	for {
		w := r.after(s.wall(t))
		if at := s.instant(w); !s.over(at) {
			return at
		}
		t = s.to.Add(-1) // its first instant may be a tick
		s = spanAt(s.to, r.zone)
	}
}

// byWallClock ticks when the clocks of a zone first show what matches, or are
// past it.
type byWallClock struct {
	fields
	zone *time.Location
}

// longestGap is how much a switch may skip. More is a change of the calendar.
const longestGap = 3 * time.Hour

func (r byWallClock) next(t time.Time) time.Time {
	w := r.after(shownUntil(t, r.zone))
	s := spanAt(t, r.zone)
	for {
		at := s.instant(w)
		if !s.over(at) {
			return at
		}
		later := spanAt(s.to, r.zone)
		if first := later.wall(s.to); w.Before(first) {
			if later.offset-s.offset <= longestGap {
				return s.to
			}
			w = r.after(first.Add(-1))
		}
		s = later
	}
}

// every ticks in equal intervals of real time.
type every struct {
	step time.Duration // whole seconds
	from time.Time     // what it is pinned to; zero for the Unix epoch
}

func parseEvery(words []string) (time.Duration, error) {
	if len(words) != 1 {
		return 0, errors.New("must be @every and a duration, such as @every 1h30m")
	}
	step, err := time.ParseDuration(words[0])
	switch {
	case err != nil:
		return 0, err
	case step < time.Second || step%time.Second != 0:
		return 0, errors.New("must be of whole seconds, at least one")
	}
	return step, nil
}

func (e every) next(t time.Time) time.Time {
	from := e.from
	if from.IsZero() {
		from = time.Unix(0, 0)
	}
	step := int64(e.step / time.Second)
	since := t.Add(-time.Duration(from.Nanosecond())).Unix() - from.Unix()
	steps := since / step
	if since%step < 0 {
		steps--
	}
	return time.Unix(from.Unix()+(steps+1)*step, int64(from.Nanosecond()))
}
