package svg

import (
	"html/template"
)

// Measures of a progress bar.
const (
	progressWidth  = 120
	progressHeight = 10
)

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
