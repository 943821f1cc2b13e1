package workflow

import (
	"context"
	"slices"
	"time"
)

// A Happening is one thing in the history of a run.
type Happening struct {
	At    time.Time
	What  string // "started", a step's outcome such as "done", or what was done to the run, such as "paused"
	Step  string // the step, if it is about one
	Took  time.Duration
	Tries int
	Why   string // why it failed, or what was said of it
}

// History returns what has happened in the run, the oldest first: the outcomes of its
// steps, of those that were added as well, as they count now, and the last fifty things that were done to it. Of maps it
// tells the failure, and nothing of their items.
func (h Handle) History(ctx context.Context) ([]Happening, error) {
	s, err := h.Status(ctx)
	if err != nil {
		return nil, err
	}
	return s.History(), nil
}

// History returns what [Handle.History] does, as far as the status knows. Of what happened
// in the same millisecond, which is as far as outcomes are told apart, the outcomes of
// steps come before what was done to the run: a run closes because a step has failed.
func (s Status) History() []Happening {
	all := []Happening{{At: s.Started, What: "started"}}
	for _, step := range s.Steps {
		for _, one := range append([]StepStatus{step}, step.Added...) {
			if !one.EndedAt.IsZero() {
				all = append(all, one.happening())
			}
		}
	}
	for _, e := range s.Events {
		all = append(all, Happening{At: e.At, What: e.What, Why: e.Why})
	}
	if !s.Ended.IsZero() {
		all = append(all, Happening{At: s.Ended, What: string(s.State)})
	}
	slices.SortStableFunc(all, func(a, b Happening) int {
		return a.At.Truncate(time.Millisecond).Compare(b.At.Truncate(time.Millisecond))
	})
	return all
}

// happening returns that the step came to its outcome.
func (s StepStatus) happening() Happening {
	h := Happening{At: s.EndedAt, What: s.State.String(), Step: s.Name, Took: s.Took, Tries: s.Tries, Why: s.Arm}
	if s.Failure != nil {
		h.Why = s.Failure.Message
	}
	return h
}
