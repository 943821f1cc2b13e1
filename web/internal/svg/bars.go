package svg

import (
	"html/template"
	"strings"
)

// A Bar is a named thing with its parts, such as a queue with its tasks by state.
type Bar struct {
	Name  string
	Link  string // where the name leads; "": nowhere
	Parts []Part
}

// A Part is a part of a bar.
type Part struct {
	Name  string
	Class string // "": c0 to c7, by its place
	Value float64
}

// A BarChart is several bars, of which the longest takes the whole width.
type BarChart struct {
	Label string // what it shows, for those who do not see it
	Bars  []Bar
	Width int                  // 0: 640
	Write func(float64) string // writes a value; nil: [Count]
}

// Measures of bars.
const (
	barPitch  = 24
	barHeight = 16
	nameWidth = 160
	sumWidth  = 56
)

// Bars draws the bars below one another, each with its name before it and its sum behind
// it. A part that is not nothing is seen, however small.
func Bars(c BarChart) template.HTML {
	if c.Width == 0 {
		c.Width = 640
	}
	if c.Write == nil {
		c.Write = Count
	}
	most, links := 0.0, false
	for _, b := range c.Bars {
		most = max(most, sumOf(b.Parts))
		links = links || b.Link != ""
	}
	room := float64(max(c.Width-nameWidth-sumWidth, 1))
	var p Pen
	p.Image("chart", c.Label, c.Width, max(len(c.Bars), 1)*barPitch, links)
	for i, b := range c.Bars {
		y := float64(i * barPitch)
		c.name(&p, b, y)
		sum := sumOf(b.Parts)
		x := float64(nameWidth)
		if most > 0 {
			x = parts(&p, b.Parts, place{x, y + 4, room * sum / most, barHeight}, c.Write)
		}
		p.Text("text", c.Write(sum), "class", "axis", "x", x+6, "y", y+16)
	}
	return p.HTML()
}

// name writes the name of a bar, cut to the room there is.
func (c BarChart) name(p *Pen, b Bar, y float64) {
	if b.Link != "" {
		p.Open("a", "href", b.Link)
		defer p.Close()
	}
	short := []rune(b.Name)
	if most := nameWidth / 7; len(short) > most {
		short = append(short[:most-1], '…')
	}
	p.Open("text", "class", "axis", "x", nameWidth-8, "y", y+16, "text-anchor", "end")
	p.Text("title", b.Name)
	p.Text("tspan", string(short))
	p.Close()
}

// A place is a rectangle.
type place struct{ x, y, width, height float64 }

// leastPart is how wide a part is at least.
const leastPart = 2

// parts draws parts beside one another, as long together as the place, and returns where
// they end.
func parts(p *Pen, all []Part, in place, write func(float64) string) (end float64) {
	sum := sumOf(all)
	x := in.x
	for i, part := range all {
		if !counts(part) {
			continue
		}
		width := max(in.width*part.Value/sum, leastPart)
		p.Open("rect", "class", classAt(part.Class, i), "x", x, "y", in.y, "width", width, "height", in.height, "fill", "currentColor")
		p.Text("title", strings.TrimSpace(part.Name+": "+write(part.Value)))
		p.Close()
		x += width
	}
	return x
}

func counts(p Part) bool { return isKnown(p.Value) && p.Value > 0 }

func sumOf(all []Part) (sum float64) {
	for _, p := range all {
		if counts(p) {
			sum += p.Value
		}
	}
	return sum
}
