package rundraw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/outline"
)

// stretch returns the part of the time that the whole of a gantt takes that is drawn.
func (c *chart) stretch(whole outline.Span) outline.Span {
	part := outline.Span{From: whole.From.Add(c.From), To: whole.To}
	if c.To > 0 {
		part.To = whole.From.Add(c.To)
	}
	if part.To.Before(part.From) {
		part.To = part.From // the run has not come that far
	}
	return part
}

// shown returns the time that the axis is of.
func (c *chart) shown() outline.Span {
	return outline.Span{From: c.scale.Stretches[0].From, To: c.scale.Stretches[len(c.scale.Stretches)-1].To}
}

// cut leaves of the rows what is in a stretch.
func (c *chart) cut(part outline.Span) {
	all := c.lines
	c.lines = nil
	for _, l := range all {
		if l.cut(part); l.isEmpty() {
			c.outside += l.steps
			continue
		}
		c.lines = append(c.lines, l)
	}
}

// cut leaves of a row what is in a stretch.
func (l *line) cut(part outline.Span) {
	in := func(s outline.Span) outline.Span {
		rest := s.In(part)
		if !rest.IsZero() {
			l.before = l.before || rest.From.After(s.From)
			l.beyond = l.beyond || rest.To.Before(s.To)
		}
		return rest
	}
	several := func(spans []outline.Span) (rest []outline.Span) {
		for _, s := range spans {
			rest = append(rest, in(s))
		}
		return slices.DeleteFunc(rest, outline.Span.IsZero)
	}
	if l.works == nil {
		l.works = []outline.Span{l.Work}
	}
	l.Wait, l.Tries, l.other = in(l.Wait), in(l.Tries), in(l.other)
	l.Attempts, l.works = several(l.Attempts), several(l.works)
	if l.Work = l.Work.In(part); len(l.works) == 0 {
		l.Work = outline.Span{} // it falls between two of several
	}
}

// isEmpty reports whether a row has nothing to be drawn.
func (l *line) isEmpty() bool {
	return l.Wait.IsZero() && l.Tries.IsZero() && l.Work.IsZero() && l.other.IsZero() && len(l.Attempts) == 0
}

// signs draws at the edges of a row that it goes on there.
func (c *chart) signs(l line, middle int) {
	high := min(c.pitch/2-2, 4)
	if l.before {
		c.Leaf("path", "class", "cut", "d", fmt.Sprintf("M%d %dl-4 %dl4 %dz", namesWidth-1, middle-high, high, high))
	}
	if l.beyond {
		c.Leaf("path", "class", "cut", "d", fmt.Sprintf("M%d %dl4 %dl-4 %dz", namesWidth+c.scale.Width+1, middle-high, high, high))
	}
}

// places returns the places of the axis between which time goes on evenly, each with the
// milliseconds since the beginning of the whole.
func (c *chart) places() string {
	var words []string
	place := func(x int, at time.Time) {
		ms := float64(at.Sub(c.scale.Zero)) / float64(time.Millisecond)
		words = append(words, fmt.Sprintf("%d:%s", namesWidth+x, strconv.FormatFloat(ms, 'f', -1, 64)))
	}
	for _, st := range c.scale.Stretches {
		place(st.X, st.From)
	}
	place(c.scale.Width, c.shown().To)
	return strings.Join(words, " ")
}

// outsideWords says that steps have no row.
func outsideWords(n int) string {
	if n == 1 {
		return "1 step lies outside"
	}
	return fmt.Sprintf("%d steps lie outside", n)
}
