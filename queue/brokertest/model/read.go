package model

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Documents implements [broker.Broker].
func (m *Model) Documents(ctx context.Context, home broker.Home, keys ...string) ([]broker.Document, error) {
	if err := m.ask(ctx, broker.CheckDocuments(home, keys)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var found []broker.Document
	for _, key := range keys {
		found = append(found, m.document(home, key))
	}
	return found, nil
}

// Latches implements [broker.Broker].
func (m *Model) Latches(ctx context.Context, home broker.Home, ids ...string) ([]broker.LatchState, error) {
	if err := m.ask(ctx, broker.CheckLatches(home, ids)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var found []broker.LatchState
	for _, id := range ids {
		l := m.latch(home, id)
		if l == nil {
			return nil, broker.LatchNotFound(home, id)
		}
		found = append(found, l.LatchState)
	}
	return found, nil
}

// Entry implements [broker.Broker].
func (m *Model) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	if err := m.ask(ctx, broker.CheckEntry(ref)); err != nil {
		return broker.Stored{}, err
	}
	defer m.mu.Unlock()
	e := m.entry(ref)
	if e == nil {
		return broker.Stored{}, broker.EntryNotFound(ref)
	}
	return e.shown(), nil
}

// List implements [broker.Broker].
func (m *Model) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	if err := m.ask(ctx, r.Check()); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	q := m.queues[r.Queue]
	if q == nil {
		return nil, nil
	}
	found := q.listed(r.State, r.Group)
	if r.Newest {
		slices.Reverse(found)
	}
	if r.After != "" {
		last, err := parsePlace(r.After)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", broker.ErrRefused, task.Invalid("ListRequest.After", r.After, "is no place"))
		}
		found = slices.DeleteFunc(found, func(e *entry) bool {
			c := e.place().compare(last)
			return c == 0 || c < 0 != r.Newest
		})
	}
	found = found[min(r.Offset, len(found)):]
	found = found[:min(r.Limit, len(found))]
	var page []broker.Stored
	for _, e := range found {
		s := e.shown()
		s.Attempts, s.Place = nil, e.place().String()
		page = append(page, s)
	}
	return page, nil
}

// Counts implements [broker.Broker].
func (m *Model) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	if err := m.ask(ctx, broker.CheckCounts(queues)); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if len(queues) == 0 {
		queues = slices.Sorted(maps.Keys(m.queues))
	}
	var all []broker.Counts
	for _, name := range queues {
		c := broker.Counts{Queue: name, Paused: m.paused[name]}
		if q := m.queues[name]; q != nil {
			q.figures(now, &c)
		}
		all = append(all, c)
	}
	return all, nil
}

// figures fills in the counts of q.
func (q *queue) figures(now time.Time, c *broker.Counts) {
	of := map[task.State]*int{
		task.Pending: &c.Pending, task.Active: &c.Active, task.Scheduled: &c.Scheduled,
		task.Retry: &c.Retry, task.Archived: &c.Archived, task.Completed: &c.Completed,
		task.Aggregating: &c.Aggregating,
	}
	for _, e := range q.entries {
		*of[e.State]++
	}
	c.Groups = len(q.groups())
	today := q.days[now.UTC().Format(time.DateOnly)]
	c.Processed, c.Failed = today.processed, today.failed
	c.ProcessedTotal, c.FailedTotal = q.ever.processed, q.ever.failed
	if len(q.pending) > 0 {
		c.ReadySince = q.entries[q.pending[0]].moved
	}
}

// Beat implements [broker.Broker].
func (m *Model) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	if err := m.ask(ctx, s.Check()); err != nil {
		return err
	}
	defer m.mu.Unlock()
	delete(m.servers, s.ID)
	if !s.Gone {
		s.Queues, s.Workers = maps.Clone(s.Queues), slices.Clone(s.Workers)
		m.servers[s.ID] = server{s, now}
	}
	return nil
}

// Servers implements [broker.Broker].
func (m *Model) Servers(ctx context.Context, now time.Time) ([]broker.Server, error) {
	if err := m.ask(ctx, nil); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var alive []broker.Server
	for _, id := range slices.Sorted(maps.Keys(m.servers)) {
		if s := m.servers[id]; now.Before(s.beat.Add(broker.ServerTTL)) {
			s.Queues, s.Workers = maps.Clone(s.Queues), slices.Clone(s.Workers)
			alive = append(alive, s.Server)
		}
	}
	return alive, nil
}

// Ping implements [broker.Broker].
func (m *Model) Ping(ctx context.Context) error {
	if err := m.ask(ctx, nil); err != nil {
		return err
	}
	m.mu.Unlock()
	return nil
}

// Close implements [broker.Broker]. It ends the calls of Wait that are under way.
// The model is its own storage and stays.
func (m *Model) Close() error {
	m.board.Rouse()
	return nil
}
