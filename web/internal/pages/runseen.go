package pages

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/task"
)

// runParams are what the address of a run says: which it is, and what is seen of it.
var runParams = []string{"queue", "id", "face", "step", "open", "down", "with", "from", "to", "find", "items", "preview", "filter"}

// passing are those of them that are over once something else is seen.
var passing = []string{"face", "items", "preview", "filter"}

// A stretch is the part of a run's time that its gantt is of, since its beginning. Its zero
// value is all of it; one without To goes up to the end.
type stretch struct{ From, To time.Duration }

// IsWhole reports whether it is all of the time.
func (s stretch) IsWhole() bool { return s == stretch{} }

// Texts are what an address says of it, "" of what it does not bound.
func (s stretch) Texts() (texts [2]string) {
	for i, at := range []time.Duration{s.From, s.To} {
		if at > 0 {
			texts[i] = at.String()
		}
	}
	return texts
}

// readStretch reads the stretch that an address asks for.
func readStretch(from, to string) (s stretch, err error) {
	if s.From, err = sinceBeginning("from", from); err != nil {
		return s, err
	}
	if s.To, err = sinceBeginning("to", to); err != nil {
		return s, err
	}
	if to != "" && s.To <= s.From {
		return s, task.Invalid("to", to, "is not behind from")
	}
	return s, nil
}

// sinceBeginning reads how long after the beginning of a run something is.
func sinceBeginning(name, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, task.Invalid(name, text, "is not how long after the beginning of the run, such as 12s or 1m30.5s")
	}
	return d, nil
}

// seenOf returns what the address says of a run that is shown, without what is none.
func seenOf(r *request, s *runShown) url.Values {
	seen := url.Values{}
	for _, name := range runParams {
		seen.Set(name, r.get(name))
	}
	seen.Set("open", strings.Join(s.opened, ","))
	seen.Set("with", s.with)
	texts := s.Stretch.Texts()
	seen.Set("from", texts[0])
	seen.Set("to", texts[1])
	return seen
}

// at returns the address of a page about the run as it is seen, but for changes: names and
// values in turn.
func (s *runShown) at(path string, changes ...string) string {
	values := maps.Clone(s.seen)
	for i := 0; i+1 < len(changes); i += 2 {
		values.Set(changes[i], changes[i+1])
	}
	var pairs []any
	for _, name := range runParams {
		pairs = append(pairs, name, values.Get(name))
	}
	address, _ := s.pages.url(path, pairs...) // of as many names as values
	return address
}

// look returns the address under which the run is seen with changes, without what is over then.
func (s *runShown) look(changes ...string) string {
	var ends []string
	for _, name := range passing {
		ends = append(ends, name, "")
	}
	return s.at("/run", append(ends, changes...)...)
}

// Choose returns the address under which a step is chosen, or none.
func (s *runShown) Choose(step string) string { return s.look("step", step) }

// A passed is what a form passes on.
type passed struct{ Name, Value string }

// Kept returns what a form passes on that has fields of its own for some.
func (s *runShown) Kept(own ...string) (fields []passed) {
	for _, name := range runParams {
		if value := s.seen.Get(name); value != "" && !slices.Contains(own, name) && !slices.Contains(passing, name) {
			fields = append(fields, passed{name, value})
		}
	}
	return fields
}
