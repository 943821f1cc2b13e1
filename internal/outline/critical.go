package outline

import (
	"time"

	"github.com/leatwork/leat/internal/view"
)

// Critical returns the names of the steps by which a run took as long as it did, or has
// come to where it is: the one that ended last, or of those that go on the one that
// was ready first; of what it waited for the one that ended last; and so on back to the
// beginning. It is empty before any step has begun.
func Critical(r view.Run, now time.Time) map[string]bool {
	named := make(map[string]int, len(r.Steps))
	rows := make([]Row, len(r.Steps))
	for i, s := range r.Steps {
		named[s.Name], rows[i] = i, RowOf(r, s, now)
		for _, a := range s.Added { // what waits for it waits for them, too
			if end := RowOf(r, a, now).Work.To; end.After(rows[i].Work.To) {
				rows[i].Work.To = end
			}
		}
	}
	critical := make(map[string]bool)
	for at := lastOf(r, rows); at >= 0 && !critical[r.Steps[at].Name]; {
		s := r.Steps[at]
		critical[s.Name] = true
		at = -1
		for _, name := range s.After {
			if i, known := named[name]; known && (at < 0 || rows[i].end().After(rows[at].end())) && !rows[i].end().IsZero() {
				at = i
			}
		}
	}
	return critical
}

// end returns when what a row is of came to its outcome, or how far it has come; zero
// if it has not begun.
func (w *Row) end() time.Time { return w.Work.To }

// lastOf returns the step that a run waits for, or waited for last; -1: none has begun.
func lastOf(r view.Run, rows []Row) int {
	last, goesOn := -1, false
	passed := make(map[string]bool) // what came behind has begun
	for i, s := range r.Steps {
		for _, name := range s.After {
			passed[name] = passed[name] || !rows[i].end().IsZero()
		}
	}
	for i, w := range rows {
		switch {
		case passed[r.Steps[i].Name]:
		case r.EndedAt.IsZero() && !w.State.Ended() && !w.from().IsZero():
			if !goesOn || w.from().Before(rows[last].from()) {
				last, goesOn = i, true
			}
		case !goesOn && !w.end().IsZero() && (last < 0 || !w.end().Before(rows[last].end())):
			last = i
		}
	}
	return last
}

// from returns when it was ready, or begun if that is not known.
func (w *Row) from() time.Time {
	for _, s := range []Span{w.Wait, w.Tries, w.Work} {
		if !s.IsZero() {
			return s.From
		}
	}
	return time.Time{}
}
