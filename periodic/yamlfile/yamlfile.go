package yamlfile

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

// A Provider is a [periodic.Provider] of the entries of one file. It keeps nothing,
// and is safe for concurrent use.
type Provider struct{ path string }

// New returns the provider of the file at path. It need not be there yet.
func New(path string) Provider { return Provider{path} }

// Entries reads the file and returns its entries, in its order. If anything is wrong
// with it there are none, and the error joins a [LineError] for each fault.
func (p Provider) Entries(context.Context) ([]periodic.Entry, error) {
	text, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	return Parse(p.path, text)
}

// A LineError is a fault in a line of a file. It unwraps to what is wrong, which for a
// value that is refused is a [task.InvalidError] that names the field and the value.
type LineError struct {
	File string
	Line int // from 1
	Err  error
}

// Error names the file, the line and what is wrong.
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// Parse returns the entries of a text, in its order, or an error that joins a
// [LineError] for each fault. What is no YAML at all is told by the error of that. file
// is what errors call the text.
func Parse(file string, text []byte) ([]periodic.Entry, error) {
	root, err := parseYAML(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	r := &reader{file: file}
	entries := r.entries(root)
	if len(r.faults) > 0 {
		slices.SortStableFunc(r.faults, func(a, b *LineError) int { return cmp.Compare(a.Line, b.Line) })
		return nil, joined(r.faults)
	}
	return entries, nil
}

func joined(faults []*LineError) error {
	all := make([]error, len(faults))
	for i, f := range faults {
		all[i] = f
	}
	return errors.Join(all...)
}

// parseYAML returns the value of text's only document.
func parseYAML(text []byte) (*yaml.Node, error) {
	var document, another yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	switch err := d.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, errNoEntries
	case err != nil:
		return nil, err
	}
	switch err := d.Decode(&another); {
	case err == nil:
		return nil, errors.New("must be one document")
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return document.Content[0], nil
}

// errNoEntries is what is wrong with a file that somebody has begun to write: were it
// a file without entries, all would end.
var errNoEntries = errors.New("has no entries: a file without any says \"entries: {}\"")

// A reader reads values of a file and keeps what is wrong with them.
type reader struct {
	file   string
	faults []*LineError
}

func (r *reader) fault(at *yaml.Node, err error) {
	r.faults = append(r.faults, &LineError{File: r.file, Line: at.Line, Err: err})
}

// A pair is a key of a mapping and its value.
type pair struct{ key, value *yaml.Node }

// pairs returns those of a mapping, each key once. Anything else is a fault of what.
func (r *reader) pairs(of *yaml.Node, what string) (pairs []pair) {
	of = target(of)
	if of.Kind != yaml.MappingNode {
		r.fault(of, task.Invalid(what, of.Value, "must be fields with values"))
		return nil
	}
	seen := make(map[string]bool)
	for i := 0; i < len(of.Content); i += 2 {
		key, value := of.Content[i], of.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fault(key, task.Invalid(what, key.Value, "a field must have a name"))
		case key.ShortTag() == "!!merge":
			r.fault(key, task.Invalid(what, key.Value, "is not read; an alias stands for a whole value"))
		case seen[key.Value]:
			r.fault(key, task.Invalid(what, key.Value, "is there twice"))
		default:
			seen[key.Value] = true
			pairs = append(pairs, pair{key, target(value)})
		}
	}
	return pairs
}

// target returns what n stands for, if it is an alias.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
