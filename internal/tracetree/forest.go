package tracetree

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A forest is spans with what hangs below each.
type forest struct {
	spans    []Span // in order of their start
	named    map[Ref]Span
	children map[Ref][]Span
	traces   []string // in order of their first span
}

func newForest(spans []Span) forest {
	f := forest{spans: slices.Clone(spans), named: map[Ref]Span{}, children: map[Ref][]Span{}}
	slices.SortStableFunc(f.spans, byStart)
	for _, s := range f.spans {
		if _, twice := f.named[s.Ref]; twice {
			continue
		}
		f.named[s.Ref] = s
		if s.Parent != "" {
			f.children[s.parent()] = append(f.children[s.parent()], s)
		}
		if !slices.Contains(f.traces, s.Trace) {
			f.traces = append(f.traces, s.Trace)
		}
	}
	return f
}

// byStart orders spans by their start, and those that began together by name, in which
// numbers count as such; but what has waited for no time comes before what it has waited
// for.
func byStart(a, b Span) int {
	return cmp.Or(a.Began.Compare(b.Began), -cmp.Compare(waits(a), waits(b)), natural(a.Name, b.Name))
}

func waits(s Span) int {
	if strings.HasPrefix(s.Name, "wait ") {
		return 1
	}
	return 0
}

// natural compares texts such that "b[10]" comes after "b[9]".
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x == 0 || y == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		m, _ := strconv.Atoi(a[:x])
		n, _ := strconv.Atoi(b[:y])
		if m != n {
			return cmp.Compare(m, n)
		}
		a, b = a[x:], b[y:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits returns how many digits text begins with.
func digits(text string) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}

// roots returns the spans of a trace whose parents are not there.
func (f forest) roots(trace string) (roots []Span) {
	for _, s := range f.spans {
		if _, below := f.named[s.parent()]; s.Trace == trace && !below {
			roots = append(roots, s)
		}
	}
	return roots
}

// title names a trace by its first root.
func (f forest) title(trace string) string {
	if roots := f.roots(trace); len(roots) > 0 {
		return fmt.Sprintf("trace of %s", roots[0].Name)
	}
	return "trace without a root"
}

// size returns how many spans there are from s down.
func (f forest) size(s Span) int {
	n := 1
	for _, c := range f.children[s.Ref] {
		n += f.size(c)
	}
	return n
}

// count returns how many spans a trace has.
func (f forest) count(trace string) (n int) {
	for ref := range f.named {
		if ref.Trace == trace {
			n++
		}
	}
	return n
}

// A Row is a span in the order in which a viewer shows them.
type Row struct {
	Span
	Depth int // how many spans it is below its root
}

// Rows returns spans as a viewer shows them: traces in order of their first span, in each
// a span before those below it, which are in order of their start.
func Rows(spans []Span) (rows []Row) {
	f := newForest(spans)
	var add func(s Span, depth int)
	add = func(s Span, depth int) {
		rows = append(rows, Row{s, depth})
		for _, c := range f.children[s.Ref] {
			add(c, depth+1)
		}
	}
	for _, t := range f.traces {
		for _, root := range f.roots(t) {
			add(root, 0)
		}
	}
	return rows
}
