package tracetree

import (
	"fmt"
	"slices"
)

// MaxLinks is how many links a span has at most. An exporter drops the oldest of those
// that are too many without a word.
const MaxLinks = 100

// Check returns what is wrong with spans that are all there is of their traces, each
// fault one sentence:
//
//   - a span that is there twice, or lasts no time;
//   - a parent that is not there, unless it is one of elsewhere;
//   - a trace that has several roots, or none;
//   - a span that does not lie within its parent, unless it is longer and starts no
//     earlier: Jaeger warns of that, since it may be that a clock is wrong;
//   - a root that links into its own trace, which Jaeger draws as a cycle;
//   - more links than [MaxLinks].
func Check(spans []Span, elsewhere ...Ref) (faults []string) {
	f := newForest(spans)
	fault := func(s Span, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%q of %s: ", s.Name, f.title(s.Trace))+fmt.Sprintf(format, args...))
	}
	seen := map[Ref]bool{}
	for _, s := range f.spans {
		if seen[s.Ref] {
			fault(s, "is there twice")
			continue
		}
		seen[s.Ref] = true
		if !s.Began.Before(s.Ended) {
			fault(s, "lasts %v", s.took())
		}
		if n := len(s.Links); n > MaxLinks {
			fault(s, "has %d links", n)
		}
		parent, known := f.named[s.parent()]
		switch {
		case s.Parent == "" && slices.ContainsFunc(s.Links, func(l Ref) bool { return l.Trace == s.Trace }):
			fault(s, "is a root, and links into its own trace")
		case s.Parent == "":
		case !known && !slices.Contains(elsewhere, s.parent()):
			fault(s, "its parent is not there")
		case known && !fits(s, parent):
			fault(s, "begins %v after %q and lasts %v, which is not within its %v",
				s.Began.Sub(parent.Began), parent.Name, s.took(), parent.took())
		}
	}
	return append(faults, f.rootFaults(elsewhere)...)
}

// fits reports whether Jaeger takes the times of a span and its parent as they are.
func fits(s, parent Span) bool {
	return !s.Began.Before(parent.Began) && (s.took() > parent.took() || !s.Ended.After(parent.Ended))
}

// rootFaults finds traces that have not one root. A span below one that is elsewhere is
// a root of what is here.
func (f forest) rootFaults(elsewhere []Ref) (faults []string) {
	for _, t := range f.traces {
		roots, rooted := 0, 0
		for _, s := range f.spans {
			if s.Trace == t && (s.Parent == "" || slices.Contains(elsewhere, s.parent())) {
				roots++
				rooted += f.size(s)
			}
		}
		if roots != 1 {
			faults = append(faults, fmt.Sprintf("%s: has %d roots", f.title(t), roots))
		}
		if of := f.count(t); roots > 0 && rooted < of {
			faults = append(faults, fmt.Sprintf("%s: %d of its %d spans do not hang below a root", f.title(t), of-rooted, of))
		}
	}
	return faults
}
