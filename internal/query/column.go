package query

import (
	"slices"
	"strings"
	"time"
)

// A Column is a field, or a part of one, as something that is told of each thing in a list:
// "type", "payload.user.id", "header.tenant". It may be used by several goroutines.
type Column[T any] struct {
	field field[T]
	path  []segment
}

const columnEnds = nameEnds + ","

// Columns reads the names of columns, with commas between them. One that is there twice is
// one. The error is an [*Error].
func (l *Language[T]) Columns(text string) ([]Column[T], error) {
	p := &parser[T]{language: l, text: text, ends: columnEnds}
	var columns []Column[T]
	for p.skipSpace(); p.pos < len(text); p.skipSpace() {
		if p.accept(',') {
			continue
		}
		c, err := p.column()
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(columns, func(other Column[T]) bool { return other.Name() == c.Name() }) {
			columns = append(columns, c)
		}
	}
	return columns, nil
}

func (p *parser[T]) column() (c Column[T], err error) {
	if c.field, c.path, err = p.part(); err != nil {
		return c, err
	}
	if p.skipSpace(); p.pos < len(p.text) && p.text[p.pos] != ',' {
		return c, p.fault(p.pos, "a column is a field by its name alone", "there are commas between columns")
	}
	return c, nil
}

// Name returns the name as it is written plainly, which reads as the same column.
func (c Column[T]) Name() string { return c.field.key() + c.field.pathText(c.path, columnEnds) }

// Field returns the name of the field, without what follows a dot.
func (c Column[T]) Field() string { return c.field.key() }

// Help says what it is, without a full stop.
func (c Column[T]) Help() string { return c.field.Help }

// IsWhole reports whether it is a whole field, and not a part of one.
func (c Column[T]) IsWhole() bool { return len(c.path) == 0 }

// IsNumber reports whether it tells numbers, whatever the thing.
func (c Column[T]) IsNumber() bool { return c.field.kind == kindNumber }

// IsMoment reports whether it tells moments.
func (c Column[T]) IsMoment() bool {
	return c.field.kind == kindMoment || c.field.kind == kindDue || c.field.kind == kindAge
}

// A Cell is what a column tells of a thing.
type Cell struct {
	Text string    // "": nothing, or a moment
	At   time.Time // the moment; zero: there is none
}

// mostTexts are how many texts a cell has of those to which a path leads.
const mostTexts = 20

// Tell returns what columns tell of v at the time now, in their order. JSON is decoded once.
func Tell[T any](columns []Column[T], now time.Time, v T) []Cell {
	s := &subject[T]{v: v, now: now}
	cells := make([]Cell, len(columns))
	for i, c := range columns {
		if c.IsMoment() {
			cells[i].At = c.field.moment(v)
		} else {
			cells[i].Text = strings.Join(s.texts(c), ", ")
		}
	}
	return cells
}

// texts returns what a column that tells no moments tells.
func (s *subject[T]) texts(c Column[T]) []string {
	f := c.field
	switch f.kind {
	case kindNumber:
		return []string{f.number(s.v).text()}
	case kindSpan:
		if d, known := f.span(s.v, s.now); known {
			return []string{d.String()}
		}
		return nil
	case kindTruth:
		if f.truth(s.v) {
			return []string{yes}
		}
		return []string{no}
	case kindDocument:
		return s.found(c)
	default:
		return f.texts(s.v, term{path: c.path}.name())
	}
}

// found returns the bytes of a document, or what is in it where the path leads.
func (s *subject[T]) found(c Column[T]) (texts []string) {
	if c.IsWhole() {
		return []string{string(c.field.bytes(s.v))}
	}
	anyAt(s.document(c.field), c.path, func(v any) bool {
		texts = append(texts, jsonText(v))
		return len(texts) == mostTexts
	})
	return texts
}
