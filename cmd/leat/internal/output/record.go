package output

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A Record says how one thing is shown to people: a field a line.
type Record[T any] struct {
	Fields []Field[T]
	ID     func(T) string // for [ID]
}

// A Field is a line of a record, or several below its name if the text has several.
type Field[T any] struct {
	Name string
	Text func(T) string // "": the field is left out
	Wide bool           // only in [Wide]
}

func (r Record[T]) write(p *Printer, v T) error {
	width := 0
	for _, f := range r.Fields {
		width = max(width, ansi.StringWidth(f.Name))
	}
	for _, f := range r.Fields {
		if f.Wide && p.Format != Wide {
			continue
		}
		text := f.Text(v)
		if text == "" {
			continue
		}
		name := Heading(p, f.Name+":")
		pad := strings.Repeat(" ", width-ansi.StringWidth(f.Name)+1)
		if strings.Contains(text, "\n") {
			pad, text = "\n", "  "+strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
		}
		if _, err := fmt.Fprintln(p.Out, name+pad+text); err != nil {
			return err
		}
	}
	return nil
}
