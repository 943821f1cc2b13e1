package dash

import (
	"slices"

	"github.com/leatwork/leat/internal/drawing"
)

// isRoomy reports whether there is room for both pictures.
func (s *run) isRoomy() bool { return s.app.width >= wide && s.app.bodyHeight() >= tall }

// seenFace is the face that is seen: that of both pictures is the graph where there is no
// room for them.
func (s *run) seenFace() face {
	if s.face == faceBoth && !s.isRoomy() {
		return faceGraph
	}
	return s.face
}

func (s *run) faceName() string { return faceNames[s.seenFace()] }

// nextFace returns the face of the steps that comes after the one that is seen.
func (s *run) nextFace() face {
	next := s.seenFace() + 1
	if next > faceSteps {
		return faceBoth
	}
	return next
}

// drawing draws the steps on h lines, the first of which is a line of the screen's drawing.
func (s *run) drawing(line, w, h int) []string {
	switch s.seenFace() {
	case faceSteps:
		return s.list.draw(s.app.theme, line, w, h)
	case faceGantt:
		return s.drawGantt(line, w, h)
	case faceGraph:
		return s.drawGraph(line, w, h)
	}
	below := min(len(s.shown.Steps)+2, h/2)
	lines := append(s.drawGraph(line, w, h-below-1), "")
	return append(lines, s.drawGantt(line+len(lines), w, h-len(lines))...)
}

func (s *run) drawGraph(line, w, h int) []string {
	return s.drawPane(&s.graph, line, w, h, func(o drawing.Options) (drawing.Picture, error) {
		return drawing.Graph(s.shown, o)
	})
}

func (s *run) drawGantt(line, w, h int) []string {
	return s.drawPane(&s.gantt, line, w, h, func(o drawing.Options) (drawing.Picture, error) {
		return drawing.Gantt(s.shown, s.app.now(), o), nil
	})
}

// drawPane draws a part of a picture, which is made anew if it is not that of what was read
// last.
func (s *run) drawPane(p *pane, line, w, h int, picture func(drawing.Options) (drawing.Picture, error)) []string {
	if p.drawnOf != s.reading || p.drawnFor != s.chosen || p.drawnWidth != w {
		p.picture, p.err = picture(drawing.Options{Width: w, Selected: s.chosen})
		p.drawnOf, p.drawnFor, p.drawnWidth = s.reading, s.chosen, w
	}
	if spot, ok := p.picture.Find(s.handle.ID, s.chosen); ok && p.isSought {
		p.w, p.h = w, h
		p.seek(spot)
		p.isSought = false
	}
	return p.draw(s.app.theme, line, w, h)
}

// shownPane returns the picture that moves act on.
func (s *run) shownPane() *pane {
	if s.seenFace() == faceGantt {
		return &s.gantt
	}
	return &s.graph
}

// drawingMoves returns the keys of the pictures.
func (s *run) drawingMoves() []binding {
	scrolled := func(dx, dy int) func() { return func() { s.shownPane().move(dx, dy) } }
	return []binding{
		on("left h", "the step to the left", "", func() { s.toward(leftward) }),
		on("right l", "the step to the right", "", func() { s.toward(rightward) }),
		on("up k", "the step above", "", func() { s.toward(upward) }),
		on("down j", "the step below", "", func() { s.toward(downward) }),
		on("shift+left", "scroll to the left", "", scrolled(-scrolledCells, 0)),
		on("shift+right", "scroll to the right", "", scrolled(scrolledCells, 0)),
		on("shift+up pgup", "scroll up", "", scrolled(0, -scrolledLines)),
		on("shift+down pgdown", "scroll down", "", scrolled(0, scrolledLines)),
	}
}

const (
	scrolledCells = 20
	scrolledLines = 5
)

// toward chooses the next step in a direction.
func (s *run) toward(d direction) {
	p := s.shownPane()
	from, ok := p.picture.Find(s.handle.ID, s.chosen)
	if !ok {
		s.step(1)
		return
	}
	if spot, ok := p.next(from, d); ok {
		s.pick(spot)
	}
}

// pick chooses the step that is drawn at a spot: of several that are drawn as one, the next.
func (s *run) pick(spot drawing.Spot) {
	s.follows = false
	if i := slices.Index(spot.Members, s.chosen); i >= 0 {
		s.choose(spot.Members[(i+1)%len(spot.Members)])
		return
	}
	s.choose(spot.Step)
}

// click chooses the step at a place, or opens it if it is chosen.
func (s *run) click(x, y int) {
	switch s.seenFace() {
	case faceHistory, faceValues:
	case faceSteps:
		s.list.click(x, y)
		if v, ok := s.list.current(); ok {
			s.pick(drawing.Spot{Step: v.Name})
		}
	default:
		for _, p := range s.shownPanes() {
			spot, ok := p.at(x, y)
			switch {
			case !ok:
			case spot.Step == s.chosen && spot.Members == nil:
				s.enter()
			default:
				s.pick(spot)
			}
		}
	}
}

func (s *run) shownPanes() []*pane {
	if s.seenFace() == faceBoth {
		return []*pane{&s.graph, &s.gantt}
	}
	return []*pane{s.shownPane()}
}

func (s *run) wheel(by int) {
	switch s.seenFace() {
	case faceHistory, faceValues:
		s.text.by(by)
	case faceSteps:
		s.step(by / max(by, -by, 1))
	default:
		s.shownPane().move(0, by)
	}
}
