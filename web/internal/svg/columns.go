package svg

import (
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"
)

// Columns draws a column for each time at which any series has a point, with their values
// one on top of the other. What is not known, and what is negative, is left out. A column
// reaches from its time to every later.
func Columns(c Chart, every time.Duration) template.HTML {
	c = c.withDefaults()
	columns, high := c.columns()
	f := c.over(0, high)
	var p Pen
	p.Image("chart", c.Label, c.Width, c.Height, false)
	f.valueAxis(&p, c.Write)
	f.timeAxis(&p)
	for _, at := range slices.SortedFunc(maps.Keys(columns), time.Time.Compare) {
		c.column(&p, f, at, min(f.x(at.Add(every)), f.left+f.width), columns[at])
	}
	c.legend(&p, func(p *Pen, _ int, x, y float64) {
		p.Leaf("rect", "x", x+8, "y", y-6, "width", 12, "height", 12, "fill", "currentColor")
	})
	return p.HTML()
}

// columns returns the values at each time, by series, and the largest sum of them.
func (c Chart) columns() (columns map[time.Time][]float64, high float64) {
	columns = make(map[time.Time][]float64)
	for i, s := range c.Series {
		for _, q := range s.Points {
			if !isKnown(q.Value) || q.Value < 0 || !c.shows(q) {
				continue
			}
			at := q.At.UTC()
			if columns[at] == nil {
				columns[at] = make([]float64, len(c.Series))
			}
			columns[at][i] += q.Value
		}
	}
	for _, values := range columns {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		high = max(high, sum)
	}
	return columns, high
}

// column draws the values at one time.
func (c Chart) column(p *Pen, f frame, at time.Time, to float64, values []float64) {
	x := f.x(at)
	width := max(to-x-1, 0.5)
	said := []string{at.Format(time.DateTime) + " UTC"}
	p.Open("g", "class", "column", "data-time", stamp(at))
	sum := 0.0
	for i, v := range values {
		if v == 0 {
			continue
		}
		said = append(said, c.Series[i].Name+": "+c.Write(v))
		y := f.y(sum + v)
		p.Leaf("rect", "class", classAt(c.Series[i].Class, i), "x", x, "y", y, "width", width, "height", f.y(sum)-y, "fill", "currentColor")
		sum += v
	}
	p.Text("title", strings.Join(said, ", "))
	p.Close()
}
