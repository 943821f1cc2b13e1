package pages

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/workflow"
)

// An advance is how far a run has come, as a list tells it.
type advance struct {
	Progress runProgress
	At       string   // the step that runs
	Signals  []string // that it waits for
}

// advanceOf returns how far a run has come.
func advanceOf(r view.Run) advance {
	a := advance{Progress: progressOf(r.Steps), Signals: waitedFor(r)}
	if i := slices.IndexFunc(r.Steps, func(s view.Step) bool { return s.State == "running" }); i >= 0 {
		a.At = r.Steps[i].Name
	}
	return a
}

// advances are how far runs have come that have ended. Their steps are not kept: there may
// be a thousand of each.
type advances struct {
	mu    sync.Mutex
	known map[advanceKey]advance
}

type advanceKey struct {
	queue, id string
	ended     int64
}

const mostAdvances = 1000

// of returns how far a run has come, nothing if that cannot be read.
func (k *advances) of(ctx context.Context, s workflow.Summary) advance {
	key := advanceKey{s.Queue(), s.ID, s.Ended.UnixNano()}
	k.mu.Lock()
	known, ok := k.known[key]
	k.mu.Unlock()
	if ok {
		return known
	}
	status, err := s.Status(ctx)
	if err != nil {
		return advance{}
	}
	a := advanceOf(view.RunOf(workflow.Tree{Status: status, Item: -1}, time.Time{}))
	if !s.Ended.IsZero() {
		k.keep(key, a)
	}
	return a
}

func (k *advances) keep(key advanceKey, a advance) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= mostAdvances {
		k.known = map[advanceKey]advance{}
	}
	k.known[key] = a
}
