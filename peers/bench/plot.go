package main

import (
	"cmp"
	_ "embed"
	"math"
	"slices"
	"strings"
	"text/template"
)

// A chart shows how something changes with x. The x lie on a logarithmic axis, and
// y begins at 0.
type chart struct {
	Title  string
	X, Y   string // what is on the axes
	Points []int
	Lines  []line
}

// A line is one system in a chart. What is NaN was not measured.
type line struct {
	Name   string
	Values []float64
}

// The room for what is drawn, in pixels.
const (
	left, right = 70, 560
	top, bottom = 56, 280
)

//go:embed plot.svg
var plotText string

var plotTemplate = template.Must(template.New("plot.svg").Parse(plotText))

// svg draws the chart, to be read on a light and on a dark page.
func (c chart) svg() (string, error) {
	var b strings.Builder
	err := plotTemplate.Execute(&b, c.drawing())
	return b.String(), err
}

// A drawing is a chart in pixels.
type drawing struct {
	chart
	Left, Right, Top, Bottom int
	XTicks, YTicks           []tick
	Curves                   []curve
}

type tick struct {
	At   float64
	Text string
}

type curve struct {
	Name   string
	Class  string
	Dots   []dot
	NameAt dot
}

type dot struct{ X, Y float64 }

func (c chart) drawing() drawing {
	d := drawing{chart: c, Left: left, Right: right, Top: top, Bottom: bottom}
	most, step := roundUp(c.most())
	for y := 0.0; y <= most+step/2; y += step {
		d.YTicks = append(d.YTicks, tick{c.height(y, most), metric(y)})
	}
	for i, x := range c.Points {
		d.XTicks = append(d.XTicks, tick{c.across(i), short(x)})
	}
	for i, l := range c.Lines {
		k := curve{Name: l.Name, Class: []string{"peer", "leat"}[min(i, 1)]}
		for j, y := range l.Values {
			if !math.IsNaN(y) {
				k.Dots = append(k.Dots, dot{c.across(j), c.height(y, most)})
			}
		}
		if n := len(k.Dots); n > 0 {
			k.NameAt = k.Dots[n-1]
			d.Curves = append(d.Curves, k)
		}
	}
	d.partNames()
	return d
}

// nameHeight is how far apart names must be to be read.
const nameHeight = 16

// partNames moves names down that would lie on the one above.
func (d *drawing) partNames() {
	slices.SortFunc(d.Curves, func(a, b curve) int { return cmp.Compare(a.NameAt.Y, b.NameAt.Y) })
	for i := 1; i < len(d.Curves); i++ {
		above, name := d.Curves[i-1].NameAt, &d.Curves[i].NameAt
		name.Y = max(name.Y, above.Y+nameHeight)
	}
}

// most returns the largest value.
func (c chart) most() (y float64) {
	for _, l := range c.Lines {
		for _, v := range l.Values {
			if v > y { // NaN is not
				y = v
			}
		}
	}
	return y
}

// across returns where the i-th point lies.
func (c chart) across(i int) float64 {
	n := len(c.Points)
	if n < 2 {
		return (left + right) / 2
	}
	part := float64(i) / float64(n-1)
	if low, high := c.Points[0], c.Points[n-1]; low > 0 {
		part = math.Log(float64(c.Points[i])/float64(low)) / math.Log(float64(high)/float64(low))
	}
	return math.Round(left + part*(right-left))
}

// height returns where y lies if most lies at the top.
func (c chart) height(y, most float64) float64 {
	return math.Round(bottom - y/most*(bottom-top))
}

// roundUp returns a round value that is not less than y, and a round step that
// divides it in four or five.
func roundUp(y float64) (most, step float64) {
	if y <= 0 {
		return 1, 0.25
	}
	unit := math.Pow(10, math.Floor(math.Log10(y)))
	for _, s := range []float64{0.25, 0.5, 1, 2, 2.5} {
		if step = s * unit; y <= 5*step {
			break
		}
	}
	return step * max(math.Ceil(y/step-1e-9), 1), step
}

// short writes n as 10, 1k, 50k, 1M.
func short(n int) string {
	return strings.ReplaceAll(metric(float64(n)), " ", "")
}
