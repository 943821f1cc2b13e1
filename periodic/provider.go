package periodic

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/internal/loop"
)

// A Provider knows entries that a scheduler is to run, and is asked for all of them
// again and again. Its Entries may be called by several schedulers at once. An error,
// a panic, or one entry that is not valid, has the whole answer refused and told to
// [Config].OnError, and the entries of the last good answer go on; so they do while it
// does not return. An entry that is no longer among them is no longer run.
type Provider interface {
	Entries(ctx context.Context) ([]Entry, error)
}

// A ProviderFunc is a function used as a [Provider].
type ProviderFunc func(ctx context.Context) ([]Entry, error)

// Entries calls f.
func (f ProviderFunc) Entries(ctx context.Context) ([]Entry, error) { return f(ctx) }

// poll asks the provider for its entries until ctx ends.
func (s *Scheduler) poll(ctx context.Context) {
	var asking, failing gate
	loop.Every(ctx, s.cfg.Logger, "periodic provider", s.cfg.PollInterval, func(ctx context.Context) error {
		err := s.ask(ctx, &asking)
		if err != nil && ctx.Err() == nil {
			s.report(ctx, &failing, Tick{}, err)
		}
		return nil
	})
}

// ask asks the provider once, and runs what it says.
func (s *Scheduler) ask(ctx context.Context, g *gate) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	entries, err := call(ctx, g, func() ([]Entry, error) { return s.cfg.Provider.Entries(limited) })
	if err != nil {
		return fmt.Errorf("ask provider: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	plans, err := compileAll(FromProvider, entries, s.registered)
	if err != nil {
		return fmt.Errorf("entries of provider: %w", err)
	}
	for name := range s.provided {
		if plans[name] == nil {
			s.leave(name)
		}
	}
	s.provided = plans
	for _, p := range plans {
		s.runPlan(p)
	}
	return nil
}
