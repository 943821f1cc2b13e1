package outline

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Stretch is a part of the axis of time: folded, if nothing happens in it.
type Stretch struct {
	Span
	X, Width int
	Folded   bool
}

// A Scale says where on the axis a time is. Its units are cells of a terminal, or pixels.
type Scale struct {
	Stretches []Stretch
	Width     int
	Zero      time.Time // since which its labels count: the beginning of the span, unless it is set

	units Units
}

// Units say how wide some things are.
type Units struct {
	Fold int // a time that is folded
	Tick int // from one label of the axis to the next, at least
}

// NewScale returns a scale for a span, in which the times without any of busy are folded if
// they are more than a third of it, but not all.
func NewScale(all Span, busy []Span, width int, u Units) Scale {
	s := Scale{Width: width, Zero: all.From, units: u}
	idle, total := gaps(all, busy), all.Length()
	var sum time.Duration
	for _, g := range idle {
		sum += g.Length()
	}
	if sum <= total/3 || sum == total {
		idle = nil
	}
	idle = slices.DeleteFunc(idle, func(g Span) bool { return g.Length() < total/10 })
	at := all.From
	for _, g := range idle {
		if g.From.After(at) {
			s.Stretches = append(s.Stretches, Stretch{Span: Span{at, g.From}})
		}
		s.Stretches = append(s.Stretches, Stretch{Span: g, Folded: true})
		at = g.To
	}
	if all.To.After(at) || len(s.Stretches) == 0 {
		s.Stretches = append(s.Stretches, Stretch{Span: Span{at, all.To}})
	}
	s.spread()
	return s
}

// spread gives each stretch its units.
func (s *Scale) spread() {
	room := s.Width
	var open time.Duration
	for _, st := range s.Stretches {
		if st.Folded {
			room -= s.units.Fold
		} else {
			open += st.Length()
		}
	}
	x, before := 0, time.Duration(0)
	used := 0
	for i := range s.Stretches {
		st := &s.Stretches[i]
		st.X, st.Width = x, s.units.Fold
		if !st.Folded {
			before += st.Length()
			to := max(room, 1)
			if open > 0 {
				to = int(float64(max(room, 1)) * (float64(before) / float64(open)))
			}
			st.Width = max(to-used, 1)
			used += st.Width
		}
		x += st.Width
	}
}

// At returns the unit of a time: one of the scale's.
func (s *Scale) At(t time.Time) int {
	for _, st := range s.Stretches {
		if t.After(st.To) {
			continue
		}
		x := st.X
		if length := st.Length(); length > 0 && t.After(st.From) {
			x += int(float64(st.Width) * (float64(t.Sub(st.From)) / float64(length)))
		}
		return min(max(x, 0), s.Width-1)
	}
	return s.Width - 1
}

// ticks are the steps that an axis may have.
var ticks = []time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	24 * time.Hour, 2 * 24 * time.Hour, 7 * 24 * time.Hour, 14 * 24 * time.Hour, 28 * 24 * time.Hour,
}

// tick returns the step of the axis.
func (s *Scale) tick() time.Duration {
	var open time.Duration
	cells := 0
	for _, st := range s.Stretches {
		if !st.Folded {
			open, cells = open+st.Length(), cells+st.Width
		}
	}
	for _, t := range ticks {
		if float64(t)*float64(cells) >= float64(s.units.Tick)*float64(open) {
			return t
		}
	}
	last := ticks[len(ticks)-1]
	return last * (1 + time.Duration(float64(open)/float64(last)/float64(max(cells/s.units.Tick, 1))))
}

// A Label is a text at a place of the axis.
type Label struct {
	X      int
	Text   string
	Folded bool // it says how long what is folded there takes
}

// Labels returns what is written on the axis, what matters most first: how long what is
// folded takes, and times since Zero.
func (s *Scale) Labels() (all []Label) {
	step := s.tick()
	for _, st := range s.Stretches {
		if st.Folded {
			all = append(all, Label{st.X, Short(st.Length()), true})
		}
	}
	for _, st := range s.Stretches {
		first, last := st.From.Sub(s.Zero), st.To.Sub(s.Zero)
		for at := (first + step - 1) / step * step; first <= at && at <= last && !st.Folded; at += step { // the sums may overflow
			all = append(all, Label{s.At(s.Zero.Add(at)), exact(at, step), false})
		}
	}
	return all
}

// exact writes a time on the axis, so that it differs from the one a step before.
func exact(d, step time.Duration) string {
	switch {
	case step < time.Second && d >= 10*time.Second, step < 100*time.Millisecond && d >= time.Second:
		return d.String()
	case step < time.Minute && d >= time.Hour, step < time.Hour && d >= 24*time.Hour:
		text := d.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		return text
	}
	return Short(d)
}

// Last reports whether the axis ends at a time.
func (s *Scale) Last(t time.Time) bool { return !t.Before(s.Stretches[len(s.Stretches)-1].To) }

// Short writes a duration with one or two units.
func Short(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Second:
		return fmt.Sprintf("%dms", max(d.Milliseconds(), 1))
	case d < 10*time.Second:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Seconds()), ".0") + "s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return pair(int(d.Minutes()), "m", int(d.Seconds())%60, "s")
	case d < 24*time.Hour:
		return pair(int(d.Hours()), "h", int(d.Minutes())%60, "m")
	}
	return pair(int(d.Hours())/24, "d", int(d.Hours())%24, "h")
}

func pair(large int, unit string, small int, other string) string {
	if small == 0 {
		return fmt.Sprint(large, unit)
	}
	return fmt.Sprint(large, unit, small, other)
}
