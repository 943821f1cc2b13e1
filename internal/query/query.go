package query

import (
	"slices"
	"strings"
	"time"
)

// A Query takes some things and not others. Its zero value takes all. It may be used by
// several goroutines.
type Query[T any] struct {
	language *Language[T]
	terms    []term
}

// An op is how a field and a value are compared.
type op string

const (
	opIs       op = ":"
	opContains op = "~"
	opMore     op = ">"
	opLess     op = "<"
	opAtLeast  op = ">="
	opAtMost   op = "<="
)

// holds reports whether an op that orders holds where the field compares to the value as
// order says.
func (o op) holds(order int) bool {
	switch o {
	case opMore:
		return order > 0
	case opLess:
		return order < 0
	case opAtLeast:
		return order >= 0
	case opAtMost:
		return order <= 0
	}
	return order == 0
}

// A term is a part of a query.
type term struct {
	not    bool
	field  string // "": a word without a field, which anything may contain
	path   []segment
	op     op
	values []value // one of which must hold
}

// A value is what a field is compared with: a pattern, and what that is if the field
// needs another form.
type value struct {
	pattern pattern
	number  number
	isNum   bool
	span    time.Duration
	moment  moment
	truth   bool
}

// Match reports whether q takes v at the time now. It decodes JSON only if q asks for
// something in it, and then once.
func (q Query[T]) Match(now time.Time, v T) bool {
	s := &subject[T]{language: q.language, v: v, now: now}
	for _, deep := range []bool{false, true} { // what is cheap first
		for _, t := range q.terms {
			if t.isDeep() == deep && s.holds(t) == t.not {
				return false
			}
		}
	}
	return true
}

// isDeep reports whether t looks into JSON.
func (t term) isDeep() bool { return len(t.path) > 0 }

// Empty reports whether q has no terms, and so takes everything.
func (q Query[T]) Empty() bool { return len(q.terms) == 0 }

// String returns q as it would be written plainly. To parse it gives the same query.
func (q Query[T]) String() string {
	texts := make([]string, len(q.terms))
	for i, t := range q.terms {
		texts[i] = q.textOf(t)
	}
	return strings.Join(texts, " ")
}

func (q Query[T]) textOf(t term) string {
	minus := ""
	if t.not {
		minus = "-"
	}
	if t.field == "" {
		text := t.values[0].pattern.text(nameEnds + ",=*")
		if strings.HasPrefix(text, "-") {
			text = `"-"` + text[1:]
		}
		return minus + text
	}
	values := make([]string, len(t.values))
	for i, v := range t.values {
		values[i] = v.pattern.text(",*")
	}
	f, _ := q.language.field(t.field)
	return minus + t.field + f.pathText(t.path, nameEnds) + string(t.op) + strings.Join(values, ",")
}

// Only returns the plain values that a field must be one of, sorted: those of "state", of
// "id" and so on. nil: q does not say, or not by listing them; if the list is empty, q
// takes nothing.
func (q Query[T]) Only(field string) []string {
	var only []string
	for _, t := range q.terms {
		values, listed := t.listed()
		if t.not || t.field != field || t.op != opIs || !listed {
			continue
		}
		if only == nil {
			only = values
		} else {
			only = slices.DeleteFunc(only, func(v string) bool { return !slices.Contains(values, v) })
		}
	}
	slices.Sort(only)
	return slices.Compact(only)
}

// listed returns the values of t, if all are plain.
func (t term) listed() ([]string, bool) {
	var values []string
	for _, v := range t.values {
		if !v.pattern.isPlain() {
			return nil, false
		}
		values = append(values, v.pattern[0])
	}
	return values, true
}

// Allows reports whether q may take a thing whose field, one of text or of words, is
// value: what all its terms about that field say.
func (q Query[T]) Allows(field, value string) bool {
	return !slices.ContainsFunc(q.terms, func(t term) bool {
		return t.field == field && t.holdsFor(value) == t.not
	})
}

// Without returns q without its terms about some fields.
func (q Query[T]) Without(fields ...string) Query[T] {
	terms := slices.DeleteFunc(slices.Clone(q.terms), func(t term) bool { return slices.Contains(fields, t.field) })
	return Query[T]{language: q.language, terms: terms}
}
