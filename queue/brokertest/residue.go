package brokertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// sightings remembers what brokers were told that no query lists, so that it
// can be removed at the end.
type sightings struct {
	mu      sync.Mutex
	homes   map[broker.Home]bool
	servers map[string]bool
	paused  map[string]bool
	held    map[heldClaim]bool // claims that may outlast their entries

	schedulers map[string]bool
	ticks      map[string]bool // by periodic entry

	apart bool // a refusal of what lies apart ends the case
}

type heldClaim struct{ queue, key string }

func newSightings() *sightings {
	return &sightings{
		homes:   make(map[broker.Home]bool),
		servers: make(map[string]bool),
		paused:  make(map[string]bool),
		held:    make(map[heldClaim]bool),

		schedulers: make(map[string]bool),
		ticks:      make(map[string]bool),
	}
}

// A watched broker notes what is to be removed as it passes through it.
type watched struct {
	broker.Broker
	seen *sightings
}

func (s *sightings) watch(b broker.Broker) broker.Broker { return &watched{b, s} }

func (w *watched) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	w.seen.mu.Lock()
	for _, c := range changes {
		if c.Check() == nil {
			w.seen.note(c)
		}
	}
	w.seen.mu.Unlock()
	done, err := w.Broker.Apply(ctx, now, changes, want)
	if w.seen.apart {
		endIfApart(changes, done.Outcomes)
	}
	return done, err
}

// note notes the home of c and the claims that it may leave held.
func (s *sightings) note(c broker.Change) {
	if !c.Home.IsZero() {
		s.homes[c.Home] = true
	}
	holds := func(e broker.Entry) {
		if !e.Claim.Hold.IsZero() {
			s.held[heldClaim{e.Queue, e.Claim.Key}] = true
		}
	}
	for _, e := range c.Enqueue {
		holds(e)
	}
	for _, r := range c.Replace {
		holds(r.Entry)
	}
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

func (w *watched) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	err := w.Broker.BeatScheduler(ctx, now, s)
	if !errors.Is(err, broker.ErrRefused) {
		w.seen.mu.Lock()
		defer w.seen.mu.Unlock()
		w.seen.schedulers[s.ID] = true
	}
	return err
}

func (w *watched) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	err := w.Broker.RecordTicks(ctx, ticks...)
	if !errors.Is(err, broker.ErrRefused) {
		w.seen.mu.Lock()
		defer w.seen.mu.Unlock()
		for _, t := range ticks {
			w.seen.ticks[t.Entry] = true
		}
	}
	return err
}

func (w *watched) Pause(ctx context.Context, now time.Time, queue string, paused bool) (bool, error) {
	fresh, err := w.Broker.Pause(ctx, now, queue, paused)
	if !errors.Is(err, broker.ErrRefused) {
		w.seen.mu.Lock()
		defer w.seen.mu.Unlock()
		w.seen.paused[queue] = true
	}
	return fresh, err
}

// Verify lets a watched broker be a [broker.Verifier]; one that is none has
// nothing to say.
func (w *watched) Verify(ctx context.Context, now time.Time) ([]string, error) {
	if v, ok := w.Broker.(broker.Verifier); ok {
		return v.Verify(ctx, now)
	}
	return nil, nil
}

// Mend lets a watched broker be a [broker.Mender], as Verify does.
func (w *watched) Mend(ctx context.Context, now time.Time, dry bool) ([]broker.Mended, error) {
	if m, ok := w.Broker.(broker.Mender); ok {
		return m.Mend(ctx, now, dry)
	}
	return nil, nil
}

// Describe lets a watched broker be a [broker.Describer], as Verify does.
func (w *watched) Describe(ctx context.Context, queues ...string) (broker.About, error) {
	if d, ok := w.Broker.(broker.Describer); ok {
		return d.Describe(ctx, queues...)
	}
	return broker.About{}, errors.ErrUnsupported
}

