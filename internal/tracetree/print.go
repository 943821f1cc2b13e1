package tracetree

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Printer writes spans as indented text: a block for each trace, in it each span below
// its parent, in order of their start, and below each its links, named by what they point
// to. Times and ids are left out.
type Printer struct {
	Attributes []string // those that are written, in this order
	Events     bool     // whether the events are

	// Services are the first words of the names of spans whose service is written. That of
	// others may be one in this run and another in the next.
	Services []string

	// Fold writes neighbours that look the same, but for the item in their names, as one,
	// with how many they are. It is for what is done side by side in whatever order.
	Fold bool
}

// Print writes all traces, in order of their text.
func (p Printer) Print(spans []Span) string {
	f := newForest(spans)
	var traces []string
	for _, t := range f.traces {
		var text strings.Builder
		for _, root := range f.roots(t) {
			text.WriteString(p.tree(f, root))
		}
		traces = append(traces, text.String())
	}
	slices.Sort(traces)
	if p.Fold {
		traces = fold(traces)
	}
	return strings.Join(traces, "\n")
}

// tree writes a span and all below it.
func (p Printer) tree(f forest, s Span) string {
	var b strings.Builder
	b.WriteString(p.line(s) + "\n")
	var links []string
	for _, l := range s.Links {
		links = append(links, "→ "+p.name(f.target(s, l))+"\n")
	}
	slices.Sort(links)
	var children []string
	for _, c := range f.children[s.Ref] {
		children = append(children, p.tree(f, c))
	}
	if p.Fold {
		links, children = fold(links), fold(children)
	}
	for _, below := range append(links, children...) {
		b.WriteString(indented(below))
	}
	return b.String()
}

// line writes what is said of the span itself.
func (p Printer) line(s Span) string {
	words := []string{p.name(s.Name), "(" + cmp.Or(s.Kind, "internal") + ")"}
	if first, _, _ := strings.Cut(s.Name, " "); slices.Contains(p.Services, first) {
		words = append(words, "of "+cmp.Or(s.Service, "nobody"))
	}
	for _, name := range p.Attributes {
		if value, ok := s.Attributes[name]; ok {
			words = append(words, fmt.Sprintf("%s=%s", name, value))
		}
	}
	if p.Events && len(s.Events) > 0 {
		words = append(words, "events="+strings.Join(s.Events, ","))
	}
	if s.Failed {
		words = append(words, strings.TrimSuffix("ERROR "+s.Says, " "))
	}
	return strings.Join(words, " ")
}

// target says what a link of s points to.
func (f forest) target(s Span, l Ref) string {
	to, known := f.named[l]
	switch {
	case !known:
		return "what is not there"
	case l.Trace == s.Trace:
		return to.Name
	}
	return f.title(l.Trace) + ": " + to.Name
}

// item is what tells items of a map, or rounds, from each other in their names.
var item = regexp.MustCompile(`\[\d+\]`)

// name returns a name as it is written.
func (p Printer) name(name string) string {
	if p.Fold {
		return item.ReplaceAllString(name, "[…]")
	}
	return name
}

// fold makes one of neighbours that are the same.
func fold(texts []string) (folded []string) {
	for len(texts) > 0 {
		n := slices.IndexFunc(texts, func(t string) bool { return t != texts[0] })
		if n < 0 {
			n = len(texts)
		}
		text := texts[0]
		if n > 1 {
			text = fmt.Sprintf("%d × %s", n, text)
		}
		folded, texts = append(folded, text), texts[n:]
	}
	return folded
}

// indented moves each line of a text to the right.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	return b.String()
}
