package rundraw

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/leatwork/leat/internal/layout"
	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
)

// A scene is the graph of a run, with places.
type scene struct {
	run     view.Run
	figures []outline.Figure
	layout.Drawing
	detail  detail
	thinned bool              // of all edges there is one for each step
	within  map[int][]*insert // runs that are drawn in the places of steps, by figure
	more    map[int]int       // how many runs, or steps that were added, more there are, by figure
	added   map[int][]outline.Figure
}

// An insert is a run that is drawn in the place of a step of another.
type insert struct {
	*scene
	title string
}

// A detail is how much is told of each step.
type detail int

const (
	full  detail = iota // name and progress
	short               // one line
	dots                // none
)

// How many figures are drawn with some detail, how many edges in all, and how many runs
// in the place of one step.
const (
	mostFull    = 150
	mostShort   = 400
	mostEdges   = 4000
	mostInserts = 4
)

// Measures, in pixels.
const (
	pad        = 10 // around a graph
	headHeight = 26 // of a frame
	foldGap    = 8  // between runs in one frame
	leastWidth = 96
	mostWidth  = 240
)

// sceneOf finds the places for the steps of a run.
func (d *Drawer) sceneOf(r view.Run, o Options) (*scene, error) {
	groups, shape := d.fold(r)
	s := &scene{run: r, figures: outline.Figures(r, groups), within: make(map[int][]*insert), more: make(map[int]int), added: make(map[int][]outline.Figure)}
	for k, f := range s.figures {
		if added, more := f.Added(); len(added) > 0 {
			s.added[k], s.more[k] = added, more
		}
	}
	switch n := o.total; {
	case n > mostShort:
		s.detail = dots
	case n > mostFull:
		s.detail = short
	}
	if err := d.insert(s, o); err != nil {
		return nil, err
	}
	g := s.graph()
	h := newShape()
	_, _ = h.Write(shape[:]) // a hash takes all
	for _, n := range g.Nodes {
		h.number(n.Width)
		h.number(n.Height)
	}
	if o.Down {
		h.number(1)
	}
	var err error
	s.Drawing, err = d.layouts.of(h.sum(), func() (layout.Drawing, error) { return layout.Draw(g, s.gaps(o)) })
	if err != nil {
		return nil, fmt.Errorf("draw run %s: %w", r.ID, err)
	}
	return s, nil
}

// count returns how many figures are drawn of a run, and of those within it.
func (d *Drawer) count(r view.Run, o Options) int {
	groups, _ := d.fold(r)
	total := len(groups)
	for _, s := range r.Steps {
		drawn := 0
		for _, child := range r.Children {
			if child.Step == s.Name && drawn < mostInserts && slices.Contains(o.Opened, s.Name) {
				total += d.count(child, o)
				drawn++
			}
		}
	}
	return total
}

// insert makes the scenes of the runs that are drawn in the places of steps.
func (d *Drawer) insert(s *scene, o Options) error {
	for k, f := range s.figures {
		step := f.Steps[0]
		if len(f.Steps) > 1 || !step.Workflow || !slices.Contains(o.Opened, step.Name) {
			continue
		}
		for _, child := range s.run.Children {
			if child.Step != step.Name {
				continue
			}
			if len(s.within[k]) == mostInserts {
				s.more[k]++
				continue
			}
			inner, err := d.sceneOf(child, o)
			if err != nil {
				return err
			}
			title := plain.Name(child.Workflow)
			if child.Item != nil {
				title += fmt.Sprintf(" [%d]", *child.Item)
			}
			s.within[k] = append(s.within[k], &insert{inner, title})
		}
		if step.Kind == "map" && len(s.within[k]) > 0 {
			s.more[k] = max(step.Width-len(s.within[k]), s.more[k])
		}
	}
	return nil
}

// gaps returns how far what is drawn lies apart.
func (s *scene) gaps(o Options) layout.Options {
	switch {
	case s.detail == dots:
		return layout.Options{Down: o.Down, RankGap: 14, NodeGap: 4, EdgeGap: 3, LaneGap: 2}
	case s.detail == short:
		return layout.Options{Down: o.Down, RankGap: 24, NodeGap: 8, EdgeGap: 6, LaneGap: 4}
	}
	return layout.Options{Down: o.Down, RankGap: 36, NodeGap: 18, EdgeGap: 10, LaneGap: 7}
}

// graph returns what is to be placed. Sizes go by names only, as these do not change.
func (s *scene) graph() (g layout.Graph) {
	edges := 0
	for _, f := range s.figures {
		edges += len(f.After)
	}
	s.thinned = edges > mostEdges
	for k := range s.figures {
		f := &s.figures[k]
		n := layout.Node{ID: strconv.Itoa(k)}
		n.Width, n.Height = s.size(k)
		g.Nodes = append(g.Nodes, n)
		after := f.After
		if s.thinned && len(after) > 0 {
			after = after[len(after)-1:]
		}
		for _, before := range after {
			g.Edges = append(g.Edges, layout.Edge{From: strconv.Itoa(before), To: n.ID})
		}
	}
	return g
}

// size returns the size of a figure, with what is drawn in its place.
func (s *scene) size(k int) (width, height int) {
	switch {
	case len(s.within[k]) > 0:
		return s.frameSize(k)
	case len(s.added[k]) > 0:
		return s.addedSize(k)
	}
	return s.nodeSize(s.figures[k])
}

// nodeSize returns the size of a figure alone.
func (s *scene) nodeSize(f outline.Figure) (width, height int) {
	switch s.detail {
	case dots:
		return 12, 12
	case short:
		return min(max(textWidth(labelOf(f))+34, 60), 180), 20
	}
	widest := max(textWidth(labelOf(f)), textWidth(plain.Name(kindWords(f.Steps[0]))))
	return min(max(widest+48, leastWidth), mostWidth), 42
}

func labelOf(f outline.Figure) string { return plain.Name(f.Name(false)) }

// frameSize returns the size of a frame around runs.
func (s *scene) frameSize(k int) (width, height int) {
	width, height = textWidth(labelOf(s.figures[k]))+110, headHeight
	for _, in := range s.within[k] {
		width = max(width, in.Width+2*pad, textWidth(in.title)+60)
		height += in.boxHeight() + foldGap
	}
	if s.more[k] > 0 {
		height += 18
	}
	return width, height
}

// boxHeight is how high a run is in a frame, with its title.
func (in *insert) boxHeight() int { return in.Height + 18 + pad }

// textWidth is about how wide a text is, in the size in which names are written.
func textWidth(s string) int { return (plain.Width(s)*66 + 9) / 10 }

// cutTo returns as much of a text as there is room for.
func cutTo(s string, width int) string { return plain.Cut(s, width*10/66) }
