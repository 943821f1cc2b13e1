package svg

import (
	"html/template"
	"math"
	"strconv"
	"time"
)

// A HeatMap is histograms over time.
type HeatMap struct {
	Label    string // what it shows, for those who do not see it
	From, To time.Time
	Bounds   []float64 // upper ones of the rows, from the lowest on; behind the last is one row more
	Columns  []Histogram
	Every    time.Duration // how long a column reaches

	Width, Height int                  // 0: 640 and 180
	Write         func(float64) string // writes a bound; nil: [Seconds]
}

// A Histogram counts what fell into each row at a time: one count more than there are
// bounds. Counts that are missing are 0.
type Histogram struct {
	At     time.Time
	Counts []int
}

// Heat draws a cell for each row of each histogram, the denser the more fell into it. How
// dense, goes by the logarithm: what is rare is seen beside what is not.
func Heat(m HeatMap) template.HTML {
	c := Chart{From: m.From, To: m.To, Width: m.Width, Height: m.Height, Write: m.Write}
	if c.Write == nil {
		c.Write = Seconds
	}
	c = c.withDefaults()
	rows := len(m.Bounds) + 1
	f := c.over(0, 1)
	f.low, f.high = 0, float64(rows)
	var p Pen
	p.Image("chart", m.Label, c.Width, c.Height, false)
	m.boundAxis(&p, f, c.Write)
	f.timeAxis(&p)
	most := 0
	for _, h := range m.Columns {
		for _, n := range h.Counts[:min(len(h.Counts), rows)] {
			most = max(most, n)
		}
	}
	p.Open("g", "class", "heat c0")
	for _, h := range m.Columns {
		if !c.shows(Point{At: h.At}) {
			continue
		}
		for row, n := range h.Counts[:min(len(h.Counts), rows)] {
			if n > 0 {
				m.cell(&p, f, c.Write, h.At, row, n, most)
			}
		}
	}
	return p.HTML()
}

// cell draws one cell.
func (m HeatMap) cell(p *Pen, f frame, write func(float64) string, at time.Time, row, n, most int) {
	x, y := f.x(at), f.y(float64(row+1))
	width := max(min(f.x(at.Add(m.Every)), f.left+f.width)-x, 1)
	dense := 0.15 + 0.85*math.Log1p(float64(n))/math.Log1p(float64(most))
	p.Open("rect", "x", x, "y", y, "width", width, "height", f.y(float64(row))-y, "fill", "currentColor",
		"fill-opacity", strconv.FormatFloat(dense, 'f', 2, 64), "data-time", stamp(at))
	p.Text("title", at.UTC().Format(time.DateTime)+" UTC, "+m.within(row, write)+": "+strconv.Itoa(n))
	p.Close()
}

// within says what falls into a row.
func (m HeatMap) within(row int, write func(float64) string) string {
	switch {
	case len(m.Bounds) == 0:
		return "all"
	case row == len(m.Bounds):
		return "over " + write(m.Bounds[row-1])
	case row == 0:
		return "up to " + write(m.Bounds[0])
	}
	return write(m.Bounds[row-1]) + " to " + write(m.Bounds[row])
}

// boundAxis writes bounds beside the rows, as many as there is room for.
func (m HeatMap) boundAxis(p *Pen, f frame, write func(float64) string) {
	last := math.Inf(1)
	for i, bound := range m.Bounds {
		y := f.y(float64(i + 1))
		if last-y < 14 {
			continue
		}
		last = y
		p.Leaf("line", "class", "grid", "x1", f.left, "x2", f.left+f.width, "y1", y, "y2", y)
		p.Text("text", write(bound), "class", "axis", "x", f.left-6, "y", y+4, "text-anchor", "end")
	}
}
