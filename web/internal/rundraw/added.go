package rundraw

import (
	"fmt"
	"strings"

	"github.com/leatwork/leat/internal/layout"
)

// Measures of a step with what it has added, in pixels.
const (
	addedIndent = 16
	addedGap    = 6
	moreHeight  = 18
)

// addedPad is how far what is in a frame lies from it.
func (s *scene) addedPad() int {
	if s.detail == dots {
		return 2
	}
	return pad
}

// addedSize returns the size of a figure with what it has added.
func (s *scene) addedSize(k int) (width, height int) {
	width, height = s.nodeSize(s.figures[k])
	for _, f := range s.added[k] {
		w, h := s.nodeSize(f)
		width, height = max(width, w+addedIndent), height+addedGap+h
	}
	if s.more[k] > 0 {
		height += moreHeight
	}
	return width + 2*s.addedPad(), height + 2*s.addedPad()
}

// adding draws a figure, and below it in a frame what it has added.
func (g graph) adding(s *scene, k int, classes string) {
	f, b := s.figures[k], s.Nodes[k]
	g.Open("g", "class", "frame adding state-"+f.State.String())
	g.Leaf("rect", "x", b.X, "y", b.Y, "width", b.Width, "height", b.Height, "rx", 8, "stroke-dasharray", "5 3")
	own := layout.Box{X: b.X + s.addedPad(), Y: b.Y + s.addedPad()}
	own.Width, own.Height = s.nodeSize(f)
	stem, foot := own.X+addedIndent/2, own.Y+own.Height
	var way strings.Builder
	at := layout.Box{X: own.X + addedIndent, Y: foot}
	for _, a := range s.added[k] {
		at.Y += addedGap
		at.Width, at.Height = s.nodeSize(a)
		fmt.Fprintf(&way, "M%d %dV%dH%d", stem, foot, at.Y+at.Height/2, at.X)
		foot, at.Y = at.Y+at.Height/2, at.Y+at.Height
	}
	g.Leaf("path", "class", "edge", "d", way.String())
	g.node(s, f, own, classes)
	at.Y = own.Y + own.Height
	for _, a := range s.added[k] {
		at.Y += addedGap
		at.Width, at.Height = s.nodeSize(a)
		selected := g.Selected
		if s.run.ID != g.run {
			selected = ""
		}
		g.node(s, a, at, "added "+classesOf(a.State, a.Steps, nil, selected, g.Find))
		at.Y += at.Height
	}
	if n := s.more[k]; n > 0 && s.detail != dots {
		g.Text("text", fmt.Sprintf("and %d more", n), "class", "detail", "x", at.X, "y", at.Y+moreHeight-4)
	}
	g.Close()
}
