package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leatwork/leat/internal/nearest"
)

// value reads one value of a term about f.
func (p *parser[T]) value(f field[T], t term) (value, error) {
	begin := p.pos
	ends := ""
	if t.op.lists() {
		ends = ","
	}
	pat, err := p.pattern(ends)
	if err != nil {
		return value{}, err
	}
	if begin == p.pos {
		return value{}, p.fault(begin, fmt.Sprintf("%s%s needs a value", f.Name, t.op), fmt.Sprintf(`for none, write %s%s""`, f.key(), t.op))
	}
	v := value{pattern: pat}
	if reason := v.read(f.kind, f.Words, t); reason != "" {
		e := p.fault(begin, fmt.Sprintf("%s %s", f.Name, reason), "")
		if near := nearest.Of(pat[0], f.Words); near != "" && pat.isPlain() {
			e.Hint = fmt.Sprintf("did you mean %q?", near)
		}
		e.Known = f.Words
		return value{}, e
	}
	return v, nil
}

// read fills in what a field of the kind needs, and returns why it is not there.
func (v *value) read(k kind, words []string, t term) (reason string) {
	text := v.pattern[0]
	if !v.pattern.isPlain() && k != kindText && k != kindWord && k != kindDocument {
		return "is not compared with a pattern"
	}
	var ok bool
	switch k {
	case kindNumber:
		if v.number, ok = parseNumber(text); !ok {
			return "is compared with a number"
		}
	case kindSpan:
		if v.span, ok = parseSpan(text); !ok {
			return `is compared with a duration: "90s", "5m", "2h", "7d"`
		}
	case kindMoment, kindDue, kindAge:
		return v.readMoment(text, t.op)
	case kindTruth:
		v.truth = text == yes
		if text != yes && text != no {
			return "is yes or no"
		}
	case kindWord:
		return v.readWord(words)
	case kindDocument:
		if v.number, v.isNum = parseNumber(text); !v.isNum && !t.op.lists() {
			return "is compared with a number"
		}
		v.isNum = v.isNum && v.pattern.isPlain()
	case kindText:
	}
	return ""
}

func (v *value) readMoment(text string, o op) (reason string) {
	var ok bool
	if v.moment, ok = parseMoment(text); !ok {
		return `is compared with a duration ("5m", "7d"), a date ("2006-01-02") or a time ("2006-01-02T15:04:05Z")`
	}
	if o == opIs && v.moment.at.IsZero() {
		return `is compared with a duration by "<" or ">"`
	}
	return ""
}

// readWord checks that one of words is meant. One of several words may be written with
// hyphens.
func (v *value) readWord(words []string) (reason string) {
	if v.pattern.isPlain() {
		for _, w := range words {
			if strings.ReplaceAll(w, " ", "-") == v.pattern[0] {
				v.pattern = pattern{w}
			}
		}
	}
	if !slices.ContainsFunc(words, v.pattern.is) {
		return fmt.Sprintf("is never %q", v.pattern.text(""))
	}
	return ""
}
