package rundraw

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/internal/svg"
)

// Gantt draws when the steps of a run were ready, tried and run, a row for each that the
// graph has a box for, with those of the runs within it that are drawn in place. Times in
// which nothing is done for long are folded. Of a stretch of time it has the rows of what
// was then, and says of how many steps nothing was. now is the time of a run that goes on.
func (d *Drawer) Gantt(r view.Run, now time.Time, o Options) template.HTML {
	if o.Width == 0 {
		o.Width = 960
	}
	c := chart{Pen: new(svg.Pen), Options: o, run: r, now: now}
	c.lines = d.lines(r, now, o, 0)
	c.measure()
	c.Image("gantt", "When the steps of run "+plain.Name(r.ID)+" ran", o.Width, c.height+axisHeight, true)
	if o.Standalone {
		c.Text("style", standalone)
	}
	c.background()
	for i, l := range c.lines {
		c.line(l, i*c.pitch)
	}
	c.axis()
	if c.outside > 0 {
		c.Text("text", outsideWords(c.outside), "class", "axis outside", "x", 4, "y", c.height+17)
	}
	return c.HTML()
}

// Measures of a gantt, in pixels.
const (
	namesWidth = 220
	axisHeight = 36
	indent     = 14
	foldWidth  = 28
	tickGap    = 76
	endRoom    = 48 // behind the bars, for how long they took

	widePitch  = 20
	smallPitch = 6
	mostRows   = 400 // that are so wide
)

// What takes less is drawn with exact times.
const shortStretch = 10 * time.Second

// A line is a row with what is needed to draw it.
type line struct {
	outline.Row
	run     view.Run
	classes string
	title   string
	steps   int            // how many it is of; 0: it is of a run
	works   []outline.Span // of several that are drawn as one
	other   outline.Span   // when it was worked on in the other run

	before, beyond bool // whether it has something before the stretch that is drawn, and behind
}

// lines returns the rows of a run.
func (d *Drawer) lines(r view.Run, now time.Time, o Options, depth int) (lines []line) {
	groups, _ := d.fold(r)
	critical := outline.Critical(r, now)
	selected := o.Selected
	if depth > 0 {
		selected = ""
	}
	for _, f := range outline.Figures(r, groups) {
		l := lineOf(r, f, now)
		l.Depth, l.run = depth, r
		if depth == 0 {
			l.other = besides(r, f, now, o.Other)
		}
		l.classes = classesOf(f.State, f.Steps, critical, selected, o.Find)
		lines = append(lines, l)
		added, _ := f.Added()
		for _, a := range added {
			own := lineOf(r, a, now)
			own.Depth, own.run, own.classes = depth+1, r, "added "+classesOf(a.State, a.Steps, nil, selected, o.Find)
			lines = append(lines, own)
		}
		if step := f.Steps[0]; len(f.Steps) == 1 && step.Workflow && slices.Contains(o.Opened, step.Name) {
			lines = append(lines, d.linesWithin(r, step, now, o, depth+1)...)
		}
	}
	return lines
}

// linesWithin returns the rows of the runs that a step is.
func (d *Drawer) linesWithin(r view.Run, step view.Step, now time.Time, o Options, depth int) (lines []line) {
	drawn := 0
	for _, child := range r.Children {
		if child.Step != step.Name || drawn == mostInserts {
			continue
		}
		drawn++
		deeper := depth
		if step.Kind == "map" || step.Kind == "loop" {
			own := line{Row: outline.RowOfRun(r, step, child, now), run: r}
			own.Depth, own.classes = depth, "state-"+own.State.String()
			own.title = plain.Name(own.Label) + ": " + plain.Name(child.State)
			lines = append(lines, own)
			deeper++
		}
		lines = append(lines, d.lines(child, now, o, deeper)...)
	}
	return lines
}

