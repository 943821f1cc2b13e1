package svg

import (
	"math"
	"strconv"
	"time"
)

// A Chart is values over time.
type Chart struct {
	Label    string // what it shows, for those who do not see it
	From, To time.Time
	Series   []Series

	Width, Height int                  // 0: 640 and 180
	Gap           time.Duration        // points further apart than this are not joined; 0: all are
	Write         func(float64) string // writes a value; nil: [Count]
}

// A Series is the values of one thing.
type Series struct {
	Name   string
	Class  string  // "": c0 to c7, by its place
	Points []Point // in the order of their times
}

// A Point is the value at a time. What is not known is NaN, or no point at all.
type Point struct {
	At    time.Time
	Value float64
}

// classes is how many classes there are for what has none of its own.
const classes = 8

// classAt returns a class, or that of the i-th of several.
func classAt(class string, i int) string {
	if class == "" {
		return "c" + strconv.Itoa(i%classes)
	}
	return class
}

// dashes of lines, so that they differ where colours do not.
var dashes = [classes]string{"", "6 3", "2 3", "8 3 2 3", "12 4", "4 4", "1 3", "10 3 2 3 2 3"}

func (c Chart) withDefaults() Chart {
	if c.Width == 0 {
		c.Width = 640
	}
	if c.Height == 0 {
		c.Height = 180
	}
	if c.Write == nil {
		c.Write = Count
	}
	return c
}

func (c Chart) hasLegend() bool { return len(c.Series) > 1 }

// legend draws what the series are called, and returns without a mark for what there is
// no room for: it has a title all the same.
func (c Chart) legend(p *Pen, mark func(p *Pen, i int, x, y float64)) {
	if !c.hasLegend() {
		return
	}
	p.Open("g", "class", "legend")
	x, y := float64(leftRoom), float64(c.Height-6)
	for i, s := range c.Series {
		width := 28 + textWidth(s.Name) + 14
		if x+width > float64(c.Width) && i > 0 {
			p.Text("text", "… "+strconv.Itoa(len(c.Series)-i), "class", "axis", "x", min(x, float64(c.Width-30)), "y", y)
			break
		}
		p.Open("g", "class", classAt(s.Class, i))
		mark(p, i, x, y-4)
		p.Close()
		p.Text("text", s.Name, "class", "axis", "x", x+28, "y", y)
		x += width
	}
	p.Close()
}

// textWidth is about how wide a text is.
func textWidth(s string) float64 { return 6.5 * float64(len([]rune(s))) }

// isKnown reports whether a value can be drawn.
func isKnown(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
