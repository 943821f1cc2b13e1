package outline

import (
	"slices"
	"time"
)

// A Span is a time from one moment to another. Its zero value is none.
type Span struct{ From, To time.Time }

// Length returns how long it is.
func (s Span) Length() time.Duration { return s.To.Sub(s.From) }

// IsZero reports whether it is none.
func (s Span) IsZero() bool { return s.From.IsZero() }

// In returns the part of it that is in another, or the zero value if nothing of it is. One
// that begins where another ends is not in that, unless it takes no time.
func (s Span) In(whole Span) Span {
	if s.IsZero() || s.From.After(whole.To) || s.To.Before(whole.From) {
		return Span{}
	}
	part := s
	if part.From.Before(whole.From) {
		part.From = whole.From
	}
	if part.To.After(whole.To) {
		part.To = whole.To
	}
	if part.Length() <= 0 && s.Length() > 0 {
		return Span{}
	}
	return part
}

// gaps returns the times of all in which none of busy is.
func gaps(all Span, busy []Span) (idle []Span) {
	at := all.From
	for _, b := range Union(busy) {
		if b.From.After(at) {
			idle = append(idle, Span{at, b.From})
		}
		if b.To.After(at) {
			at = b.To
		}
	}
	if all.To.After(at) {
		idle = append(idle, Span{at, all.To})
	}
	return idle
}

// Union returns the times in which any of several spans is, in order, as few as say so.
func Union(spans []Span) (union []Span) {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	for _, s := range spans {
		if last := len(union) - 1; last >= 0 && !s.From.After(union[last].To) {
			if s.To.After(union[last].To) {
				union[last].To = s.To
			}
			continue
		}
		union = append(union, s)
	}
	return union
}
