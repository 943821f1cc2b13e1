package tracetree

import "time"

// A Span is what was exported of a span, by whatever way.
type Span struct {
	Ref
	Parent     string // "" if it has none
	Name       string
	Kind       string // "internal", "server", "client", "producer" or "consumer"
	Service    string
	Began      time.Time
	Ended      time.Time
	Attributes map[string]string
	Events     []string // their names
	Links      []Ref
	Failed     bool   // its status is Error
	Says       string // the description of that status
}

// A Ref names a span, by ids in hex.
type Ref struct{ Trace, ID string }

// parent returns the name of the span's parent.
func (s Span) parent() Ref { return Ref{s.Trace, s.Parent} }

// took returns how long the span lasted.
func (s Span) took() time.Duration { return s.Ended.Sub(s.Began) }
