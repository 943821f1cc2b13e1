package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/leatwork/leat/internal/plain"
)

// A Printer writes in one form. It may not be used by several goroutines.
type Printer struct {
	Out    io.Writer // what was asked for
	Err    io.Writer // what is said beside it
	Format Format
	Width  int  // of a line, in cells; 0: no limit
	Color  bool // headings and states may be coloured
	Quiet  bool // only what was asked for is written, and what went wrong
}

// List writes a list of things: a heading and a line for each in a table, which says
// empty on [Printer].Err if there are none.
func List[T any](p *Printer, t Table[T], things []T) error {
	if things == nil {
		things = []T{} // null is no list
	}
	switch p.Format {
	case JSON:
		return p.json(things)
	case YAML:
		return p.yaml(things)
	case JSONL, ID:
		for _, v := range things {
			if err := Line(p, t, v); err != nil {
				return err
			}
		}
		return nil
	default:
		if len(things) == 0 {
			return p.Note("%s", t.Empty)
		}
		return t.write(p, things)
	}
}

// Line writes one thing of a list as soon as it is known: its line of a table without a
// heading, or itself in one line of JSON, or its id. What is written so is one document
// only as [JSONL].
func Line[T any](p *Printer, t Table[T], v T) error {
	switch p.Format {
	case JSON, JSONL:
		return p.jsonLine(v)
	case YAML:
		return p.yaml([]T{v})
	case ID:
		return p.id(t.ID(v))
	default:
		return p.Print("%s", strings.Join(t.cells(p, v), "  "))
	}
}

// One writes one thing: a field a line for people.
func One[T any](p *Printer, r Record[T], v T) error {
	switch p.Format {
	case JSON:
		return p.json(v)
	case JSONL:
		return p.jsonLine(v)
	case YAML:
		return p.yaml(v)
	case ID:
		return p.id(r.ID(v))
	default:
		return r.write(p, v)
	}
}

// id writes an id on its line, as it is for a program, and harmless for a person. One that
// has several lines could be taken for several ids, and is left out.
func (p *Printer) id(id string) error {
	switch {
	case strings.ContainsAny(id, "\r\n"):
		return p.Say("left out is an id of several lines: %s", plain.Name(id))
	case IsTerminal(p.Out):
		id = plain.Name(id)
	}
	return p.Print("%s", id)
}

// Print writes a line to [Printer].Out.
func (p *Printer) Print(format string, args ...any) error {
	_, err := fmt.Fprintf(p.Out, format+"\n", args...)
	return err
}

// Done writes a line to [Printer].Out about something that was done, for people, unless
// they want it quiet.
func (p *Printer) Done(format string, args ...any) error {
	if p.Quiet || !p.Format.ForPeople() {
		return nil
	}
	return p.Print(format, args...)
}

// Note writes a line to [Printer].Err that is good to know, unless people want it quiet.
func (p *Printer) Note(format string, args ...any) error {
	if p.Quiet {
		return nil
	}
	return p.Say(format, args...)
}

// Say writes a line to [Printer].Err, about what went wrong.
func (p *Printer) Say(format string, args ...any) error {
	_, err := fmt.Fprintf(p.Err, format+"\n", args...)
	return err
}

// json writes v on several lines, and nothing in it does anything to a terminal.
func (p *Printer) json(v any) error { return p.encode(v, "  ") }

func (p *Printer) jsonLine(v any) error { return p.encode(v, "") }

func (p *Printer) encode(v any, indent string) error {
	var doc bytes.Buffer
	e := json.NewEncoder(&doc)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := p.Out.Write(plain.JSON(doc.Bytes()))
	return err
}
