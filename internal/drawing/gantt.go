package drawing

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leatwork/leat/internal/view"
)

// Gantt draws when the steps of a run were ready, tried and run, a row each, with those of
// the runs within it below the step that they are. The last row is the axis: times since
// the run began; what lies between, if nothing runs for long, is folded. now is the time
// of a run that goes on.
func Gantt(r view.Run, now time.Time, o Options) Picture {
	rows := rowsOf(r, now, 0)
	width := o.Width
	if width == 0 {
		width = 100
	}
	names := 0
	for _, row := range rows {
		names = max(names, 2*row.depth+2+utf8.RuneCountInString(row.label))
	}
	names = min(names, max(width/3, 12))
	cells := max(width-names-1, 10)
	s := newScale(wholeOf(r, rows, now), busyOf(rows), cells)
	p := newPicture(names+1+cells, len(rows)+2)
	for y, row := range rows {
		mark := o.mark(row.class)
		x := p.write(2*row.depth, y, mark+" ", row.class)
		p.write(x, y, cut(row.label, names-x, o), Text)
		p.background(y, names+1, s, r.EndedAt.IsZero(), o)
		row.draw(p, y, names+1, s, o)
		p.mark(Spot{Run: row.run, Step: row.step, Item: row.item, Y: y, Width: p.Width, Height: 1}, o.Selected)
	}
	p.axis(len(rows), names+1, s, o)
	return *p
}

// cut shortens a text to some cells.
func cut(s string, cells int, o Options) string {
	if utf8.RuneCountInString(s) <= cells {
		return s
	}
	end := o.glyph("…", "~")
	return string([]rune(s)[:max(cells-1, 0)]) + end
}

// A row is a step, or a run within the run.
type row struct {
	run, step string
	item      int
	depth     int
	label     string
	class     Class

	wait, tries, work span // zero: there is none
	goesOn            bool // work does
	waits             bool // it runs nothing: its work is a wait
	took              time.Duration
}

// rowsOf returns the rows of a run's steps, and of the runs that they are.
func rowsOf(r view.Run, now time.Time, depth int) (rows []row) {
	until := now
	if !r.EndedAt.IsZero() {
		until = r.EndedAt
	}
	for _, s := range r.Steps {
		own := rowOf(r, s, until)
		own.depth = depth
		rows = append(rows, own)
		for _, child := range r.Children {
			if child.Step != s.Name {
				continue
			}
			deeper := depth + 1
			if s.Kind == "map" || s.Kind == "loop" {
				rows = append(rows, rowOfRun(r, s, child, now, deeper))
				deeper++
			}
			rows = append(rows, rowsOf(child, now, deeper)...)
		}
	}
	return rows
}

// rowOfRun returns the row of one of several runs that a step is.
func rowOfRun(r view.Run, s view.Step, child view.Run, now time.Time, depth int) row {
	w := row{run: r.ID, step: s.Name, item: -1, depth: depth, label: child.Workflow, class: runClass(child)}
	if child.Item != nil {
		w.item = *child.Item
		w.label = fmt.Sprintf("%s[%d]", s.Name, w.item)
	}
	w.work, w.goesOn = span{child.StartedAt, child.EndedAt}, child.EndedAt.IsZero()
	if w.goesOn {
		w.work.to = now
	}
	w.took = w.work.length()
	return w
}

// rowOf returns the row of a step, in a run of which nothing is known behind until.
func rowOf(r view.Run, s view.Step, until time.Time) row {
	w := row{run: r.ID, step: s.Name, item: -1, label: s.Name, class: classOf(r, s), waits: s.Kind == "await" || s.Kind == "sleep"}
	began, ended := s.StartedAt, s.EndedAt
	switch {
	case s.Kind == "map" && w.class != Skipped:
		began = s.ReadyAt
		if s.Width == 0 && ended.IsZero() && w.class != Done {
			began = time.Time{}
		}
		if w.class == Done {
			ended = nextTo(r, s, until)
		}
	case s.Workflow && began.IsZero() && w.class == Running:
		began = startOf(r, s)
	}
	if w.class == Skipped {
		return w
	}
	w.goesOn = w.class == Running && !began.IsZero()
	if w.goesOn || ended.IsZero() {
		ended = until
	}
	if began.IsZero() && !s.EndedAt.IsZero() {
		began = s.EndedAt // it took no time
	}
	if !began.IsZero() {
		w.work = span{began, ended}
		w.took = w.work.length()
	}
	w.before(s, began, until)
	return w
}