// lineOf returns the row of a figure. That of several tells when any of them was worked on.
func lineOf(r view.Run, f outline.Figure, now time.Time) line {
	l := line{Row: outline.RowOf(r, f.Steps[0], now), title: titleOf(r, f), steps: len(f.Steps)}
	if isSeveral(f) {
		l.Label = strings.TrimSpace(f.Name(false) + " " + f.Detail(r, false))
	}
	if len(f.Steps) == 1 {
		return l
	}
	l.State, l.Attempts = f.State, nil
	for _, s := range f.Steps {
		row := outline.RowOf(r, s, now)
		l.GoesOn = l.GoesOn || row.GoesOn
		l.Wait = joined(l.Wait, row.Wait)
		l.Tries = joined(l.Tries, row.Tries)
		if l.Work = joined(l.Work, row.Work); !row.Work.IsZero() {
			l.works = append(l.works, row.Work)
		}
	}
	l.Took, l.works = l.Work.Length(), outline.Union(l.works)
	return l
}

// joined returns the least span that holds both.
func joined(a, b outline.Span) outline.Span {
	switch {
	case a.IsZero():
		return b
	case b.IsZero():
		return a
	}
	if b.From.Before(a.From) {
		a.From = b.From
	}
	if b.To.After(a.To) {
		a.To = b.To
	}
	return a
}

// A chart is a gantt that is being drawn.
type chart struct {
	*svg.Pen
	Options
	run     view.Run
	now     time.Time
	lines   []line
	outside int // steps that have no row, as nothing of them is in the stretch
	pitch   int
	height  int
	scale   outline.Scale
}

// measure finds the scale, and what there is to be drawn on it.
func (c *chart) measure() {
	whole := outline.Whole(c.run, c.rows(), c.now)
	part := c.stretch(whole)
	if part != whole {
		c.cut(part)
	}
	c.pitch = widePitch
	if len(c.lines) > mostRows {
		c.pitch = smallPitch
	}
	c.height = c.pitch * len(c.lines)
	c.scale = outline.NewScale(part, outline.Busy(c.rows()), max(c.Width-namesWidth-endRoom, 100), outline.Units{Fold: foldWidth, Tick: tickGap})
	c.scale.Zero = whole.From
}

// rows returns the rows that are drawn, with those of the other run.
func (c *chart) rows() (rows []outline.Row) {
	for _, l := range c.lines {
		rows = append(rows, l.Row)
		if !l.other.IsZero() {
			rows = append(rows, outline.Row{Work: l.other})
		}
	}
	return rows
}

// background draws what stands behind all rows: times that are folded, pauses, and now.
func (c *chart) background() {
	for _, st := range c.scale.Stretches {
		if st.Folded {
			c.Leaf("rect", "class", "folded", "x", namesWidth+st.X+8, "y", 0, "width", max(st.Width-16, 2), "height", c.height)
		}
	}
	for _, span := range c.Pauses {
		if from, to := c.span(span.In(c.shown())); to > from {
			c.Open("rect", "class", "pause", "x", from, "y", 0, "width", to-from, "height", c.height)
			c.Text("title", "paused for "+outline.Short(span.Length()))
			c.Close()
		}
	}
	if at := (outline.Span{From: c.now, To: c.now}); c.run.EndedAt.IsZero() && !at.In(c.shown()).IsZero() {
		_, x := c.span(at)
		c.Leaf("path", "class", "grid now", "stroke-dasharray", "3 3", "d", fmt.Sprintf("M%d 0v%d", x, c.height))
	}
}

// span returns where a span begins and ends.
func (c *chart) span(s outline.Span) (from, to int) {
	from, to = namesWidth+c.scale.At(s.From), namesWidth+c.scale.At(s.To)
	if c.scale.Last(s.To) {
		to++
	}
	return from, to
}

