package query

import (
	"slices"
	"strings"
	"unicode"
)

// A Suggestion is what might stand in a query that is being written.
type Suggestion struct {
	Text     string // what would stand there
	Help     string // what that is, "" if it speaks for itself
	From, To int    // in place of which bytes
}

// Knowing returns l as a language whose completion offers values for a field, beside what
// it offers by itself: the queues that there are. l is not changed.
func (l *Language[T]) Knowing(field string, values []string) *Language[T] {
	c := &Language[T]{things: l.things, declare: l.all, bare: l.bare, known: map[string][]string{field: values}}
	for f, v := range l.known {
		if f != field {
			c.known[f] = v
		}
	}
	return c
}

// Complete returns what the term in text that ends at the byte cursor may go on with: the
// names of fields, or the values of one that has only some. It returns nothing in the
// middle of other values.
func Complete[T any](l *Language[T], text string, cursor int) []Suggestion {
	cursor = min(max(cursor, 0), len(text))
	from := termAt(text[:cursor])
	word := text[from:cursor]
	if strings.HasPrefix(word, "-") {
		from, word = from+1, word[1:]
	}
	if i := strings.IndexAny(word, nameEnds); i >= 0 {
		return completeValue(l, word[:i], word[i:], cursor)
	}
	var found []Suggestion
	for _, f := range l.all() {
		if text := f.start(); strings.HasPrefix(text, word) {
			found = append(found, Suggestion{Text: text, Help: f.Help, From: from, To: cursor})
		}
	}
	return found
}

// termAt returns where the term begins that ends with text.
func termAt(text string) int {
	begin, inQuotes := 0, false
	for i, r := range text {
		switch {
		case r == '"':
			inQuotes = !inQuotes
		case unicode.IsSpace(r) && !inQuotes:
			begin = i + len(string(r))
		}
	}
	return begin
}

// start returns what a term about f begins with.
func (f field[T]) start() string {
	if f.tail == tailName {
		return f.key() + "."
	}
	return f.Name + f.Ops[0]
}

// completeValue returns what the last value of behind, an operator and values, may be.
func completeValue[T any](l *Language[T], name, behind string, cursor int) []Suggestion {
	f, found := l.field(name)
	values := slices.Concat(f.Words, l.known[f.key()])
	if !found || len(values) == 0 {
		return nil
	}
	last := strings.TrimLeft(behind, nameEnds+"=")
	last = last[strings.LastIndex(last, ",")+1:]
	var suggestions []Suggestion
	for _, v := range values {
		if text := quoted(v, ",*"); strings.HasPrefix(text, last) || strings.HasPrefix(v, last) {
			suggestions = append(suggestions, Suggestion{Text: text, From: cursor - len(last), To: cursor})
		}
	}
	return suggestions
}
