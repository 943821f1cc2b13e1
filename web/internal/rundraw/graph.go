package rundraw

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/internal/layout"
	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/web/internal/svg"
)

// Graph draws the steps of a run as boxes, and arrows between them. Of many steps those
// that are alike are one box, with their number; where there are still many, boxes get
// smaller and say less. now is the time of a run that goes on. The error is a
// [layout.GraphError], of what is no workflow's.
func (d *Drawer) Graph(r view.Run, now time.Time, o Options) (template.HTML, error) {
	o.total = d.count(r, o)
	s, err := d.sceneOf(r, o)
	if err != nil {
		return "", err
	}
	var p svg.Pen
	p.Image("graph", "The steps of run "+plain.Name(r.ID), s.Width+2*pad, s.Height+2*pad, true)
	if o.Standalone {
		p.Text("style", standalone)
	}
	drawing := graph{Pen: &p, now: now, Options: o, run: r.ID}
	drawing.scene(s, pad, pad, o.Selected)
	return p.HTML(), nil
}

// A graph is one that is being drawn.
type graph struct {
	*svg.Pen
	Options
	now time.Time
	run string // id of the one that is drawn
}

// scene draws a scene at a place.
func (g graph) scene(s *scene, x, y int, selected string) {
	critical := outline.Critical(s.run, g.now)
	g.Open("g", "transform", fmt.Sprintf("translate(%d %d)", x, y))
	g.edges(s, critical)
	for k := range s.figures {
		g.figure(s, k, classesOf(s.figures[k].State, s.figures[k].Steps, critical, selected, g.Find))
	}
	g.Close()
}

// classesOf returns the classes of what is drawn of some steps.
func classesOf(state outline.State, steps []view.Step, critical map[string]bool, selected, find string) string {
	words := []string{"state-" + state.String()}
	if slices.ContainsFunc(steps, func(s view.Step) bool { return critical[s.Name] }) {
		words = append(words, "critical")
	}
	if selected != "" && slices.ContainsFunc(steps, func(s view.Step) bool { return s.Name == selected }) {
		words = append(words, "selected")
	}
	if found(steps, find) > 0 {
		words = append(words, "sought")
	}
	return strings.Join(words, " ")
}

// link opens the link of a figure: of its step, or of the first of several.
func (g graph) link(r view.Run, class string, f outline.Figure) {
	href, step := "", f.Steps[0].Name
	if g.Link != nil {
		href = g.Link(r, step)
	}
	g.Open("a", "class", class, "href", href, "data-run", g.within(r), "data-step", step, "data-members", strings.Join(f.Members(), "\n"))
}

// within returns the id of a run within the one that is drawn, and "" of that.
func (g graph) within(r view.Run) string {
	if r.ID == g.run {
		return ""
	}
	return r.ID
}

// figure draws a figure.
func (g graph) figure(s *scene, k int, classes string) {
	switch {
	case len(s.within[k]) > 0:
		g.frame(s, k, classes)
	case len(s.added[k]) > 0:
		g.adding(s, k, classes)
	default:
		g.node(s, s.figures[k], s.Nodes[k], classes)
	}
}

// node draws a figure alone.
func (g graph) node(s *scene, f outline.Figure, b layout.Box, classes string) {
	step := f.Steps[0]
	g.link(s.run, strings.TrimSpace("node "+kindOf(f)+" "+classes), f)
	g.Text("title", titleOf(s.run, f))
	if s.detail == dots {
		g.Leaf("rect", "x", b.X, "y", b.Y, "width", b.Width, "height", b.Height)
		g.Close()
		return
	}
	if isSeveral(f) {
		g.Leaf("path", "class", "behind", "d", fmt.Sprintf("M%d %dv-4h%dv%dh-4", b.X+4, b.Y, b.Width, b.Height))
	}
	g.Leaf("rect", "x", b.X, "y", b.Y, "width", b.Width, "height", b.Height, "rx", cornerOf(step, b), "stroke-dasharray", dashOf(step))
	if step.Workflow && s.detail == full {
		g.Leaf("rect", "class", "inner", "x", b.X+3, "y", b.Y+3, "width", b.Width-6, "height", b.Height-6, "rx", 4)
	}
	middle := b.Y + b.Height/2 + 4
	if detail := detailOf(s.run, f); detail != "" && s.detail == full {
		middle -= 8
		g.Text("text", cutTo(detail, b.Width-30), "class", "detail", "x", b.X+28, "y", b.Y+b.Height-9)
	}
	g.Text("text", f.State.Sign(), "class", "sign", "x", b.X+10, "y", middle)
	g.Text("text", cutTo(labelOf(f), b.Width-36), "class", "name", "x", b.X+28, "y", middle)
	if step.Case != "" && s.detail == full {
		g.Text("text", cutTo(plain.Name(step.Case), b.Width), "class", "case", "x", b.X+4, "y", b.Y-4)
	}
	g.Close()
	g.toggle(step, b, "⊞", "Draw the run in this place")
}

