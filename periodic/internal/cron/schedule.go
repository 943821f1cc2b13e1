package cron

import (
	"slices"
	"time"
)

// A Schedule says when a periodic entry ticks. It comes from [Parse], is a value
// that does not change, and is safe for concurrent use. The times that it
// returns are in its time zone, and at least a second apart.
type Schedule struct {
	spec       string
	zone       *time.Location
	start, end time.Time
	rule       rule
}

// String returns what [Parse] reads as the same schedule but for Start and End:
// the spec with single spaces, and its time zone before it unless that is UTC.
func (s Schedule) String() string {
	if name := s.zone.String(); name != "UTC" {
		return "CRON_TZ=" + name + " " + s.spec
	}
	return s.spec
}

// Zone returns the time zone.
func (s Schedule) Zone() *time.Location { return s.zone }

// Next returns the first tick later than t, or zero if there is none until End.
func (s Schedule) Next(t time.Time) time.Time {
	if t.Before(s.start) {
		t = s.start.Add(-1)
	}
	at := s.rule.next(t)
	if at.IsZero() || !s.end.IsZero() && at.After(s.end) {
		return time.Time{}
	}
	return at.In(s.zone)
}

// Last returns the latest tick that is not later than t, or zero if there is
// none since Start. It costs a few dozen calls of Next, however dense or
// sparse the ticks are.
func (s Schedule) Last(t time.Time) time.Time {
	if !s.end.IsZero() && t.After(s.end) {
		t = s.end
	}
	ticksWithin := func(back time.Duration) bool {
		at := s.Next(t.Add(-back))
		return !at.IsZero() && !at.After(t)
	}
	const farthest = 1 << 33 * time.Second // more than any @every
	var near, far time.Duration = 0, time.Second
	for !ticksWithin(far) {
		if far == farthest || t.Add(-far).Before(s.start) {
			return time.Time{}
		}
		near, far = far, 2*far
	}
	for far-near > time.Second {
		if mid := near + ((far - near) / 2).Truncate(time.Second); ticksWithin(mid) {
			far = mid
		} else {
			near = mid
		}
	}
	return s.Next(t.Add(-far))
}

// Between returns the first ticks, at most so many, that are later than from and
// not later than to, in order.
func (s Schedule) Between(from, to time.Time, most int) (ticks []time.Time) {
	for at := s.Next(from); len(ticks) < most && !at.IsZero() && !at.After(to); at = s.Next(at) {
		ticks = append(ticks, at)
	}
	return ticks
}

// LastBetween returns the latest ticks, at most so many, that are later than from
// and not later than to, in order. What it costs grows with their number, not
// with the time or with the ticks between from and the first of them.
func (s Schedule) LastBetween(from, to time.Time, most int) (ticks []time.Time) {
	for at := s.Last(to); len(ticks) < most && at.After(from); at = s.Last(at.Add(-1)) {
		ticks = append(ticks, at)
	}
	slices.Reverse(ticks)
	return ticks
}

// Count returns how many ticks are later than from and not later than to. It
// stops counting at most.
func (s Schedule) Count(from, to time.Time, most int) (n int) {
	for at := s.Next(from); n < most && !at.IsZero() && !at.After(to); at = s.Next(at) {
		n++
	}
	return n
}

// Period returns the time between the next two ticks after t, or zero if there
// are no two.
func (s Schedule) Period(t time.Time) time.Duration {
	first := s.Next(t)
	second := s.Next(first)
	if first.IsZero() || second.IsZero() {
		return 0
	}
	return second.Sub(first)
}
