package output

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A Table says how a list of things is shown to people.
type Table[T any] struct {
	Columns []Column[T]
	ID      func(T) string // for [ID]
	Empty   string         // what is said if there are none: "No servers."
}

// A Column is one of a table.
type Column[T any] struct {
	Name  string // its heading
	Cell  func(T) string
	Wide  bool // only in [Wide]
	Loose bool // cut where a line would be longer than the terminal's: payloads, errors
	State bool // a word for a state, which has a colour
}

const (
	gap       = "  " // between two columns
	narrowest = 12   // a column is cut to no less
)

// columns returns those that p shows.
func (t Table[T]) columns(p *Printer) []Column[T] {
	var shown []Column[T]
	for _, c := range t.Columns {
		if !c.Wide || p.Format == Wide {
			shown = append(shown, c)
		}
	}
	return shown
}

func (t Table[T]) cells(p *Printer, v T) []string {
	var cells []string
	for _, c := range t.columns(p) {
		cells = append(cells, c.Cell(v))
	}
	return cells
}

// write writes a heading, a dash below each letter of it, and a line for each of things.
func (t Table[T]) write(p *Printer, things []T) error {
	columns := t.columns(p)
	names, dashes := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i], dashes[i] = c.Name, strings.Repeat("-", ansi.StringWidth(c.Name))
	}
	rows := [][]string{names, dashes}
	for _, v := range things {
		rows = append(rows, t.cells(p, v))
	}
	widths := fit(p, columns, rows)
	for n, row := range rows {
		paint := func(i int, cell string) string {
			switch {
			case n == 0:
				return Heading(p, cell)
			case columns[i].State:
				return State(p, cell)
			}
			return cell
		}
		text := join(row, widths, paint)
		if _, err := fmt.Fprintln(p.Out, text); err != nil {
			return err
		}
	}
	return nil
}

// fit returns how wide each column is: as wide as its widest cell, but for loose ones
// where the lines are too long.
func fit[T any](p *Printer, columns []Column[T], rows [][]string) []int {
	widths := make([]int, len(columns))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	if p.Width == 0 || p.Format == Wide {
		return widths
	}
	over := len(gap)*(len(columns)-1) - p.Width
	for _, w := range widths {
		over += w
	}
	for i := len(columns) - 1; i >= 0 && over > 0; i-- {
		if columns[i].Loose {
			cut := min(over, max(widths[i]-max(narrowest, len(columns[i].Name)), 0))
			widths[i] -= cut
			over -= cut
		}
	}
	return widths
}

// join puts the cells of a row below those of others, each as paint has it.
func join(row []string, widths []int, paint func(i int, cell string) string) string {
	var text strings.Builder
	for i, cell := range row {
		cell = ansi.Truncate(cell, widths[i], "…")
		text.WriteString(paint(i, cell))
		if i < len(row)-1 {
			text.WriteString(strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)) + gap)
		}
	}
	return strings.TrimRight(text.String(), " ")
}

// Row writes names, a dash below each letter of them, and a line with what each of them
// is; nothing if there are no names.
func Row(p *Printer, names, cells []string) error {
	if len(names) == 0 {
		return nil
	}
	var t Table[[]string]
	for i, name := range names {
		t.Columns = append(t.Columns, Column[[]string]{Name: name, Cell: func(cells []string) string { return cells[i] }})
	}
	return t.write(p, [][]string{cells})
}
