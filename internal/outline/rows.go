package outline

import (
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/view"
)

// A Row is a step, or a run within the run.
type Row struct {
	Run, Step string
	Item      int    // of a map or a loop, of which it is one run; otherwise -1
	Depth     int    // 0: of the run itself
	Label     string // its name, as long as it is
	State     State

	Wait, Tries, Work Span   // before it was tried, before the last attempt, and that; zero: there is none
	Attempts          []Span // of those before the last, as far as they are known
	GoesOn            bool   // Work does
	Waits             bool   // it runs nothing: Work is a wait
	Took              time.Duration
}

// Rows returns the rows of a run's steps, and below each the rows of what it has added, and
// of the runs that it is.
// now is the time of a run that goes on.
func Rows(r view.Run, now time.Time) []Row { return rowsOf(r, now, 0) }

func rowsOf(r view.Run, now time.Time, depth int) (rows []Row) {
	children := childrenOf(r)
	for _, s := range r.Steps {
		own := RowOf(r, s, now)
		own.Depth = depth
		rows = append(rows, own)
		for _, a := range s.Added {
			row := RowOf(r, a, now)
			row.Depth = depth + 1
			rows = append(rows, row)
		}
		for _, child := range children[s.Name] {
			deeper := depth + 1
			if s.Kind == "map" || s.Kind == "loop" {
				row := RowOfRun(r, s, child, now)
				row.Depth = deeper
				rows = append(rows, row)
				deeper++
			}
			rows = append(rows, rowsOf(child, now, deeper)...)
		}
	}
	return rows
}

// childrenOf returns the runs within a run, by the step that they are.
func childrenOf(r view.Run) map[string][]view.Run {
	children := make(map[string][]view.Run)
	for _, child := range r.Children {
		children[child.Step] = append(children[child.Step], child)
	}
	return children
}

// RowOfRun returns the row of child, one of the runs that step s of r is.
func RowOfRun(r view.Run, s view.Step, child view.Run, now time.Time) Row {
	w := Row{Run: r.ID, Step: s.Name, Item: -1, Label: child.Workflow, State: StateOfRun(child)}
	if child.Item != nil {
		w.Item = *child.Item
		w.Label = fmt.Sprintf("%s[%d]", s.Name, w.Item)
	}
	w.Work, w.GoesOn = Span{child.StartedAt, child.EndedAt}, child.EndedAt.IsZero()
	if w.GoesOn {
		w.Work.To = now
	}
	w.Took = w.Work.Length()
	return w
}

// RowOf returns the row of a step of a run.
func RowOf(r view.Run, s view.Step, now time.Time) Row {
	until := now // behind which nothing is known
	if !r.EndedAt.IsZero() {
		until = r.EndedAt
	}
	w := Row{Run: r.ID, Step: s.Name, Item: -1, Label: s.Name, State: StateOf(r, s), Waits: s.Kind == "await" || s.Kind == "sleep"}
	began, ended := s.StartedAt, s.EndedAt
	switch {
	case s.Kind == "map" && w.State != Skipped:
		if began.IsZero() {
			began = s.ReadyAt
		}
		if s.Width == 0 && ended.IsZero() && w.State != Done {
			began = time.Time{}
		}
		if w.State == Done && ended.IsZero() {
			ended = nextTo(r, s, until)
		}
	case s.Workflow && began.IsZero() && w.State == Running:
		began = startOf(r, s)
	}
	if w.State == Skipped {
		return w
	}
	w.GoesOn = w.State == Running && !began.IsZero()
	if w.GoesOn || ended.IsZero() {
		ended = until
	}
	if began.IsZero() && !s.EndedAt.IsZero() {
		began = s.EndedAt // it took no time
	}
	if !began.IsZero() {
		w.Work = Span{began, ended}
		w.Took = w.Work.Length()
	}
	w.before(s, began, until)
	return w
}

// before finds out what was before a step began, or is as long as it has not.
func (w *Row) before(s view.Step, began, until time.Time) {
	end := began
	if end.IsZero() {
		end = until
	}
	from := s.ReadyAt
	if len(s.Attempts) > 0 && s.Attempts[0].StartedAt.After(from) {
		from = s.Attempts[0].StartedAt
	}
	switch {
	case s.ReadyAt.IsZero() || !end.After(s.ReadyAt):
	case len(s.Attempts) > 0:
		w.Wait, w.Tries = Span{s.ReadyAt, from}, Span{from, end}
		for _, a := range s.Attempts {
			if !a.StartedAt.IsZero() {
				w.Attempts = append(w.Attempts, Span{a.StartedAt, a.EndedAt})
			}
		}
	case s.Tries > 1:
		w.Tries = Span{s.ReadyAt, end}
	default:
		w.Wait = Span{s.ReadyAt, end}
	}
}

// nextTo returns when what waits for a step began, the first of it, or else until.
func nextTo(r view.Run, s view.Step, until time.Time) time.Time {
	first := until
	for _, next := range r.Steps {
		began := next.StartedAt
		if began.IsZero() {
			began = next.EndedAt
		}
		if !began.IsZero() && began.Before(first) && !began.Before(s.ReadyAt) && slices.Contains(next.After, s.Name) {
			first = began
		}
	}
	return first
}

// startOf returns when the run began that a step is, or when it was ready.
func startOf(r view.Run, s view.Step) time.Time {
	for _, child := range r.Children {
		if child.Step == s.Name {
			return child.StartedAt
		}
	}
	return s.ReadyAt
}

// Whole returns the time that a run and its rows take.
func Whole(r view.Run, rows []Row, now time.Time) Span {
	all := Span{r.StartedAt, r.EndedAt}
	if r.BeginsAt.After(all.From) {
		all.From = r.BeginsAt
	}
	if all.To.IsZero() {
		all.To = now
	}
	for _, w := range rows {
		for _, s := range []Span{w.Wait, w.Tries, w.Work} {
			if !s.IsZero() && s.From.Before(all.From) {
				all.From = s.From
			}
			if s.To.After(all.To) {
				all.To = s.To
			}
		}
	}
	return all
}

// Busy returns when something was done.
func Busy(rows []Row) (busy []Span) {
	for _, w := range rows {
		if !w.Work.IsZero() && !w.Waits {
			busy = append(busy, w.Work)
		}
	}
	return busy
}
