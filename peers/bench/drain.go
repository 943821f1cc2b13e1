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
	waiting := max(c.Waiting, c.Tasks)
	if err := fill(ctx, s, c.orders(waiting)); err != nil {
		return reading{}, err
	}
	var left atomic.Int64
	left.Store(int64(c.Tasks))
	done := make(chan struct{})
	return measure(ctx, c, c.Tasks, func() (func() error, error) {
		stop, err := s.serve(c, func(context.Context, []byte) error {
			if left.Add(-1) == 0 {
				close(done)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if err := wait(ctx, done); err != nil || waiting > c.Tasks {
			return stop, err
		}
		return stop, settled(ctx, s, c.queueNames())
	})
}

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
