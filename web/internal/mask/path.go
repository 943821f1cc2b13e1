package mask

import (
	"slices"
	"strconv"
	"strings"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/task"
)

// A path leads to what is hidden.
type path []step

// A step is the name of a member, any one member or element, or any number of them.
type step struct {
	name string
	any  bool
	deep bool
}

// parsePath reads a path: names with dots between them. One in quotes is a name with
// whatever is in it.
func parsePath(line string) (path, error) {
	var p path
	for rest, more := line, true; more; {
		s, behind, reason := parseStep(rest)
		if reason != "" {
			return nil, task.Invalid("mask", line, reason)
		}
		p = append(p, s)
		rest, more = strings.CutPrefix(behind, ".")
	}
	if slices.ContainsFunc(p, func(s step) bool { return !s.deep }) {
		return p, nil
	}
	return nil, task.Invalid("mask", line, "leads nowhere; * alone hides everything")
}

// parseStep reads the first step of text, or says what is wrong with it.
func parseStep(text string) (s step, behind, reason string) {
	if strings.HasPrefix(text, `"`) {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return s, "", "the quote is not closed"
		}
		name, err := strconv.Unquote(quoted)
		if err != nil {
			return s, "", "the quoted name cannot be read"
		}
		behind = text[len(quoted):]
		if behind != "" && behind[0] != '.' {
			return s, "", "there must be a dot behind a quoted name"
		}
		return step{name: name}, behind, ""
	}
	end := strings.IndexByte(text, '.')
	if end < 0 {
		end = len(text)
	}
	switch name := text[:end]; {
	case name == "":
		return s, "", "a name is missing beside a dot"
	case name == "*":
		s.any = true
	case name == "**":
		s.deep = true
	case strings.ContainsAny(name, "*\" \t\r\n:"):
		return s, "", "a name with one of *, \", : or a space in it must be in quotes"
	default:
		s.name = name
	}
	return s, text[end:], ""
}

// A front is how far the paths of some rules have been followed: what is left of each,
// once. It is never larger than the rules have steps.
type front []path

// with returns f and what of more is not in it.
func (f front) with(more ...path) front {
	for _, p := range more {
		if !slices.ContainsFunc(f, func(q path) bool { return len(p) == len(q) && &p[0] == &q[0] }) {
			f = append(f, p)
		}
	}
	return f
}

// after returns the front behind a member of that name, and whether a path ends there.
func (f front) after(name string) (next front, ends bool) {
	for _, p := range f {
		n, e := p.after(func(s step) bool { return s.any || strings.EqualFold(s.name, name) })
		next, ends = next.with(n...), ends || e
	}
	return next, ends
}

// afterIndex returns the front behind the i-th element of an array. The array stands for
// the element, too, so that the paths that led to the one lead to the other.
func (f front) afterIndex(i int) (next front, ends bool) {
	next, ends = f.after(strconv.Itoa(i))
	return next.with(f...), ends
}

// after returns what may be left of p behind a step that matches, and whether p may end
// with it.
func (p path) after(matches func(step) bool) (next front, ends bool) {
	switch {
	case len(p) == 0:
		return nil, false
	case p[0].deep: // it may take this step and more, or none
		next, ends = p[1:].after(matches)
		return next.with(p), ends
	case !matches(p[0]):
		return nil, false
	case p[1:].isDeep():
		return nil, true
	}
	return front{p[1:]}, false
}

// isDeep reports whether p is nothing but any number of steps, or at its end.
func (p path) isDeep() bool {
	return !slices.ContainsFunc(p, func(s step) bool { return !s.deep })
}

// meets reports whether what asked leads to may be, be in, or have in it something that
// the front leads to.
func (f front) meets(asked []query.Step) bool {
	if len(f) == 0 {
		return false
	}
	if len(asked) == 0 {
		return true
	}
	var next front
	for _, p := range f {
		n, ends := p.after(func(s step) bool { return asked[0].Any || s.any || strings.EqualFold(s.name, asked[0].Name) })
		if ends {
			return true
		}
		next = next.with(n...)
	}
	if mayBeIndex(asked[0]) {
		next = next.with(f...)
	}
	return next.meets(asked[1:])
}

// mayBeIndex reports whether s may lead to an element of an array.
func mayBeIndex(s query.Step) bool {
	_, err := strconv.Atoi(s.Name)
	return s.Any || err == nil
}
