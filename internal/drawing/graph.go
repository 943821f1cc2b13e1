package drawing

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/leatwork/leat/internal/layout"
	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/view"
)

// Graph draws the steps of a run in boxes, and lines between them, from left to right, or
// from top to bottom if only that fits o.Width. A run within the run is a box with a heavy
// border. Of many steps those that are alike are one box, with their number. The error is a
// [layout.GraphError], of what is no workflow's.
func Graph(r view.Run, o Options) (Picture, error) {
	all := figuresOf(r, o)
	flat := len(r.Steps) > manySteps
	across, err := layout.Draw(graphOf(all, flat), layout.Options{RankGap: 3, NodeGap: gap(len(all))})
	if err != nil {
		return Picture{}, fmt.Errorf("draw run %s: %w", r.ID, err)
	}
	d, down := across, false
	if o.Width > 0 && across.Width > o.Width {
		if d, err = layout.Draw(graphOf(all, flat), layout.Options{Down: true, RankGap: 2, NodeGap: 2, EdgeGap: 1}); err != nil {
			return Picture{}, fmt.Errorf("draw run %s: %w", r.ID, err)
		}
		if down = d.Width <= o.Width || d.Width < across.Width; !down {
			d = across
		}
	}
	p := newPicture(d.Width, d.Height)
	drawEdges(p, d, all, o, down)
	for i, b := range d.Nodes {
		drawBox(p, b, all[i], o)
		s := all[i].Steps[0]
		p.mark(Spot{Run: r.ID, Step: s.Name, Item: -1, Members: all[i].Members(), X: b.X, Y: b.Y, Width: b.Width, Height: b.Height}, o.Selected)
	}
	drawPorts(p, d, all, o, down)
	return *p, nil
}

// manySteps is from how many steps on alike ones are drawn as one, and boxes are flat.
const manySteps = 40

// A figure is what is drawn in a box.
type figure struct {
	outline.Figure
	label string
	class Class
}

func figuresOf(r view.Run, o Options) (all []figure) {
	for _, f := range outline.Figures(r, outline.Fold(r.Steps, manySteps)) {
		label := f.Name(o.ASCII)
		if detail := f.Detail(r, o.ASCII); detail != "" {
			label += " " + detail
		}
		all = append(all, figure{f, label, classOf(f.State)})
	}
	return all
}

// gap is how many rows lie between boxes.
func gap(figures int) int {
	if figures > 12 {
		return 0
	}
	return 1
}

func graphOf(all []figure, flat bool) (g layout.Graph) {
	for i, f := range all {
		n := layout.Node{ID: strconv.Itoa(i), Width: utf8.RuneCountInString(f.label) + 6, Height: 3}
		if flat {
			n.Width, n.Height = n.Width-2, 1
		}
		g.Nodes = append(g.Nodes, n)
		for _, before := range f.After {
			g.Edges = append(g.Edges, layout.Edge{From: strconv.Itoa(before), To: n.ID})
		}
	}
	return g
}

// Borders of boxes: corners from the upper left one on, the horizontal and the vertical.
const (
	lightBorder = "┌┐└┘─│"
	heavyBorder = "┏┓┗┛━┃"
	plainBorder = "++++-|"
	plainHeavy  = "####=#"
)

// drawBox draws a figure.
func drawBox(p *Picture, b layout.Box, f figure, o Options) {
	border := []rune(o.glyph(lightBorder, plainBorder))
	if f.Steps[0].Workflow {
		border = []rune(o.glyph(heavyBorder, plainHeavy))
	}
	right, bottom := b.X+b.Width-1, b.Y+b.Height-1
	if b.Height == 1 {
		p.set(b.X, b.Y, '[', f.class)
		p.set(right, b.Y, ']', f.class)
		p.write(b.X+1, b.Y, o.mark(f.State)+" "+f.label, f.class)
		return
	}
	for x := b.X + 1; x < right; x++ {
		p.set(x, b.Y, border[4], f.class)
		p.set(x, bottom, border[4], f.class)
	}
	p.set(b.X, b.Y, border[0], f.class)
	p.set(right, b.Y, border[1], f.class)
	p.set(b.X, bottom, border[2], f.class)
	p.set(right, bottom, border[3], f.class)
	p.set(b.X, b.Y+1, border[5], f.class)
	p.set(right, b.Y+1, border[5], f.class)
	x := p.write(b.X+2, b.Y+1, o.mark(f.State)+" ", f.class)
	p.write(x, b.Y+1, f.label, Text)
}

// drawPorts opens the borders of boxes where lines leave them.
func drawPorts(p *Picture, d layout.Drawing, all []figure, o Options, down bool) {
	for _, r := range d.Edges {
		from, _ := strconv.Atoi(r.From)
		b, at := d.Nodes[from], r.Points[0]
		if o.ASCII || b.Height == 1 {
			continue
		}
		heavy := all[from].Steps[0].Workflow
		port, strong := '├', '┣'
		if at.X--; down {
			at.X, at.Y = at.X+1, at.Y-1
			port, strong = '┬', '┳'
		}
		if heavy {
			port = strong
		}
		p.set(at.X, at.Y, port, all[from].class)
	}
}
