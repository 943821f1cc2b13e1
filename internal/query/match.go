package query

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// A subject is a thing that is being matched.
type subject[T any] struct {
	language *Language[T]
	v        T
	now      time.Time
	decoded  map[string]any // of fields with JSON
}

// holds reports whether t holds for s, whatever t.not says.
func (s *subject[T]) holds(t term) bool {
	if t.field == "" {
		return slices.ContainsFunc(s.language.bare(s.v), t.values[0].pattern.isIn)
	}
	f, found := s.language.field(t.field)
	if !found {
		return false // a query is made by Parse, which knows the fields
	}
	switch f.kind {
	case kindNumber:
		return t.holdsForNumber(f.number(s.v))
	case kindSpan:
		d, known := f.span(s.v, s.now)
		return known && slices.ContainsFunc(t.values, func(v value) bool { return t.op.holds(cmp.Compare(d, v.span)) })
	case kindMoment, kindDue, kindAge:
		at := f.moment(s.v)
		return !at.IsZero() && slices.ContainsFunc(t.values, func(v value) bool { return t.holdsForMoment(f.kind, at, v.moment, s.now) })
	case kindTruth:
		return slices.ContainsFunc(t.values, func(v value) bool { return v.truth == f.truth(s.v) })
	case kindDocument:
		return s.documentHolds(f, t)
	default:
		return t.holdsForAny(f.texts(s.v, t.name()))
	}
}

// name returns the name that is behind the field's dot.
func (t term) name() string {
	if len(t.path) == 0 {
		return ""
	}
	return t.path[0].name
}

// holdsForAny reports whether t holds for one of texts. One that is empty is none: what
// asks for "" wants that there is no other.
func (t term) holdsForAny(texts []string) bool {
	given := slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return s == "" })
	if len(given) == 0 {
		return slices.ContainsFunc(t.values, func(v value) bool { return v.pattern.isPlain() && v.pattern[0] == "" })
	}
	return slices.ContainsFunc(given, t.holdsFor)
}

// holdsFor reports whether t holds for a text.
func (t term) holdsFor(text string) bool {
	return slices.ContainsFunc(t.values, func(v value) bool {
		if t.op == opContains {
			return v.pattern.isIn(text)
		}
		return v.pattern.is(text)
	})
}

func (t term) holdsForNumber(n number) bool {
	return slices.ContainsFunc(t.values, func(v value) bool { return t.op.holds(n.compare(v.number)) })
}

func (t term) holdsForMoment(k kind, at time.Time, m moment, now time.Time) bool {
	switch {
	case t.op == opIs:
		return !at.Before(m.at) && at.Before(m.at.Add(m.span))
	case k == kindAge: // the older the more
		return t.op.holds(m.before(now).Compare(at))
	case k == kindDue:
		return t.op.holds(at.Compare(m.after(now)))
	default:
		return t.op.holds(at.Compare(m.before(now)))
	}
}

// documentHolds reports whether t holds for bytes, or for what is in them.
func (s *subject[T]) documentHolds(f field[T], t term) bool {
	if !t.isDeep() {
		return t.holdsForAny([]string{string(f.bytes(s.v))})
	}
	return anyAt(s.document(f), t.path, t.holdsForJSON)
}

// document returns what is in the bytes of a field, decoded once.
func (s *subject[T]) document(f field[T]) any {
	v, done := s.decoded[f.key()]
	if !done {
		v = decodeJSON(f.bytes(s.v))
		if s.decoded == nil {
			s.decoded = make(map[string]any)
		}
		s.decoded[f.key()] = v
	}
	return v
}

// holdsForJSON reports whether t holds for a decoded value. Numbers are compared as such,
// whatever way they are written.
func (t term) holdsForJSON(v any) bool {
	literal, isNumber := v.(json.Number)
	n, _ := parseNumber(literal.String())
	if t.op != opIs && t.op != opContains {
		return isNumber && t.holdsForNumber(n)
	}
	if isNumber && t.op == opIs && slices.ContainsFunc(t.values, func(v value) bool { return v.isNum && n == v.number }) {
		return true
	}
	return t.holdsFor(jsonText(v))
}
