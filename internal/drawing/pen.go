package drawing

import (
	"strconv"

	"github.com/leatwork/leat/internal/layout"
)

// The directions in which lines leave a cell.
const (
	up = 1 << iota
	below
	left
	right
)

// lines are the characters for cells that lines leave in some directions.
var lines = [16]rune{
	' ', '│', '│', '│', '─', '┘', '┐', '┤',
	'─', '└', '┌', '├', '─', '┴', '┬', '┼',
}

// plainLine is the same for terminals that have only ASCII.
func plainLine(directions int) rune {
	switch {
	case directions&(left|right) == 0:
		return '|'
	case directions&(up|below) == 0:
		return '-'
	}
	return '+'
}

// A pen collects the lines of a drawing: what they look like depends on those that they
// meet.
type pen struct {
	directions map[layout.Point]int
	strong     map[layout.Point]bool // a line is there that leads to what is not skipped
}

// drawEdges draws the lines between boxes.
func drawEdges(p *Picture, d layout.Drawing, all []figure, o Options, down bool) {
	pen := pen{make(map[layout.Point]int), make(map[layout.Point]bool)}
	head, back := []rune(o.glyph("▸", ">"))[0], left
	if down {
		head, back = []rune(o.glyph("▾", "v"))[0], up
	}
	heads := make(map[layout.Point]bool)
	for _, r := range d.Edges {
		to, _ := strconv.Atoi(r.To)
		pen.draw(r.Points, all[to].class != Skipped)
		pen.directions[r.Points[0]] |= back
		heads[r.Points[len(r.Points)-1]] = true
	}
	for at, directions := range pen.directions {
		sign, class := lines[directions], Dim
		if o.ASCII {
			sign = plainLine(directions)
		}
		if heads[at] {
			sign = head
		}
		if pen.strong[at] {
			class = Line
		}
		p.set(at.X, at.Y, sign, class)
	}
}

// draw draws a line through some points.
func (p *pen) draw(points []layout.Point, strong bool) {
	at := points[0]
	p.strong[at] = p.strong[at] || strong
	for _, to := range points[1:] {
		for at != to {
			leave, enter, next := step(at, to)
			p.directions[at] |= leave
			p.directions[next] |= enter
			at = next
			p.strong[at] = p.strong[at] || strong
		}
	}
}

// step goes one cell from one point towards another on its axis.
func step(at, to layout.Point) (leave, enter int, next layout.Point) {
	next = at
	switch {
	case to.X > at.X:
		next.X++
		return right, left, next
	case to.X < at.X:
		next.X--
		return left, right, next
	case to.Y > at.Y:
		next.Y++
		return below, up, next
	}
	next.Y--
	return up, below, next
}
