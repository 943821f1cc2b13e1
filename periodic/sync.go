package periodic

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

const (
	// skew is by how much the clocks of those who change entries may differ.
	skew = 10 * time.Second

	// tidyInterval is how often what is kept no longer is deleted.
	tidyInterval = time.Minute
)

// A follower learns what others have changed.
type follower struct {
	s    *Scheduler
	from time.Time            // all that was changed before is known
	seen map[string]time.Time // by name, the last change, of those after from
	tidy time.Time            // when to look for what is to be deleted
}

func (s *Scheduler) newFollower() *follower {
	return &follower{s: s, seen: make(map[string]time.Time)}
}

// once reads the records that have been changed since the last time.
func (f *follower) once(ctx context.Context) error {
	began := f.s.now()
	req := broker.HomesRequest{Queue: homes, From: f.from, Limit: broker.MaxParts}
	for {
		page, err := f.s.broker.Homes(ctx, req)
		if err != nil {
			return fmt.Errorf("list entries: %w", err)
		}
		for _, h := range page.Homes {
			if err := f.read(ctx, h); err != nil {
				return err
			}
		}
		if req.After = page.Next; page.Next == "" {
			break
		}
	}
	f.from = began.Add(-skew)
	maps.DeleteFunc(f.seen, func(_ string, at time.Time) bool { return at.Before(f.from) })
	return f.clean(ctx, began)
}

func (f *follower) read(ctx context.Context, h broker.ListedHome) error {
	name := h.Home.ID
	if f.seen[name].Equal(h.At) {
		return nil
	}
	docs, err := f.s.broker.Documents(ctx, h.Home, recordKey)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if docs[0].Version > 0 && !strings.Contains(name, joint) {
		if err := f.s.hear(name, docs[0]); err != nil {
			f.s.report(ctx, new(gate), Tick{Entry: name}, err)
		}
	}
	f.seen[name] = h.At
	return nil
}

// clean deletes what is kept no longer.
func (f *follower) clean(ctx context.Context, now time.Time) error {
	if now.Before(f.tidy) {
		return nil
	}
	_, err := f.s.broker.Advance(ctx, now, broker.AdvanceRequest{Queues: []string{homes}, Limit: broker.MaxParts})
	if err != nil {
		return fmt.Errorf("delete old entries: %w", err)
	}
	f.tidy = now.Add(tidyInterval)
	return nil
}

// hear is told of the record of an entry that somebody has changed. One that is stored
// begins to be run, or ends.
func (s *Scheduler) hear(name string, d broker.Document) error {
	known, err := decodeRecord(d)
	if err != nil {
		return &EntryError{Entry: name, Err: err}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, removed := s.runners[name], !known.Removed.IsZero()
	switch {
	case r == nil && (known.Source != FromStore || removed):
		return nil
	case r == nil:
		if r = s.launch(name, nil); r == nil {
			return nil
		}
	case removed && s.registered[name] == nil && s.provided[name] == nil:
		s.drop(name)
		return nil
	}
	return r.hear(d)
}
