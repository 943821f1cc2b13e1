package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// A grouper is a system that folds the tasks of groups into one task each.
type grouper interface {
	system

	// serveGroups is serve, and folds what waits in groups, in batches of c.Full tasks
	// or after c.Grace.
	serveGroups(c call, fold folder, handle handler) (stop func() error, err error)

	// ripe returns when by the system's own rules a group that is not full is to be
	// folded that something has joined last at a time.
	ripe(joined time.Time, grace time.Duration) time.Time
}

// A folder returns the payload of the task that a batch is folded into.
type folder func(payloads [][]byte) []byte

// The quantities of what is folded.
const (
	batches    = "batches a second"
	ripeMedian = "seconds after it was ripe, p50"
	ripeWorst  = "seconds after it was ripe, p99"
)

var errNoGroups = errors.New("has no groups")

// foldAll measures how fast groups are folded that hold c.Tasks together, as many in
// each. They wait when the server starts, and the time ends when the last of the tasks
// that they were folded into has been run.
func foldAll(ctx context.Context, c call, s system) (reading, error) {
	g, ok := s.(grouper)
	if !ok {
		return reading{}, fmt.Errorf("%s: %w", c.System, errNoGroups)
	}
	orders := c.orders(c.Tasks)
	for i := range orders {
		orders[i].group = "g" + strconv.Itoa(i%c.Groups)
	}
	if err := fill(ctx, s, orders); err != nil {
		return reading{}, err
	}
	var calls, left atomic.Int64
	left.Store(int64(c.Tasks))
	done := make(chan struct{})
	r, err := measure(ctx, c, c.Tasks, func() (func() error, error) {
		stop, err := g.serveGroups(c, func(payloads [][]byte) []byte {
			calls.Add(1)
			return []byte(strconv.Itoa(len(payloads)))
		}, func(_ context.Context, payload []byte) error {
			n, err := strconv.Atoi(string(payload))
			if left.Add(-int64(n)) == 0 {
				close(done)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		return stop, wait(ctx, done)
	})
	if err == nil {
		r.Values[batches] = r.Values[rate] * float64(calls.Load()) / float64(c.Tasks)
	}
	return r, err
}

// foldLate measures how long it takes from the moment in which a client begins to enqueue
// the last task of a group to that in which the batch is folded, and how long after the
// group was ripe that is. The groups are filled one after another, some time apart.
func foldLate(ctx context.Context, c call, s system) (r reading, err error) {
	g, ok := s.(grouper)
	if !ok {
		return r, fmt.Errorf("%s: %w", c.System, errNoGroups)
	}
	client := s
	if c.System != leatMemory { // there, whoever shares the storage shares the broker
		if client, err = open(ctx, c); err != nil {
			return r, err
		}
		defer client.close()
	}
	lag, behind := make(chan float64, c.Tasks), make(chan float64, c.Tasks)
	stop, err := g.serveGroups(c, func(payloads [][]byte) []byte {
		began, last := time.Now(), int64(0)
		for _, p := range payloads {
			then, _ := strconv.ParseInt(string(p), 10, 64) // it is one
			last = max(last, then)
		}
		joined := time.Unix(0, last)
		lag <- began.Sub(joined).Seconds()
		behind <- began.Sub(g.ripe(joined, c.Grace)).Seconds()
		return nil
	}, func(context.Context, []byte) error { return nil })
	if err != nil {
		return r, err
	}
	if err = pause(ctx, c.Settle); err == nil {
		r, err = fillGroups(ctx, c, client, lag, behind)
	}
	return r, errors.Join(err, stop())
}

// fillGroups enqueues c.Tasks, and takes what is measured of each group.
func fillGroups(ctx context.Context, c call, client system, lag, behind <-chan float64) (r reading, err error) {
	for i := range c.Groups {
		if err := pause(ctx, c.chance()); err != nil {
			return r, err
		}
		for range c.Tasks / c.Groups {
			o := order{queue: c.queueNames()[0], group: "g" + strconv.Itoa(i), payload: stamp(time.Now())}
			if err := client.enqueue(ctx, o); err != nil {
				return r, err
			}
		}
	}
	var late reading
	for range c.Groups {
		if err := errors.Join(r.take(ctx, lag), late.take(ctx, behind)); err != nil {
			return r, err
		}
	}
	r.Values = map[string]float64{ripeMedian: quantile(late.Samples, 0.5), ripeWorst: quantile(late.Samples, 0.99)}
	return r, nil
}
