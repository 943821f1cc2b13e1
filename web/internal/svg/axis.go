package svg

import (
	"math"
	"time"
)

// A frame is the part of a chart that marks are drawn in, with what its axes span.
type frame struct {
	left, top, width, height float64
	from, to                 time.Time
	low, high, step          float64
}

// x returns where a time is.
func (f frame) x(t time.Time) float64 {
	whole := f.to.Sub(f.from)
	if whole <= 0 {
		return f.left
	}
	return f.left + f.width*float64(t.Sub(f.from))/float64(whole)
}

// y returns where a value is.
func (f frame) y(v float64) float64 {
	return f.top + f.height*(1-(v-f.low)/(f.high-f.low))
}

// Room around the frame.
const (
	leftRoom   = 52 // for values
	rightRoom  = 12
	topRoom    = 8
	bottomRoom = 20 // for times
	legendRoom = 20
	valueGap   = 36 // between two lines of the grid, at least
	timeGap    = 84 // between two times, at least
)

// over returns the frame of a chart whose values lie between two. The axis of values
// ends at what is easy to read.
func (c Chart) over(low, high float64) frame {
	f := frame{
		left: leftRoom, top: topRoom, width: float64(c.Width - leftRoom - rightRoom),
		height: float64(c.Height - topRoom - bottomRoom), from: c.From, to: c.To,
	}
	if c.hasLegend() {
		f.height -= legendRoom
	}
	f.width, f.height = max(f.width, 1), max(f.height, 1)
	low, high = min(low, 0), max(high, 0)
	if low == high {
		high = 1
	}
	f.step = valueStep(high-low, int(f.height/valueGap))
	f.low, f.high = math.Floor(low/f.step)*f.step, math.Ceil(high/f.step)*f.step
	return f
}

// valueStep returns the step of an axis of values, of which it takes about count.
func valueStep(span float64, count int) float64 {
	least := span / float64(max(count, 1))
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, times := range []float64{1, 2, 5} {
		if times*power >= least {
			return times * power
		}
	}
	return 10 * power
}

// valueAxis draws the lines of the grid, and beside them the values.
func (f frame) valueAxis(p *Pen, write func(float64) string) {
	count := int(math.Round((f.high - f.low) / f.step))
	for i := range count + 1 {
		v := f.low + float64(i)*f.step
		y := f.y(v)
		p.Leaf("line", "class", "grid", "x1", f.left, "x2", f.left+f.width, "y1", y, "y2", y)
		p.Text("text", write(v), "class", "axis", "x", f.left-6, "y", y+4, "text-anchor", "end")
	}
}

// A pace is how far times on an axis lie apart, and how they are written.
type pace struct {
	step       time.Duration
	form, like string
}

var paces = []pace{
	{time.Second, "seconds", time.TimeOnly},
	{2 * time.Second, "seconds", time.TimeOnly},
	{5 * time.Second, "seconds", time.TimeOnly},
	{10 * time.Second, "seconds", time.TimeOnly},
	{30 * time.Second, "seconds", time.TimeOnly},
	{time.Minute, "minutes", "15:04"},
	{2 * time.Minute, "minutes", "15:04"},
	{5 * time.Minute, "minutes", "15:04"},
	{10 * time.Minute, "minutes", "15:04"},
	{30 * time.Minute, "minutes", "15:04"},
	{time.Hour, "minutes", "15:04"},
	{2 * time.Hour, "minutes", "15:04"},
	{6 * time.Hour, "minutes", "15:04"},
	{12 * time.Hour, "minutes", "2 Jan 15:04"},
	{24 * time.Hour, "days", "2 Jan"},
	{2 * 24 * time.Hour, "days", "2 Jan"},
	{7 * 24 * time.Hour, "days", "2 Jan"},
	{28 * 24 * time.Hour, "days", "2 Jan"},
}

// pace returns how the times of a frame are written.
func (f frame) pace() pace {
	whole, count := f.to.Sub(f.from), int64(max(f.width/timeGap, 1))
	for _, p := range paces {
		if int64(whole/p.step) <= count {
			return p
		}
	}
	last := paces[len(paces)-1]
	return pace{last.step * time.Duration(int64(whole/last.step)/count+1), last.form, "Jan 2006"}
}

// timeAxis draws the times below the frame.
func (f frame) timeAxis(p *Pen) {
	if !f.to.After(f.from) {
		return
	}
	pace := f.pace()
	first := f.from.Truncate(pace.step)
	if first.Before(f.from) {
		first = first.Add(pace.step)
	}
	for t := first; !t.After(f.to); t = t.Add(pace.step) {
		x := f.x(t)
		p.Leaf("line", "class", "grid", "x1", x, "x2", x, "y1", f.top+f.height, "y2", f.top+f.height+4)
		p.Text("text", t.UTC().Format(pace.like), "class", "axis", "x", x, "y", f.top+f.height+16,
			"text-anchor", "middle", "data-time", stamp(t), "data-form", pace.form)
	}
}

// stamp writes a time for a script to read.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
