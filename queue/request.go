package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A request is one task on its way into the storage.
type request struct {
	ctx    context.Context // of the one who enqueues, as the middleware passed it on
	entry  broker.Entry
	unique task.Uniqueness

	// If replaces is set, the entry takes the place of the one with its id, which
	// was in the state held. As a new one it is fresh.
	replaces bool
	held     task.State
	fresh    broker.Entry
	misses   int // how often there was no holder to replace

	// What became of it.
	info   *task.Info
	err    error
	stored bool          // by info, another one may stand in for it
	sent   func([]error) // tells the tracer; nil: that is told of it with others, or knows
}

// request returns t as it is to be stored, or everything that is wrong with it.
func (c *Client) request(ctx context.Context, now time.Time, t *task.Task, options []task.Option) (*request, error) {
	if t == nil {
		return nil, task.Invalid("task", nil, "must not be nil")
	}
	s, err := task.Resolve(now, t.Defaults(), c.Defaults, headerOptions(t), t.Options(), options)
	if err := errors.Join(checkBroker(c.broker), task.CheckName("task type", t.Type()), c.checkSize(t), err); err != nil {
		return nil, err
	}
	if s.ID == "" {
		s.ID = madeID(ctx)
	}
	if s.Unique.Mode == task.Debounced {
		s.ProcessAt = now.Add(s.Unique.For)
	}
	return &request{ctx: ctx, unique: s.Unique, entry: broker.Entry{
		EntryRef:   broker.EntryRef{Queue: s.Queue, ID: s.ID},
		Type:       t.Type(),
		Payload:    t.Payload(),
		Headers:    s.Headers,
		MaxRetry:   s.MaxRetry,
		Timeout:    s.Timeout,
		Deadline:   s.Deadline,
		StartBy:    s.StartBy,
		MaxCrashes: s.MaxCrashes,
		Retention:  s.Retention,
		Group:      s.Group,
		Claim:      claimOf(now, t, s),
		DueAt:      s.ProcessAt,
	}}, nil
}

// change returns the change that stores r.
func (r *request) change() (c broker.Change) {
	r.addTo(&c)
	return c
}

func (r *request) addTo(c *broker.Change) {
	if r.replaces {
		c.Replace = append(c.Replace, broker.Replacement{Entry: r.entry})
	} else {
		c.Enqueue = append(c.Enqueue, r.entry)
	}
}

// concerns reports whether outcome is about r, as far as it tells.
func (r *request) concerns(outcome error) bool {
	if claimed, ok := errors.AsType[*broker.ClaimedError](outcome); ok {
		return claimed.Entry == r.entry.EntryRef
	}
	if exists, ok := errors.AsType[*broker.ExistsError](outcome); ok {
		return !r.replaces && exists.Entry == r.entry.EntryRef
	}
	if state, ok := errors.AsType[*broker.StateError](outcome); ok {
		return r.replaces && state.Entry == r.entry.EntryRef
	}
	return r.replaces && (errors.Is(outcome, broker.ErrNotFound) || errors.Is(outcome, broker.ErrChanged))
}

// stored notes that r was stored, and tells the observer.
func (c *Client) stored(now time.Time, r *request) {
	r.info, r.stored = r.told(now), true
	if r.unique.Mode == task.RunAgain && !r.replaces {
		// Whether it waits for another one is for the storage to say.
		if s, err := c.broker.Entry(r.ctx, r.entry.EntryRef); err == nil {
			r.info = InfoOf(now, s)
		}
	}
	c.Observer.observe(r.ctx, slog.Default(), Event{Kind: EventEnqueued, Entry: r.entry})
}

// fail notes why r was not stored.
func (r *request) fail(err error) { r.err = fmt.Errorf("enqueue %s: %w", r.entry, err) }

// told returns what is known of r, which was stored at now.
func (r *request) told(now time.Time) *task.Info {
	s := broker.Stored{Entry: r.entry, State: task.Pending}
	switch {
	case s.DueAt.After(now):
		s.State = task.Scheduled
	case r.replaces && s.DueAt.IsZero():
		s.State = r.held
	case s.Group != "":
		s.State = task.Aggregating
	}
	return InfoOf(now, s)
}

// enqueueError returns outcome in this package's words.
func enqueueError(e broker.Entry, outcome error) error {
	if claimed, ok := errors.AsType[*broker.ClaimedError](outcome); ok {
		return &DuplicateError{ID: e.ID, Key: claimed.Key, Holder: claimed.Holder}
	}
	if errors.Is(outcome, broker.ErrExists) {
		return ErrTaskIDConflict
	}
	return outcome
}
