package dash

import (
	"charm.land/lipgloss/v2"

	"github.com/leatwork/leat/internal/drawing"
)

// A pane is the part of a picture that is shown.
type pane struct {
	picture    drawing.Picture
	x, y       int // of the picture, at its upper left corner
	w, h       int // of itself, as it was last drawn
	line       int // of the screen's drawing at which it begins
	err        error
	isSought   bool   // the chosen step is to be brought into sight
	drawnOf    int    // the reading of the run that picture is of
	drawnFor   string // and the step that is chosen in it
	drawnWidth int
}

// move shows another part.
func (p *pane) move(dx, dy int) {
	p.x = max(min(p.x+dx, p.picture.Width-p.w), 0)
	p.y = max(min(p.y+dy, p.picture.Height-p.h), 0)
}

// seek brings a spot into sight.
func (p *pane) seek(s drawing.Spot) {
	const around = 2 // cells
	if s.X-around < p.x || s.X+s.Width+around > p.x+p.w {
		p.x = s.X + s.Width/2 - p.w/2
	}
	if s.Y-1 < p.y || s.Y+s.Height+1 > p.y+p.h {
		p.y = s.Y + s.Height/2 - p.h/2
	}
	p.move(0, 0)
}

// at returns what is at a place of the screen's drawing.
func (p *pane) at(x, y int) (drawing.Spot, bool) {
	y -= p.line
	if x < 0 || x >= p.w || y < 0 || y >= p.h {
		return drawing.Spot{}, false
	}
	return p.picture.At(p.x+x, p.y+y)
}

// draw draws the part on h lines of w cells, with signs where there is more.
func (p *pane) draw(t theme, line, w, h int) []string {
	p.line, p.w, p.h = line, w, h
	if p.err != nil {
		return []string{" " + t.bad.Render(plainCut(p.err.Error(), w-2))}
	}
	p.move(0, 0)
	part := drawing.Picture{Width: min(w, p.picture.Width), Height: min(h, p.picture.Height)}
	for y := p.y; y < p.y+part.Height; y++ {
		part.Cells = append(part.Cells, p.picture.Cells[y][p.x:p.x+part.Width])
	}
	return part.Lines(t.cells)
}

// cells draws characters of a picture that are alike.
func (t theme) cells(text string, like drawing.Cell) string {
	style := t.classStyle(like.Class)
	if like.Selected {
		style = style.Reverse(true)
	}
	return style.Render(text)
}

func (t theme) classStyle(c drawing.Class) lipgloss.Style {
	switch c {
	case drawing.Done:
		return t.good
	case drawing.Running:
		return t.accent.Bold(true)
	case drawing.Failed:
		return t.bad.Bold(true)
	case drawing.Retrying, drawing.Paused:
		return t.warn
	case drawing.Line, drawing.Dim, drawing.Waiting, drawing.Skipped, drawing.Cancelled:
		return t.dim
	}
	return lipgloss.NewStyle()
}

// Where the next step is looked for.
type direction struct{ x, y int }

var (
	leftward  = direction{-1, 0}
	rightward = direction{1, 0}
	upward    = direction{0, -1}
	downward  = direction{0, 1}
)

// next returns the spot that is nearest to another one in a direction.
func (p *pane) next(from drawing.Spot, d direction) (best drawing.Spot, ok bool) {
	least := 0
	for _, s := range p.picture.Spots {
		dx, dy := centre(s.X, s.Width)-centre(from.X, from.Width), 2*(centre(s.Y, s.Height)-centre(from.Y, from.Height))
		ahead, aside := dx*d.x+dy*d.y, dx*d.y+dy*d.x
		if ahead <= 0 {
			continue
		}
		if far := ahead + 2*max(aside, -aside); !ok || far < least {
			best, least, ok = s, far, true
		}
	}
	return best, ok
}

func centre(at, size int) int { return at + size/2 }
