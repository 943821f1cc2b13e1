package history

import (
	"cmp"
	"slices"
	"time"
)

// Figures are what [Read] returns: the figures of queues from From until To, in steps of
// one length. Steps begin at whole multiples of it, UTC.
type Figures struct {
	From, To time.Time
	Step     time.Duration

	Total  QueueFigures   // of all the queues together
	Queues []QueueFigures // in the order in which they were asked for

	by    *resolution
	types bool
	now   time.Time
}

// QueueFigures are those of one queue, one for each step.
type QueueFigures struct {
	Queue  string
	Steps  []Figure
	Gauges []Gauges
	Types  []TypeFigures // the one of which most were processed first, [Other] last; if asked for
}

// TypeFigures are those of one type of tasks in a queue, or of [Other].
type TypeFigures struct {
	Type  string
	Steps []Figure
}

// Len returns how many steps there are.
func (f Figures) Len() int { return len(f.Total.Steps) }

// Time returns when the step i begins.
func (f Figures) Time(i int) time.Time { return f.From.Add(time.Duration(i) * f.Step) }

// Told reports whether it is known what was done in the step i. Of the last minute or two
// nothing may have been written yet.
func (f Figures) Told(i int) bool {
	over := f.Time(i).Add(f.Step + Lag + Spread + Patience)
	return !f.now.Before(over) || f.Total.Gauges[i].Known || !f.Total.Steps[i].IsZero()
}

// Rate returns how many a second n of the step i are. What of the step is yet to come does
// not count.
func (f Figures) Rate(i int, n int64) float64 {
	passed := min(f.Step, f.now.Sub(f.Time(i)))
	if passed <= 0 {
		return 0
	}
	return float64(n) / passed.Seconds()
}

// Sum returns the figures of all steps in one.
func (q QueueFigures) Sum() Figure { return Sum(q.Steps...) }

// Sum returns the figures of all steps in one.
func (t TypeFigures) Sum() Figure { return Sum(t.Steps...) }

func newQueueFigures(queue string, steps int) QueueFigures {
	return QueueFigures{Queue: queue, Steps: make([]Figure, steps), Gauges: make([]Gauges, steps)}
}

// ofType returns the steps of a type.
func (q *QueueFigures) ofType(name string) []Figure {
	for _, t := range q.Types {
		if t.Type == name {
			return t.Steps
		}
	}
	q.Types = append(q.Types, TypeFigures{Type: name, Steps: make([]Figure, len(q.Steps))})
	return q.Types[len(q.Types)-1].Steps
}

// finish adds up the queues, and sorts the types.
func (f *Figures) finish() {
	for i := range f.Queues {
		q := &f.Queues[i]
		for j := range q.Steps {
			f.Total.Steps[j].Add(q.Steps[j])
			f.Total.Gauges[j] = f.Total.Gauges[j].and(q.Gauges[j])
		}
		for _, t := range q.Types {
			for j, steps := 0, f.Total.ofType(t.Type); j < len(steps); j++ {
				steps[j].Add(t.Steps[j])
			}
		}
		q.sortTypes()
	}
	f.Total.sortTypes()
}

func (q *QueueFigures) sortTypes() {
	processed := make(map[string]int64, len(q.Types))
	for _, t := range q.Types {
		processed[t.Type] = t.Sum().Processed
	}
	slices.SortFunc(q.Types, func(a, b TypeFigures) int {
		switch {
		case a.Type == Other:
			return 1
		case b.Type == Other:
			return -1
		}
		return cmp.Or(cmp.Compare(processed[b.Type], processed[a.Type]), cmp.Compare(a.Type, b.Type))
	})
}
