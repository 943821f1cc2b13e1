package svg

import (
	"html/template"
	"slices"
	"strings"
)

// Lines draws each series as a line, which is broken where nothing is known.
func Lines(c Chart) template.HTML {
	c = c.withDefaults()
	low, high := c.extremes()
	f := c.over(low, high)
	var p Pen
	p.Image("chart", c.Label, c.Width, c.Height, false)
	f.valueAxis(&p, c.Write)
	f.timeAxis(&p)
	for i, s := range c.Series {
		p.Open("g", "class", "series "+classAt(s.Class, i))
		p.Text("title", s.Name)
		if d := c.path(f, s.Points); d != "" {
			p.Leaf("path", "d", d, "fill", "none", "stroke", "currentColor", "stroke-width", "1.5",
				"stroke-linejoin", "round", "stroke-linecap", "round", "stroke-dasharray", dashes[i%classes])
		}
		p.Close()
	}
	c.legend(&p, func(p *Pen, i int, x, y float64) {
		p.Leaf("line", "x1", x, "x2", x+22, "y1", y, "y2", y, "stroke", "currentColor", "stroke-width", "2", "stroke-dasharray", dashes[i%classes])
	})
	return p.HTML()
}

// extremes returns the least and the largest value that is drawn.
func (c Chart) extremes() (low, high float64) {
	for _, s := range c.Series {
		for _, q := range s.Points {
			if isKnown(q.Value) && c.shows(q) {
				low, high = min(low, q.Value), max(high, q.Value)
			}
		}
	}
	return low, high
}

func (c Chart) shows(q Point) bool { return !q.At.Before(c.From) && !q.At.After(c.To) }

// path returns the line through points: each part of it goes from one place where
// nothing is known to the next. A part of one point is a dot.
func (c Chart) path(f frame, points []Point) string {
	var d strings.Builder
	for _, part := range c.parts(points) {
		for i, q := range thin(f, part) {
			if i == 0 {
				d.WriteByte('M')
			} else {
				d.WriteByte('L')
			}
			d.WriteString(number(f.x(q.At)) + " " + number(f.y(q.Value)))
		}
		if len(part) == 1 {
			d.WriteString("h0.1")
		}
	}
	return d.String()
}

// parts returns the points between which something is known.
func (c Chart) parts(points []Point) (parts [][]Point) {
	var part []Point
	end := func() {
		if len(part) > 0 {
			parts = append(parts, part)
		}
		part = nil
	}
	for _, q := range points {
		if !isKnown(q.Value) || len(part) > 0 && c.Gap > 0 && q.At.Sub(part[len(part)-1].At) > c.Gap {
			end()
		}
		if isKnown(q.Value) && c.shows(q) {
			part = append(part, q)
		}
	}
	end()
	return parts
}

// thin leaves out points of which nothing would be seen: of those in one column of
// pixels it keeps the first, the last, the least and the largest.
func thin(f frame, points []Point) []Point {
	if len(points) <= 2*int(f.width) {
		return points
	}
	var kept []Point
	for from, to := 0, 0; from < len(points); from = to {
		column := int(f.x(points[from].At))
		low, high := from, from
		for to = from; to < len(points) && int(f.x(points[to].At)) == column; to++ {
			if points[to].Value < points[low].Value {
				low = to
			}
			if points[to].Value > points[high].Value {
				high = to
			}
		}
		some := []int{from, low, high, to - 1}
		slices.Sort(some)
		for _, i := range slices.Compact(some) {
			kept = append(kept, points[i])
		}
	}
	return kept
}
