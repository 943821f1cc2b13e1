package svg

import (
	"html/template"
	"strings"
)

// Measures of a progress bar.
const (
	progressWidth  = 120
	progressHeight = 10
)

// A Part is a part of a bar.
type Part struct {
	Name  string
	Class string // "": c0 to c7, by its place
	Value float64
}

// Progress draws how much of a whole there is, by its parts. What is left is drawn in
// the class rest. The label says it in words.
func Progress(label string, whole float64, all ...Part) template.HTML {
	var p Pen
	p.Image("progress", label, progressWidth, progressHeight, false, "preserveAspectRatio", "none") // as wide as its place
	p.Text("title", label)
	p.Leaf("rect", "class", "rest", "width", progressWidth, "height", progressHeight, "rx", "2", "fill", "currentColor")
	if sum := sumOf(all); sum > 0 {
		parts(&p, all, place{0, 0, progressWidth * sum / max(whole, sum), progressHeight}, Count)
	}
	return p.HTML()
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
