package drawing

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A span is a time from one moment to another.
type span struct{ from, to time.Time }

func (s span) length() time.Duration { return s.to.Sub(s.from) }

// A stretch is a part of the axis of time: folded, if nothing happens in it.
type stretch struct {
	span
	x, width int
	folded   bool
}

// A scale says where on the axis a time is.
type scale struct {
	began     time.Time
	stretches []stretch
	width     int
}

// foldWidth is how many cells a folded time takes.
const foldWidth = 3

// newScale returns a scale for a span, in which the times without any of busy are folded if
// they are more than a third of it.
func newScale(all span, busy []span, width int) scale {
	s := scale{began: all.from, width: width}
	idle, total := gaps(all, busy), all.length()
	var sum time.Duration
	for _, g := range idle {
		sum += g.length()
	}
	if sum <= total/3 {
		idle = nil
	}
	idle = slices.DeleteFunc(idle, func(g span) bool { return g.length() < total/10 })
	at := all.from
	for _, g := range idle {
		if g.from.After(at) {
			s.stretches = append(s.stretches, stretch{span: span{at, g.from}})
		}
		s.stretches = append(s.stretches, stretch{span: g, folded: true})
		at = g.to
	}
	if all.to.After(at) || len(s.stretches) == 0 {
		s.stretches = append(s.stretches, stretch{span: span{at, all.to}})
	}
	s.spread()
	return s
}

// gaps returns the times of all in which none of busy is.
func gaps(all span, busy []span) (idle []span) {
	busy = slices.Clone(busy)
	slices.SortFunc(busy, func(a, b span) int { return a.from.Compare(b.from) })
	at := all.from
	for _, b := range busy {
		if b.from.After(at) {
			idle = append(idle, span{at, b.from})
		}
		if b.to.After(at) {
			at = b.to
		}
	}
	if all.to.After(at) {
		idle = append(idle, span{at, all.to})
	}
	return idle
}

// spread gives each stretch its cells.
func (s *scale) spread() {
	room := s.width
	var open time.Duration
	for _, st := range s.stretches {
		if st.folded {
			room -= foldWidth
		} else {
			open += st.length()
		}
	}
	x, before := 0, time.Duration(0)
	used := 0
	for i := range s.stretches {
		st := &s.stretches[i]
		st.x, st.width = x, foldWidth
		if !st.folded {
			before += st.length()
			to := max(room, 1)
			if open > 0 {
				to = int(float64(max(room, 1)) * (float64(before) / float64(open)))
			}
			st.width = max(to-used, 1)
			used += st.width
		}
		x += st.width
	}
}

// at returns the cell of a time: one of the scale's.
func (s *scale) at(t time.Time) int {
	for _, st := range s.stretches {
		if t.After(st.to) {
			continue
		}
		x := st.x
		if length := st.length(); length > 0 && t.After(st.from) {
			x += int(float64(st.width) * (float64(t.Sub(st.from)) / float64(length)))
		}
		return min(max(x, 0), s.width-1)
	}
	return s.width - 1
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

// tickGap is how many cells lie between two ticks, at least.
const tickGap = 10

// tick returns the step of the axis.
func (s *scale) tick() time.Duration {
	var open time.Duration
	cells := 0
	for _, st := range s.stretches {
		if !st.folded {
			open, cells = open+st.length(), cells+st.width
		}
	}
	for _, t := range ticks {
		if float64(t)*float64(cells) >= tickGap*float64(open) {
			return t
		}
	}
	last := ticks[len(ticks)-1]
	return last * (1 + time.Duration(float64(open)/float64(last)/float64(max(cells/tickGap, 1))))
}

// A label is a text at a cell of the axis.
type label struct {
	x    int
	text string
}

// labels returns what is written on the axis, what matters most first: how long what is
// folded takes, and times since the beginning.
func (s *scale) labels(fold string) (all []label) {
	step := s.tick()
	for _, st := range s.stretches {
		if st.folded {
			all = append(all, label{st.x, fold + short(st.length())})
		}
	}
	for _, st := range s.stretches {
		first := st.from.Sub(s.began)
		for at := (first + step - 1) / step * step; at <= st.to.Sub(s.began) && !st.folded; at += step {
			all = append(all, label{s.at(s.began.Add(at)), exact(at, step)})
		}
	}
	return all
}

// exact writes a time on the axis, so that it differs from the one a step before.
func exact(d, step time.Duration) string {
	switch {
	case step < time.Second && d >= 10*time.Second:
		return d.String()
	case step < time.Minute && d >= time.Hour, step < time.Hour && d >= 24*time.Hour:
		text := d.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		return text
	}
	return short(d)
}

// short writes a duration with one or two units.
func short(d time.Duration) string {
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
