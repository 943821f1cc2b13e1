package drawing

import (
	"slices"
	"strings"
)

// A Class is what a cell means.
type Class uint8

// The classes.
const (
	Blank Class = iota
	Text
	Line    // an edge
	Dim     // an edge to what is skipped, an axis
	Waiting // from here on the states of package outline
	Running
	Retrying
	Paused
	Done
	Failed
	Skipped
	Cancelled
)

// A Cell is one character of a picture.
type Cell struct {
	Rune     rune
	Class    Class
	Selected bool
}

// A Spot is where a step is drawn.
type Spot struct {
	Run     string   // id of its run
	Step    string   // the step, or the first of several that are drawn as one
	Item    int      // of a map or a loop, of which it is one run; otherwise -1
	Members []string // all of these; nil: it is one

	X, Y, Width, Height int
}

// A Picture is a drawing. All its rows have Width cells.
type Picture struct {
	Width, Height int
	Cells         [][]Cell // by row
	Spots         []Spot
}

// Options say how a run is drawn. Their zero value is a drawing as wide as it likes to be.
type Options struct {
	Width    int    // of the terminal: 0: unknown. A graph may be wider; a gantt is not
	ASCII    bool   // no other characters
	Selected string // name of the step that is
}

func newPicture(width, height int) *Picture {
	p := &Picture{Width: max(width, 0), Height: height}
	for range height {
		row := make([]Cell, p.Width)
		for x := range row {
			row[x].Rune = ' '
		}
		p.Cells = append(p.Cells, row)
	}
	return p
}

// set writes a cell, if it is in the picture.
func (p *Picture) set(x, y int, r rune, c Class) {
	if x >= 0 && y >= 0 && x < p.Width && y < p.Height {
		p.Cells[y][x].Rune, p.Cells[y][x].Class = r, c
	}
}

// write writes a text, a cell for each rune, and returns where it ends.
func (p *Picture) write(x, y int, s string, c Class) int {
	for _, r := range s {
		p.set(x, y, r, c)
		x++
	}
	return x
}

// mark adds a spot, as selected if it has the name that is.
func (p *Picture) mark(s Spot, selected string) {
	p.Spots = append(p.Spots, s)
	if selected == "" || s.Step != selected && !slices.Contains(s.Members, selected) {
		return
	}
	for y := s.Y; y < min(s.Y+s.Height, p.Height); y++ {
		for x := s.X; x < min(s.X+s.Width, p.Width); x++ {
			p.Cells[y][x].Selected = true
		}
	}
}

// At returns the spot at a place, the one that was drawn last, and whether there is one.
func (p Picture) At(x, y int) (Spot, bool) {
	for _, s := range slices.Backward(p.Spots) {
		if x >= s.X && y >= s.Y && x < s.X+s.Width && y < s.Y+s.Height {
			return s, true
		}
	}
	return Spot{}, false
}

// Find returns the spot of a step of a run, or of one that it is drawn with.
func (p Picture) Find(run, step string) (Spot, bool) {
	for _, s := range p.Spots {
		if s.Run == run && (s.Step == step || slices.Contains(s.Members, step)) {
			return s, true
		}
	}
	return Spot{}, false
}

// Lines returns the rows, with style called for each run of cells that are alike. Blanks
// at the end of a row are left out. A nil style leaves all as it is.
func (p Picture) Lines(style func(text string, like Cell) string) []string {
	lines := make([]string, 0, p.Height)
	for _, row := range p.Cells {
		for len(row) > 0 && row[len(row)-1].Rune == ' ' && !row[len(row)-1].Selected {
			row = row[:len(row)-1]
		}
		lines = append(lines, styled(row, style))
	}
	return lines
}

func styled(row []Cell, style func(string, Cell) string) string {
	var all strings.Builder
	for from, to := 0, 0; from < len(row); from = to {
		var text strings.Builder
		for to = from; to < len(row) && row[to].Class == row[from].Class && row[to].Selected == row[from].Selected; to++ {
			text.WriteRune(row[to].Rune)
		}
		if style == nil {
			all.WriteString(text.String())
		} else {
			all.WriteString(style(text.String(), row[from]))
		}
	}
	return all.String()
}

// String returns the rows without style.
func (p Picture) String() string { return strings.Join(p.Lines(nil), "\n") + "\n" }
