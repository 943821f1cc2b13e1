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
// border. Of many steps those that are alike are one box, with their number. What a step has
// added stands in its box, below it. The error is a
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
		p.markFigure(r, all[i], b, o)
		for k, a := range all[i].added {
			line := b
			line.X, line.Y, line.Width, line.Height = b.X+2, b.Y+2+k, b.Width-4, 1
			drawAdded(p, line, a, k+1 == len(all[i].added) && all[i].more == 0, o)
			p.markFigure(r, a, line, o)
		}
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
	added []figure // in the same box, if that is not flat
	more  int      // of them that are not drawn
}

func figuresOf(r view.Run, o Options) (all []figure) {
	for _, f := range outline.Figures(r, outline.Fold(r.Steps, manySteps)) {
		own := figureOf(r, f, o)
		added, more := f.Added()
		if own.more = more; len(r.Steps) > manySteps {
			own.addCount(added)
			added = nil
		}
		for _, a := range added {
			own.added = append(own.added, figureOf(r, a, o))
		}
		all = append(all, own)
	}
	return all
}

func figureOf(r view.Run, f outline.Figure, o Options) figure {
	label := f.Name(o.ASCII)
	if detail := f.Detail(r, o.ASCII); detail != "" {
		label += " " + detail
	}
	return figure{Figure: f, label: label, class: classOf(f.State)}
}

// addCount adds to the label how many steps were added.
func (f *figure) addCount(added []outline.Figure) {
	for _, a := range added {
		f.more += len(a.Steps)
	}
	if f.more > 0 {
		f.label += fmt.Sprintf(" +%d", f.more)
	}
}

// size returns the width and the height of the box of a figure.
func (f figure) size(flat bool) (w, h int) {
	w = utf8.RuneCountInString(f.label) + 6
	if flat {
		return w - 2, 1
	}
	for _, a := range f.added {
		w = max(w, utf8.RuneCountInString(a.label)+8)
	}
	h = 3 + len(f.added)
	if f.more > 0 {
		w, h = max(w, utf8.RuneCountInString(f.moreWords())+6), h+1
	}
	return w, h
}

func (f figure) moreWords() string { return fmt.Sprintf("and %d more", f.more) }

// markFigure adds the spot of a figure: of one that has added others the upper part of its
// box, as each of those has its own.
func (p *Picture) markFigure(r view.Run, f figure, b layout.Box, o Options) {
	if len(f.added) > 0 {
		b.Height = 2
	}
	p.mark(Spot{Run: r.ID, Step: f.Steps[0].Name, Item: -1, Members: f.Members(), X: b.X, Y: b.Y, Width: b.Width, Height: b.Height}, o.Selected)
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
		w, h := f.size(flat)
		n := layout.Node{ID: strconv.Itoa(i), Width: w, Height: h}
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
	for y := b.Y + 1; y < bottom; y++ {
		p.set(b.X, y, border[5], f.class)
		p.set(right, y, border[5], f.class)
	}
	x := p.write(b.X+2, b.Y+1, o.mark(f.State)+" ", f.class)
	p.write(x, b.Y+1, f.label, Text)
	if f.more > 0 {
		p.write(b.X+4, bottom-1, f.moreWords(), Dim)
	}
}

// drawAdded draws a figure that was added, on one line.
func drawAdded(p *Picture, b layout.Box, f figure, last bool, o Options) {
	branch := o.glyph("├", "|")
	if last {
		branch = o.glyph("└", "`")
	}
	x := p.write(b.X, b.Y, branch+" ", Dim)
	x = p.write(x, b.Y, o.mark(f.State)+" ", f.class)
	p.write(x, b.Y, f.label, Text)
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
