package query

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/leatwork/leat/internal/nearest"
)

// nameEnds are the characters that end the name of a field.
const nameEnds = ":~<>"

// Parse reads a query. The error is an [*Error]. A text without terms is the query that
// takes everything.
func (l *Language[T]) Parse(text string) (Query[T], error) {
	p := &parser[T]{language: l, text: text, ends: nameEnds}
	q := Query[T]{language: l}
	for p.skipSpace(); p.pos < len(text); p.skipSpace() {
		t, err := p.term()
		if err != nil {
			return Query[T]{}, err
		}
		q.terms = append(q.terms, t)
	}
	return q, nil
}

// A parser reads a query from left to right.
type parser[T any] struct {
	language *Language[T]
	text     string
	pos      int
	ends     string // what ends the name of a field
}

func (p *parser[T]) rest() string { return p.text[p.pos:] }

// fault returns an [Error] about what begins at pos.
func (p *parser[T]) fault(pos int, reason, hint string) *Error {
	return &Error{Text: p.text, Pos: pos, Reason: reason, Hint: hint}
}

func (p *parser[T]) skipSpace() {
	p.pos = len(p.text) - len(strings.TrimLeftFunc(p.rest(), unicode.IsSpace))
}

// atEnd reports whether a term ends here.
func (p *parser[T]) atEnd() bool {
	r, size := utf8.DecodeRuneInString(p.rest())
	return size == 0 || unicode.IsSpace(r)
}

func (p *parser[T]) accept(c byte) bool {
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *parser[T]) term() (term, error) {
	begin := p.pos
	not := p.accept('-')
	if p.atEnd() {
		return term{}, p.fault(begin, `"-" stands before the term that it turns round`, `for the sign itself, write "\"-\""`)
	}
	var t term
	var err error
	if p.hasField() {
		t, err = p.fieldTerm()
	} else {
		t, err = p.bareTerm()
	}
	t.not = not
	return t, err
}

// hasField reports whether an operator comes before the term ends.
func (p *parser[T]) hasField() bool {
	inQuotes, escaped := false, false
	for i, r := range p.rest() {
		switch {
		case escaped:
			escaped = false
		case r == '"':
			inQuotes = !inQuotes
		case inQuotes:
			escaped = r == '\\'
		case unicode.IsSpace(r):
			return false
		case strings.ContainsRune(nameEnds, r):
			return i > 0
		}
	}
	return false
}

func (p *parser[T]) bareTerm() (term, error) {
	begin := p.pos
	pat, err := p.pattern("")
	if err != nil {
		return term{}, err
	}
	name, behind, found := strings.Cut(p.text[begin:p.pos], "=")
	if _, known := p.language.field(strings.TrimSuffix(name, "!")); found && known {
		return term{}, p.fault(begin, `a field is compared with ":"`, fmt.Sprintf("write %s:%s", strings.TrimSuffix(name, "!"), strings.TrimLeft(behind, "=")))
	}
	if pat.isPlain() && pat[0] == "" {
		return term{}, p.fault(begin, "an empty word is in everything", "")
	}
	return term{op: opContains, values: []value{{pattern: pat}}}, nil
}

func (p *parser[T]) fieldTerm() (term, error) {
	f, path, err := p.part()
	if err != nil {
		return term{}, err
	}
	t := term{field: f.key(), path: path}
	at := p.pos
	t.op = p.op()
	if !f.takes(t) {
		return term{}, p.fault(at, fmt.Sprintf("%s does not go with %q", f.Name, t.op), "it takes "+strings.Join(f.Ops, " "))
	}
	for {
		v, err := p.value(f, t)
		if err != nil {
			return term{}, err
		}
		t.values = append(t.values, v)
		if !t.op.lists() || !p.accept(',') {
			return t, nil
		}
	}
}