// line draws a row.
func (c *chart) line(l line, y int) {
	href, within := "", ""
	if c.Link != nil {
		href = c.Link(l.run, l.Step)
	}
	if l.Run != c.run.ID {
		within = l.Run
	}
	c.Open("a", "class", "row "+l.classes, "href", href, "data-run", within, "data-step", l.Step)
	c.Text("title", l.title)
	high := c.pitch - 2
	if c.pitch == widePitch {
		high = c.pitch - 6
		x := l.Depth * indent
		c.Leaf("rect", "class", "ground", "x", 0, "y", y, "width", c.Width, "height", c.pitch, "fill-opacity", "0")
		c.Text("text", l.State.Sign(), "class", "sign", "x", x+4, "y", y+14)
		c.Text("text", cutTo(plain.Name(l.Label), namesWidth-x-26), "class", "name", "x", x+20, "y", y+14)
	}
	c.bars(l, y+(c.pitch-high)/2, high)
	c.bar("other", l.other, y+c.pitch-c.besideHeight(), c.besideHeight())
	c.signs(l, y+c.pitch/2)
	c.Close()
}

// bars draws the bars of a row.
func (c *chart) bars(l line, y, high int) {
	wait := "wait"
	if l.State == outline.Paused {
		wait = "wait pause"
	}
	thin := max(high/3, 1)
	c.bar(wait, l.Wait, y+(high-thin)/2, thin)
	c.bar("tries", l.Tries, y+(high-thin)/2, thin)
	for _, a := range l.Attempts {
		c.bar("attempt state-failed", a, y+high/4, max(high/2, 1))
	}
	work := "work"
	if l.Waits {
		work, y, high = "wait", y+(high-thin)/2, thin
	}
	works := l.works
	if works == nil {
		works = []outline.Span{l.Work}
	}
	end := 0
	for _, w := range works {
		if from, to := c.span(w); !w.IsZero() && (to > end || from == end) {
			c.bar(work, w, y, high)
			end = max(end, to)
		}
	}
	if end > 0 && l.Took > 0 && c.pitch == widePitch {
		c.Text("text", outline.Short(l.Took.Round(time.Millisecond)), "class", "axis", "x", min(max(end, 0)+5, c.Width-endRoom+6), "y", y-3+(high+14)/2)
	}
}

// bar draws a bar, at least two pixels of it.
func (c *chart) bar(class string, s outline.Span, y, high int) {
	if s.IsZero() {
		return
	}
	from, to := c.span(s)
	c.Leaf("rect", "class", class, "x", from, "y", y, "width", max(to-from, 2), "height", high)
}

// axis draws the axis: below the rows the time since the beginning, and when that was.
func (c *chart) axis() {
	c.Leaf("path", "class", "grid", "data-scale", c.places(), "d", fmt.Sprintf("M%d %dh%d", namesWidth, c.height+1, c.scale.Width))
	taken := -1000
	labels := c.scale.Labels()
	slices.SortStableFunc(labels, func(a, b outline.Label) int { return a.X - b.X })
	for _, l := range labels {
		text := l.Text
		if l.Folded {
			text = "≈" + text
		}
		x := namesWidth + l.X
		if l.Folded {
			x += foldWidth / 2
		}
		c.Leaf("path", "class", "grid", "d", fmt.Sprintf("M%d %dv4", x, c.height+1))
		if half := textWidth(text) / 2; x-half > taken+6 {
			c.Text("text", text, "class", "axis", "x", x, "y", c.height+17, "text-anchor", "middle")
			taken = x + half
		}
	}
	c.ends()
}

// ends says when the stretch that is drawn began and ended, exactly if it is short.
func (c *chart) ends() {
	form, data, text := "full", time.RFC3339, time.DateTime
	if c.shown().Length() < shortStretch {
		form, data, text = "exact", "2006-01-02T15:04:05.000Z07:00", time.DateTime+".000"
	}
	for _, end := range []struct {
		at     time.Time
		x      int
		anchor string
	}{{c.shown().From, namesWidth, "start"}, {c.shown().To, namesWidth + c.scale.Width, "end"}} {
		c.Text("text", end.at.UTC().Format(text)+" UTC", "class", "axis", "x", end.x, "y", c.height+31, "text-anchor", end.anchor,
			"data-time", end.at.UTC().Format(data), "data-form", form)
	}
}
