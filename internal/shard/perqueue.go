package shard

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/leatwork/leat/queue/broker"
)

// PerQueue is the layout in which each queue is a world, with the homes beside
// it. A register, which is a world with an empty name, keeps the names of queues
// and the records of servers and schedulers.
type PerQueue struct {
	register World
	open     func(queue string) World

	mu     sync.Mutex
	worlds map[string]World // that are open, by queue
}

var _ Layout = (*PerQueue)(nil)

// NewPerQueue returns the layout whose worlds open opens, each when it is first
// asked for. Of the register, only what concerns servers and schedulers, the names of queues
// and listening is used.
func NewPerQueue(register World, open func(queue string) World) *PerQueue {
	return &PerQueue{register: register, open: open, worlds: make(map[string]World)}
}

// World implements [Layout].
func (q *PerQueue) World(name string) World {
	if name == "" {
		return q.register
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	w := q.worlds[name]
	if w == nil {
		w = q.open(name)
		q.worlds[name] = w
	}
	return w
}

// All implements [Layout].
func (q *PerQueue) All(ctx context.Context) ([]string, error) {
	queues, err := q.register.Queues(ctx)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	all := []string{""}
	for name := range q.worlds { // a home may lie beside a queue that is none
		queues = append(queues, name)
	}
	slices.Sort(queues)
	return append(all, slices.Compact(queues)...), nil
}

// Queues implements [Layout].
func (q *PerQueue) Queues(ctx context.Context) ([]string, error) { return q.register.Queues(ctx) }

// Of implements [Layout].
func (q *PerQueue) Of(queue string) []string { return []string{queue} }

// Ordered implements [Layout].
func (q *PerQueue) Ordered() bool { return true }

// Home implements [Layout].
func (q *PerQueue) Home(h broker.Home) string { return h.Queue }

// Entry implements [Layout].
func (q *PerQueue) Entry(e broker.Entry) string { return e.Queue }

// Stays implements [Layout].
func (q *PerQueue) Stays(broker.Entry) bool { return false }

// Find implements [Layout].
func (q *PerQueue) Find(ref broker.EntryRef) (string, bool) { return ref.Queue, true }

// Group implements [Layout].
func (q *PerQueue) Group(queue, _ string) string { return queue }

// Mark implements [Layout]: a token of one queue is none of another.
func (q *PerQueue) Mark(name, token string) string { return name + mark + token }

// Unmark implements [Layout]: the entry says whose a token is.
func (q *PerQueue) Unmark(ref broker.EntryRef, token string) (name, bare string, ok bool) {
	return ref.Queue, strings.TrimPrefix(token, ref.Queue+mark), true
}

// Server implements [Layout].
func (q *PerQueue) Server(string) string { return "" }

// Servers implements [Layout].
func (q *PerQueue) Servers() []string { return []string{""} }

// Ears implements [Layout]: what is told is told for all queues together.
func (q *PerQueue) Ears() []string { return []string{""} }

// Rule implements [Layout].
func (q *PerQueue) Rule() string { return "everything of one change must stay within one queue" }

// Close implements [Layout].
func (q *PerQueue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	errs := []error{q.register.Close()}
	for _, w := range q.worlds {
		errs = append(errs, w.Close())
	}
	return errors.Join(errs...)
}