// part reads what of a thing is meant: a field, and what is behind its dot.
func (p *parser[T]) part() (f field[T], path []segment, err error) {
	begin := p.pos
	name, path, isWhole, err := p.name()
	if err != nil {
		return f, nil, err
	}
	f, known := p.language.field(name)
	if !known {
		return f, nil, p.unknown(begin, name)
	}
	if f.tail == tailName { // in which a dot is nothing special
		path = joined(path)
		isWhole = len(path) == 0 || path[0].name != ""
	}
	switch {
	case f.tail == tailNone && len(path) > 0:
		return f, nil, p.fault(begin, fmt.Sprintf("%s has no parts", f.Name), "")
	case f.tail == tailName && len(path) == 0:
		return f, nil, p.fault(begin, fmt.Sprintf("%s needs a name", f.key()), fmt.Sprintf("write %s", f.Name))
	case !isWhole:
		return f, nil, p.fault(begin, "a name is missing beside a dot", "")
	}
	return f, path, nil
}

// lists reports whether several values may follow.
func (o op) lists() bool { return o == opIs || o == opContains }

// takes reports whether t's operator goes with f. What is compared in JSON is in it, and
// not the whole.
func (f field[T]) takes(t term) bool {
	if f.kind == kindDocument && !t.isDeep() {
		return t.op.lists()
	}
	for _, o := range f.Ops {
		if o == string(t.op) {
			return true
		}
	}
	return false
}

func (p *parser[T]) unknown(pos int, name string) *Error {
	hint := ""
	if p.ends == nameEnds {
		whole := p.text[pos:]
		if i := strings.IndexFunc(whole, unicode.IsSpace); i >= 0 {
			whole = whole[:i]
		}
		hint = fmt.Sprintf("if it is text, put it in quotes: %q", whole)
	}
	var names []string
	for _, f := range p.language.all() {
		names = append(append(names, f.key()), f.Aliases...)
	}
	if near := nearest.Of(name, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	e := p.fault(pos, fmt.Sprintf("%s have no field %q", p.language.things, name), hint)
	e.Known = p.language.names()
	return e
}

// name reads a field's name and what is behind its dots, and whether there is something
// behind each.
func (p *parser[T]) name() (name string, path []segment, isWhole bool, err error) {
	if name, err = p.piece(p.ends + "."); err != nil {
		return "", nil, false, err
	}
	for isWhole = true; p.accept('.'); {
		isQuoted := strings.HasPrefix(p.rest(), `"`)
		text, err := p.piece(p.ends + ".")
		if err != nil {
			return "", nil, false, err
		}
		isWhole = isWhole && (text != "" || isQuoted)
		path = append(path, segment{name: text, any: text == "*" && !isQuoted})
	}
	return name, path, isWhole, nil
}

// joined returns path as one name.
func joined(path []segment) []segment {
	if len(path) == 0 {
		return nil
	}
	names := make([]string, len(path))
	for i, s := range path {
		names[i] = s.name
	}
	return []segment{{name: strings.Join(names, ".")}}
}

func (p *parser[T]) op() op {
	c := p.text[p.pos : p.pos+1]
	p.pos++
	if (c == ">" || c == "<") && p.accept('=') {
		c += "="
	}
	return op(c)
}

// pattern reads text up to a space or one of ends. A star that is not in quotes stands
// for anything.
func (p *parser[T]) pattern(ends string) (pattern, error) {
	pat := pattern{}
	for {
		part, err := p.piece(ends + "*")
		if err != nil {
			return nil, err
		}
		if len(pat) == 0 || part != "" || !strings.HasPrefix(p.rest(), "*") {
			pat = append(pat, part)
		}
		if !p.accept('*') {
			return pat, nil
		}
	}
}

// piece reads text, parts of it in quotes, up to a space or one of ends.
func (p *parser[T]) piece(ends string) (string, error) {
	var b strings.Builder
	for !p.atEnd() && !strings.Contains(ends, p.rest()[:1]) {
		if p.text[p.pos] != '"' {
			_, size := utf8.DecodeRuneInString(p.rest())
			b.WriteString(p.rest()[:size])
			p.pos += size
			continue
		}
		if err := p.quotes(&b); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// quotes reads what is in quotes, where \" is a quote and \\ a backslash.
func (p *parser[T]) quotes(b *strings.Builder) error {
	begin := p.pos
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			return nil
		case c == '\\' && p.pos+1 < len(p.text) && strings.IndexByte(`"\`, p.text[p.pos+1]) >= 0:
			p.pos++
			b.WriteByte(p.text[p.pos])
		default:
			b.WriteByte(c)
		}
	}
	return p.fault(begin, "the quote is not closed", "")
}