// residue returns what is wrong with a storage after a case: what its broker
// finds in it, what does not go away when all is worked off, and what is left
// then.
func (s *sightings) residue(t testing.TB, b broker.Broker, leftovers func(testing.TB) []string) []string {
	ctx, now := t.Context(), time.Now()
	faults := append(verify(ctx, b, now, "after the case"), mend(ctx, b, now, "after the case")...)
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

// mend returns what is mended although it is sound, if b is one that mends.
func mend(ctx context.Context, b broker.Broker, now time.Time, when string) []string {
	m, ok := b.(broker.Mender)
	if !ok {
		return nil
	}
	mended, err := m.Mend(ctx, now, false)
	if err != nil {
		return []string{fmt.Sprintf("%s: Mend() = %v, want nil", when, err)}
	}
	var faults []string
	for _, m := range mended {
		faults = append(faults, fmt.Sprintf("%s: Mend() has %+v, want nothing", when, m))
	}
	return faults
}

// drain works off everything in b from now on, first what there is and then what
// took the claims that may still be held.
func (s *sightings) drain(ctx context.Context, b broker.Broker, now time.Time) error {
	now, err := s.empty(ctx, b, now)
	if err != nil || len(s.held) == 0 {
		return err
	}
	var takers []broker.Change
	for held := range s.held {
		taker := claiming(held.queue, "taker", held.key)
		taker.ID += fmt.Sprint(len(takers))
		takers = append(takers, broker.Change{Enqueue: []broker.Entry{taker}})
	}
	if _, err := b.Apply(ctx, now, takers, broker.LeaseRequest{}); err != nil {
		return err
	}
	_, err = s.empty(ctx, b, now)
	return err
}

// empty works off everything in b from now on, a time at which everything that
// waits for a time is due: queues are resumed, entries done, batches given back,
// groups folded, homes closed, servers gone. It returns when all was done.
func (s *sightings) empty(ctx context.Context, b broker.Broker, now time.Time) (time.Time, error) {
	if err := s.part(ctx, b, now); err != nil {
		return now, err
	}
	changes := s.last(now)
	const most = 1000 // rounds; a broker that never ends must not hang the suite
	for round := range most {
		queues, err := s.queues(ctx, b, now)
		if err != nil {
			return now, err
		}
		advanced, err := b.Advance(ctx, now, broker.AdvanceRequest{Queues: queues, Limit: 1000})
		if err != nil {
			return now, err
		}
		done, err := work(ctx, b, now, queues, changes, round)
		if err != nil {
			return now, err
		}
		if len(changes)+len(done)+advanced.Total() == 0 && advanced.Next.IsZero() {
			return now, nil
		}
		changes = done
		now = now.Add(3 * time.Second) // what has been away for long keeps its leases a while
	}
	return now, fmt.Errorf("there was something to do %d times in a row", most)
}

// queues returns the queues that there are, and those beside which there may be
// homes.
func (s *sightings) queues(ctx context.Context, b broker.Broker, now time.Time) ([]string, error) {
	counts, err := b.Counts(ctx, now)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range counts {
		names = append(names, c.Queue)
	}
	for home := range s.homes {
		if !slices.Contains(names, home.Queue) {
			names = append(names, home.Queue)
		}
	}
	return names, nil
}

// part has servers and schedulers leave, what these recorded forgotten, and queues
// resumed.
func (s *sightings) part(ctx context.Context, b broker.Broker, now time.Time) error {
	for id := range s.servers {
		if err := b.Beat(ctx, now, broker.Server{ID: id, Gone: true}); err != nil {
			return err
		}
	}
	for id := range s.schedulers {
		if err := b.BeatScheduler(ctx, now, broker.Scheduler{ID: id, Gone: true}); err != nil {
			return err
		}
	}
	if err := b.ForgetTicks(ctx, slices.Collect(maps.Keys(s.ticks))...); err != nil {
		return err
	}
	for queue := range s.paused {
		if _, err := b.Pause(ctx, now, queue, false); err != nil {
			return err
		}
	}
	return nil
}

// last returns changes that close all homes.
func (s *sightings) last(now time.Time) []broker.Change {
	var changes []broker.Change
	for home := range s.homes {
		changes = append(changes, broker.Change{Home: home, Close: now})
	}
	return changes
}

// work makes changes, and returns those that work off what is ready in queues.
func work(ctx context.Context, b broker.Broker, now time.Time, queues []string, changes []broker.Change, round int) ([]broker.Change, error) {
	want := broker.LeaseRequest{Max: 500, Until: now.Add(time.Hour)}
	for _, queue := range queues {
		want.Queues = append(want.Queues, broker.Share{Queue: queue})
	}
	applied, err := b.Apply(ctx, now, changes, want)
	if err != nil {
		return nil, err
	}
	for i, outcome := range applied.Outcomes {
		if outcome != nil {
			return nil, fmt.Errorf("change %s: %w", brief(changes[i]), outcome)
		}
	}
	var done []broker.Change
	for _, l := range applied.Leases {
		done = append(done, settling(l, broker.Done))
	}
	for i, queue := range queues {
		folded, err := fold(ctx, b, now, queue, fmt.Sprintf("drain-%d-%d", round, i))
		if err != nil {
			return nil, err
		}
		done = append(done, folded...)
	}
	return done, nil
}

// fold gathers what waits in the groups of a queue, and returns the changes that
// work it off.
func fold(ctx context.Context, b broker.Broker, now time.Time, queue, token string) ([]broker.Change, error) {
	groups, err := b.Groups(ctx, queue)
	if err != nil {
		return nil, err
	}
	var done []broker.Change
	for _, g := range groups {
		r := broker.GatherRequest{Queue: queue, Group: g.Name, Token: token + "-" + g.Name, MaxSize: broker.MaxBatch, Until: now.Add(time.Hour)}
		batch, err := b.Gather(ctx, now, r)
		if err != nil {
			return nil, err
		}
		for _, l := range batch.Members {
			done = append(done, settling(l, broker.Done))
		}
	}
	return done, nil
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
