package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A system is a task queue that is measured, open on its storage.
type system interface {
	// enqueue stores one task.
	enqueue(ctx context.Context, o order) error

	// enqueueMany stores several in one call, or returns errors.ErrUnsupported.
	enqueueMany(ctx context.Context, orders []order) error

	// serve begins to run the tasks of the queues, with the slots that c asks for.
	// What it returns ends that, and waits until nothing is left of it.
	serve(c call, handle handler) (stop func() error, err error)

	// unsettled returns how many tasks of the queues are waiting or running.
	unsettled(ctx context.Context, queues []string) (int, error)

	// close gives back what was opened.
	close() error
}

// An order is a task to be enqueued.
type order struct {
	queue   string
	payload []byte
	at      time.Time // when it is due; zero: at once
	group   string    // that it joins, if any
}

// A handler runs a task.
type handler func(ctx context.Context, payload []byte) error

// taskType is the type of all tasks that are no steps of a workflow.
const taskType = "bench:task"

// The systems, by the names that the table has for them.
const (
	asynqRedis = "asynq"
	riverPG    = "River"
	leatRedis  = "Leat, Redis"
	leatFile   = "Leat, SQLite file"
	leatMemory = "Leat, SQLite memory"
)

// open opens the system that c is about.
func open(ctx context.Context, c call) (system, error) {
	switch c.System {
	case asynqRedis:
		return openAsynq(c)
	case riverPG:
		return openRiver(ctx, c)
	case leatRedis, leatFile, leatMemory:
		return openLeat(c)
	}
	return nil, fmt.Errorf("no such system: %q", c.System)
}

// queueNames returns the names of the queues that c has served.
func (c call) queueNames() []string {
	names := make([]string, max(c.Queues, 1))
	for i := range names {
		names[i] = "q" + strconv.Itoa(i+1)
	}
	return names
}

// priorities returns the queues with their priorities, which are all the same.
func (c call) priorities() map[string]int {
	queues := make(map[string]int)
	for _, name := range c.queueNames() {
		queues[name] = 1
	}
	return queues
}

// orders returns n tasks, which take turns in the queues that are to hold work.
func (c call) orders(n int) []order {
	names := c.queueNames()[:max(c.Loaded, 1)]
	payload := c.payload()
	orders := make([]order, n)
	for i := range orders {
		orders[i] = order{queue: names[i%len(names)], payload: payload}
	}
	return orders
}

func (c call) payload() []byte { return []byte(strings.Repeat("x", c.Payload)) }

const (
	fillBatch      = 1000
	fillGoroutines = 32
)

// fill enqueues the orders as fast as the system can.
func fill(ctx context.Context, s system, orders []order) error {
	for some := range slices.Chunk(orders, fillBatch) {
		switch err := s.enqueueMany(ctx, some); {
		case errors.Is(err, errors.ErrUnsupported):
			return fillSingly(ctx, s, orders)
		case err != nil:
			return err
		}
	}
	return nil
}

func fillSingly(ctx context.Context, s system, orders []order) error {
	var next atomic.Int64
	return together(fillGoroutines, len(orders), func() error {
		return s.enqueue(ctx, orders[next.Add(1)-1])
	})
}

// together calls f n times, from several goroutines.
func together(goroutines, n int, f func() error) error {
	var left atomic.Int64
	left.Store(int64(n))
	return inParallel(goroutines, func() error {
		for left.Add(-1) >= 0 {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	})
}

// inParallel calls f in each of several goroutines, and waits for all.
func inParallel(goroutines int, f func() error) error {
	var group sync.WaitGroup
	faults := make([]error, goroutines)
	for i := range faults {
		group.Go(func() { faults[i] = f() })
	}
	group.Wait()
	return errors.Join(faults...)
}
