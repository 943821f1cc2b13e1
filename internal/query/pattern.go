package query

import (
	"slices"
	"strings"
	"unicode"
)

// A pattern is texts with anything between them. One with a single part is that text.
type pattern []string

// isPlain reports whether p is one text.
func (p pattern) isPlain() bool { return len(p) == 1 }

// is reports whether s is as p says, from its beginning to its end.
func (p pattern) is(s string) bool {
	if p.isPlain() {
		return s == p[0]
	}
	s, begins := strings.CutPrefix(s, p[0])
	return begins && strings.HasSuffix(s, p[len(p)-1]) && inOrder(s[:len(s)-len(p[len(p)-1])], p[1:len(p)-1])
}

// isIn reports whether s contains the parts of p in their order, whatever the case of
// letters.
func (p pattern) isIn(s string) bool { return inOrder(strings.ToLower(s), p.lower()) }

func (p pattern) lower() []string {
	parts := slices.Clone(p)
	for i, part := range parts {
		parts[i] = strings.ToLower(part)
	}
	return parts
}

func inOrder(s string, parts []string) bool {
	for _, part := range parts {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// text returns what reads as p, with quotes where p has one of special in it.
func (p pattern) text(special string) string {
	if p.isPlain() && p[0] == "" {
		return `""`
	}
	parts := make([]string, len(p))
	for i, part := range p {
		parts[i] = quoted(part, special)
	}
	return strings.Join(parts, "*")
}

// quoted returns s, in quotes if it has a space, a quote or one of special in it.
func quoted(s, special string) string {
	if !strings.ContainsAny(s, special+`"`) && strings.IndexFunc(s, unicode.IsSpace) < 0 {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Term returns the term that takes what is exactly text in a field, or if there are more
// texts, what begins with the first, ends with the last, and has the others in between in
// that order.
func Term(field, text string, more ...string) string {
	p := pattern(append([]string{text}, more...))
	if p.isPlain() && text == "" {
		return field + `:""`
	}
	return field + string(opIs) + p.text(",*")
}