// toggle draws the link by which a run is drawn in the place of a step, or not any more.
func (g graph) toggle(step view.Step, b layout.Box, sign, title string) {
	if g.Toggle == nil || !step.Workflow || step.Child == "" && step.Kind != "map" {
		return
	}
	g.Open("a", "class", "toggle", "href", g.Toggle(step.Name))
	g.Text("title", title)
	g.Text("text", sign, "x", b.X+b.Width-16, "y", b.Y+16)
	g.Close()
}

// frame draws the runs that a step is in its place.
func (g graph) frame(s *scene, k int, classes string) {
	f, b := s.figures[k], s.Nodes[k]
	step := f.Steps[0]
	g.Open("g", "class", "frame "+classes)
	g.Leaf("rect", "x", b.X, "y", b.Y, "width", b.Width, "height", b.Height, "rx", 8, "stroke-dasharray", "5 3")
	g.link(s.run, "head "+classes, f)
	g.Text("title", titleOf(s.run, f))
	g.Text("text", f.State.Sign(), "class", "sign", "x", b.X+10, "y", b.Y+18)
	g.Text("text", labelOf(f), "class", "name", "x", b.X+28, "y", b.Y+18)
	g.Close()
	g.toggle(step, b, "⊟", "Draw the step only")
	y := b.Y + headHeight
	for _, in := range s.within[k] {
		state := outline.StateOfRun(in.run)
		g.Text("text", state.Sign()+" "+in.title+" "+plain.Name(in.run.State), "class", "run state-"+state.String(), "x", b.X+pad, "y", y+12)
		g.scene(in.scene, b.X+pad, y+18, "")
		y += in.boxHeight() + foldGap
	}
	if n := s.more[k]; n > 0 {
		g.Text("text", fmt.Sprintf("and %d more", n), "class", "detail", "x", b.X+pad, "y", b.Y+b.Height-7)
	}
	g.Close()
}

// edges draws the arrows: those to what was skipped, those of the critical path, and all
// others.
func (g graph) edges(s *scene, critical map[string]bool) {
	var lines, heads [3]strings.Builder
	for _, r := range s.Edges {
		from, _ := strconv.Atoi(r.From)
		to, _ := strconv.Atoi(r.To)
		kind := 0
		switch {
		case s.figures[to].State == outline.Skipped:
			kind = 1
		case isCritical(s.figures[from], critical) && isCritical(s.figures[to], critical):
			kind = 2
		}
		drawWay(&lines[kind], r.Points)
		if s.detail != dots {
			drawHead(&heads[kind], r.Points, g.Down)
		}
	}
	for kind, class := range []string{"edge", "edge dim", "edge critical"} {
		if lines[kind].Len() > 0 {
			g.Leaf("path", "class", class, "d", lines[kind].String())
		}
		if heads[kind].Len() > 0 {
			g.Leaf("path", "class", strings.Replace(class, "edge", "arrow", 1), "d", heads[kind].String())
		}
	}
}

func isCritical(f outline.Figure, critical map[string]bool) bool {
	return slices.ContainsFunc(f.Steps, func(s view.Step) bool { return critical[s.Name] })
}

// drawWay draws the way of an edge.
func drawWay(d *strings.Builder, points []layout.Point) {
	fmt.Fprintf(d, "M%d %d", points[0].X, points[0].Y)
	for i, p := range points[1:] {
		switch before := points[i]; {
		case p == before:
		case p.Y == before.Y:
			fmt.Fprintf(d, "H%d", p.X)
		default:
			fmt.Fprintf(d, "V%d", p.Y)
		}
	}
}

// drawHead draws the head of an arrow.
func drawHead(d *strings.Builder, points []layout.Point, down bool) {
	p := points[len(points)-1]
	if down {
		fmt.Fprintf(d, "M%d %dl-4 -7h8z", p.X, p.Y+1)
		return
	}
	fmt.Fprintf(d, "M%d %dl-7 -4v8z", p.X+1, p.Y)
}
