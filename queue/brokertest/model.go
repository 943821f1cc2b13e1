package brokertest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Model is the specification of a broker in maps and slices: what package
// broker says, done in the plainest way. It is a [broker.Broker] and its own
// storage; other brokers are compared with it.
type Model struct {
	mu      sync.Mutex
	queues  map[string]*modelQueue
	homes   map[broker.Home]*modelHome
	servers map[string]modelServer
	leases  int // made so far; tokens are numbered by it
}

type modelQueue struct {
	entries map[string]*modelEntry
	pending []string // ids, the next to be leased first
	claims  map[string]modelClaim
	days    map[string]figures // by date
	ever    figures
}

type modelEntry struct {
	broker.Stored
	token string    // while it is active
	moved time.Time // when it became ready or was archived
}

type modelClaim struct {
	holder string
	until  time.Time
}

type figures struct{ processed, failed int }

type modelHome struct {
	version   int64 // of the document written last
	documents map[string]broker.Document
	latches   map[string]*modelLatch
	close     time.Time // zero: not yet known
}

type modelLatch struct {
	broker.Latch
	broker.LatchState
	arrived map[int]bool
	waiting []broker.Entry // fed and not released
}

type modelServer struct {
	broker.Server
	beat time.Time
}

// NewModel returns an empty model.
func NewModel() *Model {
	return &Model{
		queues:  make(map[string]*modelQueue),
		homes:   make(map[broker.Home]*modelHome),
		servers: make(map[string]modelServer),
	}
}

// Apply implements [broker.Broker].
func (m *Model) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if err := m.ask(ctx, want.Check()); err != nil {
		return broker.Applied{}, err
	}
	defer m.mu.Unlock()
	var done broker.Applied
	for _, c := range changes {
		err := c.Check()
		if err == nil {
			err = m.check(now, c)
		}
		if err == nil {
			m.write(now, c)
		}
		done.Outcomes = append(done.Outcomes, err)
	}
	done.Leases = m.lease(want)
	return done, nil
}

// ask locks the model unless the call is refused.
func (m *Model) ask(ctx context.Context, malformed error) error {
	if malformed != nil {
		return malformed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", broker.ErrRefused, err)
	}
	m.mu.Lock()
	return nil
}

// queue returns the queue of that name; it comes into being by that.
func (m *Model) queue(name string) *modelQueue {
	q := m.queues[name]
	if q == nil {
		q = &modelQueue{
			entries: make(map[string]*modelEntry),
			claims:  make(map[string]modelClaim),
			days:    make(map[string]figures),
		}
		m.queues[name] = q
	}
	return q
}

// home returns the home of that name; it comes into being by that.
func (m *Model) home(name broker.Home) *modelHome {
	h := m.homes[name]
	if h == nil {
		h = &modelHome{documents: make(map[string]broker.Document), latches: make(map[string]*modelLatch)}
		m.homes[name] = h
	}
	return h
}

// entry returns the entry that ref names, or nil.
func (m *Model) entry(ref broker.EntryRef) *modelEntry {
	if q := m.queues[ref.Queue]; q != nil {
		return q.entries[ref.ID]
	}
	return nil
}

// document returns a document of home, with version 0 if it does not exist.
func (m *Model) document(home broker.Home, key string) broker.Document {
	if h := m.homes[home]; h != nil && h.documents[key].Version > 0 {
		d := h.documents[key]
		d.Body = slices.Clone(d.Body)
		return d
	}
	return broker.Document{Key: key}
}

// latch returns a latch of home, or nil.
func (m *Model) latch(home broker.Home, id string) *modelLatch {
	if h := m.homes[home]; h != nil {
		return h.latches[id]
	}
	return nil
}

// kept returns e as it is stored: a copy, with times as precise as they are
// kept and without what is not read back.
func kept(e broker.Entry) broker.Entry {
	e.Payload = slices.Clone(e.Payload)
	e.Headers = maps.Clone(e.Headers)
	e.Reads = slices.Clone(e.Reads)
	e.LastFailedAt = e.LastFailedAt.Truncate(time.Second)
	e.CompletedAt = e.CompletedAt.Truncate(time.Second)
	e.DueAt, e.Deadline = broker.CeilMilli(e.DueAt), broker.CeilMilli(e.Deadline)
	e.Timeout, e.Retention = ceilMilli(e.Timeout), ceilMilli(e.Retention)
	e.Claim.TTL = 0
	return e
}

func ceilMilli(d time.Duration) time.Duration {
	return (d + time.Millisecond - 1).Truncate(time.Millisecond)
}

// shown returns e as a caller gets it.
func (e *modelEntry) shown() broker.Stored {
	s := e.Stored
	s.Entry, s.Result = kept(s.Entry), slices.Clone(s.Result)
	return s
}

// next is when something happens to e by itself, or happened last; it orders
// the entries of a state.
func (e *modelEntry) next() time.Time {
	switch e.State {
	case task.Scheduled, task.Retry:
		return e.DueAt
	case task.Active, task.Completed:
		return e.Until
	default:
		return broker.CeilSecond(e.moved)
	}
}

// in returns the entries of q that are in one of states, in order of their next
// time and then of their ids; pending ones as they will be leased.
func (q *modelQueue) in(states ...task.State) []*modelEntry {
	var found []*modelEntry
	if slices.Contains(states, task.Pending) {
		for _, id := range q.pending {
			found = append(found, q.entries[id])
		}
		return found
	}
	for _, e := range q.entries {
		if slices.Contains(states, e.State) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b *modelEntry) int {
		if c := a.next().Compare(b.next()); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return found
}
