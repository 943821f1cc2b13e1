package brokertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// sightings remembers what brokers were told that no query lists, so that it
// can be removed at the end: homes and servers.
type sightings struct {
	mu      sync.Mutex
	homes   map[broker.Home]bool
	servers map[string]bool
}

func newSightings() *sightings {
	return &sightings{homes: make(map[broker.Home]bool), servers: make(map[string]bool)}
}

// A watched broker notes the homes and servers that pass through it.
type watched struct {
	broker.Broker
	seen *sightings
}

func (s *sightings) watch(b broker.Broker) broker.Broker { return &watched{b, s} }

func (w *watched) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	w.seen.mu.Lock()
	for _, c := range changes {
		if c.Check() == nil && !c.Home.IsZero() {
			w.seen.homes[c.Home] = true
		}
	}
	w.seen.mu.Unlock()
	return w.Broker.Apply(ctx, now, changes, want)
}

func (w *watched) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	err := w.Broker.Beat(ctx, now, s)
	if !errors.Is(err, broker.ErrRefused) {
		w.seen.mu.Lock()
		defer w.seen.mu.Unlock()
		w.seen.servers[s.ID] = true
	}
	return err
}

// Verify lets a watched broker be a [broker.Verifier]; one that is none has
// nothing to say.
func (w *watched) Verify(ctx context.Context, now time.Time) ([]string, error) {
	if v, ok := w.Broker.(broker.Verifier); ok {
		return v.Verify(ctx, now)
	}
	return nil, nil
}

// residue returns what is wrong with a storage after a case: what its broker
// finds in it, what does not go away when all is worked off, and what is left
// then.
func (s *sightings) residue(t testing.TB, b broker.Broker, leftovers func(testing.TB) []string) []string {
	ctx, now := t.Context(), time.Now()
	faults := verify(ctx, b, now, "after the case")
	now = broker.CeilSecond(now.AddDate(200, 0, 0))
	if err := s.drain(ctx, b, now); err != nil {
		return append(faults, fmt.Sprintf("drain: %v", err))
	}
	faults = append(faults, verify(ctx, b, now, "after the drain")...)
	kept, err := archived(ctx, b, now)
	if err != nil {
		return append(faults, fmt.Sprintf("after the drain: %v", err))
	}
	for _, name := range slices.Sorted(slices.Values(leftovers(t))) {
		if !slices.ContainsFunc(kept, func(part string) bool { return strings.Contains(name, part) }) {
			faults = append(faults, fmt.Sprintf("left over: %s", name))
		}
	}
	return faults
}

func verify(ctx context.Context, b broker.Broker, now time.Time, when string) []string {
	v, ok := b.(broker.Verifier)
	if !ok {
		return nil
	}
	sentences, err := v.Verify(ctx, now)
	if err != nil {
		return []string{fmt.Sprintf("%s: Verify() = %v, want nil", when, err)}
	}
	for i, sentence := range sentences {
		sentences[i] = fmt.Sprintf("%s: Verify() says %q, want nothing", when, sentence)
	}
	return sentences
}

// drain works off everything in b by now, a time at which everything that
// waits for a time is due: entries are done, homes closed, servers gone.
func (s *sightings) drain(ctx context.Context, b broker.Broker, now time.Time) error {
	for id := range s.servers {
		if err := b.Beat(ctx, now, broker.Server{ID: id, Gone: true}); err != nil {
			return err
		}
	}
	request := broker.AdvanceRequest{Limit: 1000}
	want := broker.LeaseRequest{Max: 500, Until: now.Add(time.Hour)}
	counts, err := b.Counts(ctx, now)
	if err != nil {
		return err
	}
	for _, c := range counts {
		request.Queues = append(request.Queues, c.Queue)
		want.Queues = append(want.Queues, broker.Share{Queue: c.Queue})
	}
	var changes []broker.Change
	for home := range s.homes {
		if !slices.Contains(request.Queues, home.Queue) {
			request.Queues = append(request.Queues, home.Queue)
		}
		changes = append(changes, broker.Change{Home: home, Close: now})
	}
	const most = 1000 // rounds; a broker that never ends must not hang the suite
	for range most {
		advanced, err := b.Advance(ctx, now, request)
		if err != nil {
			return err
		}
		applied, err := b.Apply(ctx, now, changes, want)
		if err != nil {
			return err
		}
		for i, outcome := range applied.Outcomes {
			if outcome != nil {
				return fmt.Errorf("change %d: %w", i, outcome)
			}
		}
		if len(changes)+len(applied.Leases)+advanced.Total() == 0 && (advanced.Next.IsZero() || advanced.Next.After(now)) {
			return nil
		}
		changes = nil
		for _, l := range applied.Leases {
			changes = append(changes, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}})
		}
	}
	return fmt.Errorf("there was something to do %d times in a row", most)
}

// archived returns what the names of what may be left in storage contain: the
// ids and claims of archived entries, which nothing removes, and "archived" if
// there are any. Entries in any other state are an error.
func archived(ctx context.Context, b broker.Broker, now time.Time) ([]string, error) {
	counts, err := b.Counts(ctx, now)
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, c := range counts {
		if c.Size() != c.Archived {
			return nil, fmt.Errorf("queue %s holds entries that are not archived: %+v", c.Queue, c)
		}
		entries, err := b.List(ctx, broker.ListRequest{Queue: c.Queue, State: task.Archived, Limit: c.Archived + 1})
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			parts = append(parts, e.ID, "archived")
			if e.Claim.Key != "" {
				parts = append(parts, e.Claim.Key)
			}
		}
	}
	return parts, nil
}
