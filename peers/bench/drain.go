package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"
)

// drain measures how fast a server runs tasks that do nothing. They wait when it
// starts, and the time ends when the last has been recorded; if more wait than are
// measured, when so many handlers have returned.
func drain(ctx context.Context, c call, s system) (reading, error) {
	values := make(map[string][]float64)
	for range max(c.Times, 1) {
		r, err := drainOnce(ctx, c, s)
		if err != nil {
			return r, err
		}
		for quantity, value := range r.Values {
			values[quantity] = append(values[quantity], value)
		}
	}
	r := reading{Values: make(map[string]float64)}
	for quantity, all := range values {
		r.Values[quantity] = median(all)
	}
	return r, nil
}

func drainOnce(ctx context.Context, c call, s system) (reading, error) {
	waiting := max(c.Waiting, c.Tasks)
	if err := fill(ctx, s, c.orders(waiting)); err != nil {
		return reading{}, err
	}
	f := newFinish(c.Tasks)
	r, err := measure(ctx, c, c.Tasks, func() (func() error, error) {
		stop, err := s.serve(c, func(context.Context, []byte) error {
			f.pass()
			return nil
		})
		if err != nil {
			return nil, err
		}
		if err := wait(ctx, f.done); err != nil || waiting > c.Tasks {
			return stop, err
		}
		return stop, settled(ctx, s, c.queueNames())
	})
	if err == nil {
		r.Values[running] = float64(c.Tasks) / f.took().Seconds()
	}
	return r, err
}

// A finish is passed by so many tasks.
type finish struct {
	n           int64
	passed      atomic.Int64
	done        chan struct{}
	first, last time.Time // when they did
}

func newFinish(n int) *finish { return &finish{n: int64(n), done: make(chan struct{})} }

func (f *finish) pass() {
	switch i := f.passed.Add(1); {
	case i == 1 && f.n > 1:
		f.first = time.Now()
	case i == f.n:
		f.last = time.Now()
		close(f.done)
	}
}

// took returns how long it was from the first task to the last, once that is done.
func (f *finish) took() time.Duration { return f.last.Sub(f.first) }

// measure reads what run costs for each of n tasks. What run returns is done
// afterwards.
func measure(ctx context.Context, c call, n int, run func() (after func() error, err error)) (reading, error) {
	m := newMeter(c)
	defer m.close()
	runtime.GC()
	before, err := m.read(ctx)
	if err != nil {
		return reading{}, err
	}
	finish, err := run()
	if err != nil {
		return reading{}, err
	}
	after, err := m.read(ctx)
	if err != nil {
		return reading{}, err
	}
	return reading{Values: m.costs(before, after, n)}, finish()
}

// wait waits for done, or the end of ctx.
func wait(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// settled waits until every task of the queues has been recorded.
func settled(ctx context.Context, s system, queues []string) error {
	for {
		n, err := s.unsettled(ctx, queues)
		if err != nil || n == 0 {
			return err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
