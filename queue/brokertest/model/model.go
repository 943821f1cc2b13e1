// Package model is the specification of a broker in maps and slices: what
// package broker says, done in the plainest way. Other brokers are compared with
// it, and programs test themselves on it, without a server.
package model

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/wake"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Options say what a [Model] does besides what every broker does.
type Options struct {
	// Events is how many events it keeps, as a [broker.Streamer]; 0: none.
	Events int
}

// A Model is a [broker.Broker], a [broker.Listener], a [broker.Streamer] and a
// [broker.Waker], and its own storage.
type Model struct {
	mu        sync.Mutex
	queues    map[string]*queue
	paused    map[string]bool
	homes     map[broker.Home]*home
	servers   map[string]server
	made      int // tokens and versions so far, which are numbered by it
	listeners map[chan broker.Signal]bool
	events    events
	board     wake.Board
	joined    int // how many times something has come to wait in a group
	timetable
}

type queue struct {
	entries map[string]*entry
	pending []string // ids, the next to be leased first
	claims  map[string]*claim
	behind  map[string]string // ids of those that wait behind a claim, by its key
	batches map[string]*batch // by token
	leases  int               // that there are, on entries in batches included
	days    map[string]figures
	ever    figures

	// seen is when Advance was called last, or the first of the leases taken
	// that there are; grace is until when none of them is taken back.
	seen, grace time.Time

	// readied and due are the wakes that the call under way leaves.
	readied bool
	due     time.Time
	joins   joins
}

type entry struct {
	broker.Stored
	token   string    // while it is active or frozen
	began   time.Time // when the lease with that token was given
	lost    *broker.LostLease
	moved   time.Time // when it became ready, was archived or was added to its group
	ready   time.Time // when it became ready or was added to its group; zero: it was released
	seat    int64     // while it is pending: counts up from the next to the last
	watched bool
}

type figures struct{ processed, failed int }

type home struct {
	version   int64 // of the document written last
	documents map[string]broker.Document
	latches   map[string]*latch
	drain     []broker.Entry // what is enqueued once nothing of it is open
	listing   *listing       // nil: it is found by nothing
	close     time.Time      // zero: not yet known
}

type latch struct {
	broker.Latch
	broker.LatchState
	arrived map[int]bool
	waiting []broker.Entry // fed and not released
}

type server struct {
	broker.Server
	beat time.Time
}

// New returns an empty model.
func New(o Options) *Model {
	return &Model{
		queues:    make(map[string]*queue),
		paused:    make(map[string]bool),
		homes:     make(map[broker.Home]*home),
		servers:   make(map[string]server),
		listeners: make(map[chan broker.Signal]bool),
		events:    events{most: o.Events},
	}
}

var (
	_ broker.Broker = (*Model)(nil)
	_ broker.Waker  = (*Model)(nil)
)

// Apply implements [broker.Broker].
func (m *Model) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if err := m.ask(ctx, want.Check()); err != nil {
		return broker.Applied{}, err
	}
	defer m.end(want.Pass...)
	var done broker.Applied
	for _, c := range changes {
		err := c.Check()
		if err == nil {
			err = m.check(now, c)
		}
		if err == nil {
			m.write(now, c)
			m.drain(now)
		}
		done.Outcomes = append(done.Outcomes, err)
	}
	done.Leases = m.lease(now, want)
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
func (m *Model) queue(name string) *queue {
	q := m.queues[name]
	if q == nil {
		q = &queue{
			entries: make(map[string]*entry),
			claims:  make(map[string]*claim),
			behind:  make(map[string]string),
			batches: make(map[string]*batch),
			days:    make(map[string]figures),
		}
		m.queues[name] = q
	}
	return q
}

// home returns the home of that name; it comes into being by that.
func (m *Model) home(name broker.Home) *home {
	h := m.homes[name]
	if h == nil {
		h = &home{documents: make(map[string]broker.Document), latches: make(map[string]*latch)}
		m.homes[name] = h
	}
	return h
}

// entry returns the entry that ref names, or nil.
func (m *Model) entry(ref broker.EntryRef) *entry {
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
func (m *Model) latch(home broker.Home, id string) *latch {
	if h := m.homes[home]; h != nil {
		return h.latches[id]
	}
	return nil
}

// number returns a number that was never returned before.
func (m *Model) number() int {
	m.made++
	return m.made
}

// kept returns e as it is stored: a copy, with times as precise as they are
// kept and without what is not read back.
func kept(e broker.Entry) broker.Entry {
	e.Payload = slices.Clone(e.Payload)
	e.Headers = maps.Clone(e.Headers)
	e.Reads = slices.Clone(e.Reads)
	e.LastFailedAt = e.LastFailedAt.Truncate(time.Second)
	e.CompletedAt = e.CompletedAt.Truncate(time.Second)
	for _, t := range []*time.Time{&e.DueAt, &e.Deadline, &e.StartBy, &e.Claim.Hold, &e.Claim.Since} {
		*t = broker.CeilMilli(*t)
	}
	e.Timeout, e.Retention = ceilTo(e.Timeout, time.Millisecond), ceilTo(e.Retention, time.Millisecond)
	e.Claim.TTL = 0
	if e.Claim.Key == "" {
		e.Claim = broker.Claim{}
	}
	if e.Exit != nil {
		exit := kept(*e.Exit)
		e.Exit = &exit
	}
	return e
}

func ceilTo(d, unit time.Duration) time.Duration { return (d + unit - 1).Truncate(unit) }

// shown returns e as a caller gets it.
func (e *entry) shown() broker.Stored {
	s := e.Stored
	s.Entry, s.Result, s.Progress = kept(s.Entry), slices.Clone(s.Result), slices.Clone(s.Progress)
	s.Attempts = slices.Clone(s.Attempts)
	return s
}

// frozen reports whether e is in a batch.
func (e *entry) frozen() bool { return e.State == task.Aggregating && e.token != "" }
