package main

import (
	"context"
	"sync/atomic"
	"time"
)

// enqueue measures how fast tasks are stored while nobody takes them, one by one
// or in batches, for a while.
func enqueue(ctx context.Context, c call, s system) (reading, error) {
	put := func() error { return s.enqueue(ctx, c.orders(1)[0]) }
	if c.Batch > 0 {
		batch := c.orders(c.Batch)
		put = func() error { return s.enqueueMany(ctx, batch) }
	}
	if err := put(); err != nil { // connections and scripts
		return reading{}, err
	}
	m := newMeter(c)
	defer m.close()
	before, err := m.read(ctx)
	if err != nil {
		return reading{}, err
	}
	calls, err := repeat(max(c.Goroutines, 1), c.For, put)
	if err != nil {
		return reading{}, err
	}
	after, err := m.read(ctx)
	if err != nil {
		return reading{}, err
	}
	return reading{Values: m.costs(before, after, calls*max(c.Batch, 1))}, nil
}

// repeat calls f from several goroutines for a time, and returns how often it
// was called.
func repeat(goroutines int, d time.Duration, f func() error) (calls int, err error) {
	var n atomic.Int64
	end := time.Now().Add(d)
	err = inParallel(goroutines, func() error {
		for time.Now().Before(end) {
			if err := f(); err != nil {
				return err
			}
			n.Add(1)
		}
		return nil
	})
	return int(n.Load()), err
}

// weigh measures how many bytes of Redis a waiting task takes.
func weigh(ctx context.Context, c call, s system) (reading, error) {
	if err := fill(ctx, s, c.orders(1)); err != nil {
		return reading{}, err
	}
	m := newMeter(c)
	defer m.close()
	before, err := m.read(ctx)
	if err != nil {
		return reading{}, err
	}
	if err := fill(ctx, s, c.orders(c.Tasks)); err != nil {
		return reading{}, err
	}
	after, err := m.read(ctx)
	if err != nil {
		return reading{}, err
	}
	return reading{Values: map[string]float64{weight: after.redis.since(before.redis).memory / float64(c.Tasks)}}, nil
}
