package output

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/task"
)

// A Format is a form of output.
type Format string

// The forms of output.
const (
	Narrow Format = "table" // the columns that matter, cut to the terminal's width
	Wide   Format = "wide"  // all columns, uncut
	JSON   Format = "json"  // one document: an array, or an object for one thing
	JSONL  Format = "jsonl" // an object a line, written as it is known
	YAML   Format = "yaml"  // the same fields as JSON
	ID     Format = "id"    // an id a line
)

// Formats lists every form, the default first.
func Formats() []Format { return []Format{Narrow, Wide, JSON, JSONL, YAML, ID} }

// ParseFormat returns the form of that name, or a [task.InvalidError].
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", task.Invalid("--output", name, "is none of "+Names())
}

// Names lists the names of all forms, for a flag's help.
func Names() string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(Formats()), " ", ", "), "[]") }

// ForPeople reports whether f is read by people.
func (f Format) ForPeople() bool { return f == Narrow || f == Wide }
