package drawing

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/view"
)

// Gantt draws when the steps of a run were ready, tried and run, a row each, with those of
// the runs within it below the step that they are. The last row is the axis: times since
// the run began; what lies between, if nothing runs for long, is folded. now is the time
// of a run that goes on.
func Gantt(r view.Run, now time.Time, o Options) Picture {
	rows := outline.Rows(r, now)
	width := o.Width
	if width == 0 {
		width = 100
	}
	names := 0
	for _, row := range rows {
		names = max(names, 2*row.Depth+2+utf8.RuneCountInString(row.Label))
	}
	names = min(names, max(width/3, 12))
	cells := max(width-names-1, 10)
	s := outline.NewScale(outline.Whole(r, rows, now), outline.Busy(rows), cells, outline.Units{Fold: foldWidth, Tick: tickGap})
	p := newPicture(names+1+cells, len(rows)+2)
	for y, row := range rows {
		x := p.write(2*row.Depth, y, o.mark(row.State)+" ", classOf(row.State))
		p.write(x, y, cut(row.Label, names-x, o), Text)
		p.background(y, names+1, s, r.EndedAt.IsZero(), o)
		p.row(row, y, names+1, s, o)
		p.mark(Spot{Run: row.Run, Step: row.Step, Item: row.Item, Y: y, Width: p.Width, Height: 1}, o.Selected)
	}
	p.axis(len(rows), names+1, s, o)
	return *p
}

// The axis, in cells.
const (
	foldWidth = 3
	tickGap   = 10
)

// cut shortens a text to some cells.
func cut(s string, cells int, o Options) string {
	if utf8.RuneCountInString(s) <= cells {
		return s
	}
	end := o.glyph("…", "~")
	return string([]rune(s)[:max(cells-1, 0)]) + end
}

// row draws the bar of a row.
func (p *Picture) row(w outline.Row, y, x int, s outline.Scale, o Options) {
	work := o.glyph("█", "#")
	if w.GoesOn {
		work = o.glyph("▓", "=")
	}
	if w.Waits {
		work = o.glyph("░", ".")
	}
	p.bar(y, x, s, w.Wait, o.glyph("░", "."), Waiting)
	p.bar(y, x, s, w.Tries, o.glyph("▒", "~"), Retrying)
	if w.Work.IsZero() {
		return
	}
	end := p.bar(y, x, s, w.Work, work, classOf(w.State))
	if w.GoesOn {
		p.set(end-1, y, '>', classOf(w.State))
	}
	text := outline.Short(w.Took.Round(time.Millisecond))
	if end+1+utf8.RuneCountInString(text) <= p.Width && w.Took > 0 {
		p.write(end+1, y, text, Dim)
	}
}

// bar draws a span, at least one cell of it, and returns where it ends.
func (p *Picture) bar(y, x int, s outline.Scale, of outline.Span, sign string, c Class) (end int) {
	if of.IsZero() {
		return x
	}
	from, to := s.At(of.From), s.At(of.To)
	if to > from && !s.Last(of.To) {
		to-- // the cell of its end is that of what begins there
	}
	return p.write(x+from, y, strings.Repeat(sign, max(to-from+1, 1)), c)
}

// background draws what stands behind the bars of a row: where time is folded, and now.
func (p *Picture) background(y, x int, s outline.Scale, goesOn bool, o Options) {
	for _, st := range s.Stretches {
		if st.Folded {
			p.write(x+st.X+foldWidth/2, y, o.glyph("┊", ":"), Dim)
		}
	}
	if goesOn {
		p.write(x+s.Width-1, y, o.glyph("┆", "|"), Dim)
	}
}

// axis draws the axis below all rows.
func (p *Picture) axis(y, x int, s outline.Scale, o Options) {
	p.write(x, y, strings.Repeat(o.glyph("─", "-"), s.Width), Dim)
	taken := make([]bool, s.Width+1)
	for _, l := range s.Labels() {
		p.write(x+l.X, y, o.glyph("┬", "+"), Dim)
		text := l.Text
		if l.Folded {
			text = o.glyph("≈", "~") + text
		}
		n := utf8.RuneCountInString(text)
		at := max(min(l.X, s.Width-n), 0)
		if from, to := max(at-1, 0), min(at+n+1, s.Width); !slices.Contains(taken[from:to], true) {
			p.write(x+at, y+1, text, Dim)
			for i := at; i < min(at+n, s.Width); i++ {
				taken[i] = true
			}
		}
	}
}