// before finds out what was before a step began, or is as long as it has not.
func (w *row) before(s view.Step, began, until time.Time) {
	end := began
	if end.IsZero() {
		end = until
	}
	from := s.ReadyAt
	if len(s.Attempts) > 0 && s.Attempts[0].StartedAt.After(from) {
		from = s.Attempts[0].StartedAt
	}
	switch {
	case s.ReadyAt.IsZero() || !end.After(s.ReadyAt):
	case len(s.Attempts) > 0:
		w.wait, w.tries = span{s.ReadyAt, from}, span{from, end}
	case s.Tries > 1:
		w.tries = span{s.ReadyAt, end}
	default:
		w.wait = span{s.ReadyAt, end}
	}
}

// nextTo returns when what waits for a step began, the first of it, or else until.
func nextTo(r view.Run, s view.Step, until time.Time) time.Time {
	first := until
	for _, next := range r.Steps {
		for _, name := range next.After {
			if name == s.Name && !next.StartedAt.IsZero() && next.StartedAt.Before(first) && !next.StartedAt.Before(s.ReadyAt) {
				first = next.StartedAt
			}
		}
	}
	return first
}

// startOf returns when the run began that a step is, or when it was ready.
func startOf(r view.Run, s view.Step) time.Time {
	for _, child := range r.Children {
		if child.Step == s.Name {
			return child.StartedAt
		}
	}
	return s.ReadyAt
}

// wholeOf returns the time that is drawn.
func wholeOf(r view.Run, rows []row, now time.Time) span {
	all := span{r.StartedAt, r.EndedAt}
	if r.BeginsAt.After(all.from) {
		all.from = r.BeginsAt
	}
	if all.to.IsZero() {
		all.to = now
	}
	for _, w := range rows {
		for _, s := range []span{w.wait, w.tries, w.work} {
			if !s.from.IsZero() && s.from.Before(all.from) {
				all.from = s.from
			}
			if s.to.After(all.to) {
				all.to = s.to
			}
		}
	}
	return all
}

// busyOf returns when something was done.
func busyOf(rows []row) (busy []span) {
	for _, w := range rows {
		if !w.work.from.IsZero() && !w.waits {
			busy = append(busy, w.work)
		}
	}
	return busy
}

// draw draws the bar of a row.
func (w row) draw(p *Picture, y, x int, s scale, o Options) {
	work := o.glyph("█", "#")
	if w.goesOn {
		work = o.glyph("▓", "=")
	}
	if w.waits {
		work = o.glyph("░", ".")
	}
	p.bar(y, x, s, w.wait, o.glyph("░", "."), Waiting)
	p.bar(y, x, s, w.tries, o.glyph("▒", "~"), Retrying)
	if w.work.from.IsZero() {
		return
	}
	end := p.bar(y, x, s, w.work, work, w.class)
	if w.goesOn {
		p.set(end-1, y, '>', w.class)
	}
	text := short(w.took.Round(time.Millisecond))
	if end+1+utf8.RuneCountInString(text) <= p.Width && w.took > 0 {
		p.write(end+1, y, text, Dim)
	}
}

// bar draws a span, at least one cell of it, and returns where it ends.
func (p *Picture) bar(y, x int, s scale, of span, sign string, c Class) (end int) {
	if of.from.IsZero() {
		return x
	}
	from, to := s.at(of.from), s.at(of.to)
	if to > from && !s.last(of.to) {
		to-- // the cell of its end is that of what begins there
	}
	return p.write(x+from, y, strings.Repeat(sign, max(to-from+1, 1)), c)
}

// last reports whether the axis ends at a time.
func (s scale) last(t time.Time) bool { return !t.Before(s.stretches[len(s.stretches)-1].to) }

// background draws what stands behind the bars of a row: where time is folded, and now.
func (p *Picture) background(y, x int, s scale, goesOn bool, o Options) {
	for _, st := range s.stretches {
		if st.folded {
			p.write(x+st.x+foldWidth/2, y, o.glyph("┊", ":"), Dim)
		}
	}
	if goesOn {
		p.write(x+s.width-1, y, o.glyph("┆", "|"), Dim)
	}
}

// axis draws the axis below all rows.
func (p *Picture) axis(y, x int, s scale, o Options) {
	p.write(x, y, strings.Repeat(o.glyph("─", "-"), s.width), Dim)
	taken := make([]bool, s.width+1)
	for _, l := range s.labels(o.glyph("≈", "~")) {
		p.write(x+l.x, y, o.glyph("┬", "+"), Dim)
		n := utf8.RuneCountInString(l.text)
		at := max(min(l.x, s.width-n), 0)
		if from, to := max(at-1, 0), min(at+n+1, s.width); !slices.Contains(taken[from:to], true) {
			p.write(x+at, y+1, l.text, Dim)
			for i := at; i < min(at+n, s.width); i++ {
				taken[i] = true
			}
		}
	}
}
