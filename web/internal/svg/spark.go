package svg

import (
	"html/template"
	"strings"
)

// Measures of a spark line.
const (
	sparkWidth  = 120
	sparkHeight = 24
)

// Spark draws values that were taken at equal distances as a line without axes, from 0 to
// the largest, which may be stretched to any shape. What is not known is NaN, and a gap.
func Spark(label, class string, values []float64) template.HTML {
	var p Pen
	p.Image("spark", label, sparkWidth, sparkHeight, false, "preserveAspectRatio", "none")
	p.Open("g", "class", classAt(class, 0))
	high := 0.0
	for _, v := range values {
		if isKnown(v) {
			high = max(high, v)
		}
	}
	if high == 0 {
		high = 1
	}
	var line strings.Builder
	joined := false
	for i, v := range values {
		if !isKnown(v) {
			joined = false
			continue
		}
		x := 1 + (sparkWidth-2)*float64(i)/float64(max(len(values)-1, 1))
		y := 2 + (sparkHeight-4)*(1-max(v, 0)/high)
		if joined {
			line.WriteByte('L')
		} else {
			line.WriteByte('M')
		}
		line.WriteString(number(x) + " " + number(y))
		if alone := i+1 == len(values) || !isKnown(values[i+1]); alone && !joined {
			line.WriteString("h0.1")
		}
		joined = true
	}
	if line.Len() > 0 {
		p.Leaf("path", "d", line.String(), "fill", "none", "stroke", "currentColor", "stroke-width", "1.5", "vector-effect", "non-scaling-stroke", "stroke-linecap", "round")
	}
	return p.HTML()
}
