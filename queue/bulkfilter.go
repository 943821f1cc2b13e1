package queue

import (
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Filter takes some of the tasks that are in one state. Its zero value takes
// all. Where several fields are set, it takes those that all of them take.
type Filter struct {
	Type  string // what the type begins with
	Error string // what the text of the last failure contains

	// From and Until are between which times a task was completed, if it is
	// completed, is due, if it is scheduled, or has last failed otherwise; From is
	// among them, Until is not. Zero: no limit. A failure is kept to the second,
	// rounded down, and a task that has not failed is taken by neither.
	From, Until time.Time

	// Match is called with each task that the other fields take, and says whether
	// it is taken. nil: it is.
	Match func(*task.Info) bool
}

func (f Filter) isZero() bool {
	return f.Type == "" && f.Error == "" && f.From.IsZero() && f.Until.IsZero() && f.Match == nil
}

func (f Filter) check() error {
	if !f.From.IsZero() && !f.Until.IsZero() && !f.From.Before(f.Until) {
		return task.Invalid("Filter.Until", f.Until, "must be after From")
	}
	return nil
}

// takes reports whether f takes s.
func (f Filter) takes(now time.Time, s broker.Stored) bool {
	return strings.HasPrefix(s.Type, f.Type) && strings.Contains(s.LastErr, f.Error) &&
		f.during(s) && (f.Match == nil || f.Match(InfoOf(now, s)))
}

func (f Filter) during(s broker.Stored) bool {
	if f.From.IsZero() && f.Until.IsZero() {
		return true
	}
	at := s.LastFailedAt
	switch s.State {
	case task.Completed:
		at = s.CompletedAt
	case task.Scheduled:
		at = s.DueAt
	}
	return !at.IsZero() && !at.Before(f.From) && (f.Until.IsZero() || at.Before(f.Until))
}
