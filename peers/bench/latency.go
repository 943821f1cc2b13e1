package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"
)

// pickUp measures how long it takes from the moment in which a client begins to
// enqueue a task to that in which the handler begins, each time after a random
// time in which the server had nothing to do.
func pickUp(ctx context.Context, c call, s system) (reading, error) {
	return lags(ctx, c, s, func(client system, lag <-chan float64) (r reading, err error) {
		for range c.Tasks {
			if err := pause(ctx, c.chance()); err != nil {
				return r, err
			}
			if err := client.enqueue(ctx, order{queue: c.queueNames()[0], payload: stamp(time.Now())}); err != nil {
				return r, err
			}
			if err := r.take(ctx, lag); err != nil {
				return r, err
			}
		}
		return r, nil
	})
}

// late measures how long after their due times, which are random and all within a
// few seconds, scheduled tasks are begun.
func late(ctx context.Context, c call, s system) (reading, error) {
	return lags(ctx, c, s, func(client system, lag <-chan float64) (r reading, err error) {
		for range c.Tasks {
			due := time.Now().Add(c.chance())
			if err := client.enqueue(ctx, order{queue: c.queueNames()[0], payload: stamp(due), at: due}); err != nil {
				return r, err
			}
		}
		for range c.Tasks {
			if err := r.take(ctx, lag); err != nil {
				return r, err
			}
		}
		return r, nil
	})
}

// lags starts a server whose handler tells how long ago was what the payload says,
// and has probe enqueue with a client that shares nothing with it but the storage.
func lags(ctx context.Context, c call, s system, probe func(client system, lag <-chan float64) (reading, error)) (r reading, err error) {
	client := s
	if c.System != leatMemory { // there, whoever shares the storage shares the broker
		if client, err = open(ctx, c); err != nil {
			return r, err
		}
		defer client.close()
	}
	lag := make(chan float64, c.Tasks)
	stop, err := s.serve(c, func(_ context.Context, payload []byte) error {
		began := time.Now()
		then, err := strconv.ParseInt(string(payload), 10, 64)
		lag <- began.Sub(time.Unix(0, then)).Seconds()
		return err
	})
	if err != nil {
		return r, err
	}
	if err = pause(ctx, c.Settle); err == nil {
		r, err = probe(client, lag)
	}
	return r, errors.Join(err, stop())
}

func stamp(t time.Time) []byte { return strconv.AppendInt(nil, t.UnixNano(), 10) }

// take adds what comes next to the samples.
func (r *reading) take(ctx context.Context, from <-chan float64) error {
	select {
	case x := <-from:
		r.Samples = append(r.Samples, x)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// chance returns a time between c.Least and c.Most.
func (c call) chance() time.Duration { return c.Least + rand.N(max(c.Most-c.Least, 1)) }

// pause waits for d, or the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
