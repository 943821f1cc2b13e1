package main

import (
	"context"
	"time"
)

// processes measures how fast several worker processes together run tasks that do
// nothing: from when all of them serve until nine tenths of what is left then have
// been recorded.
func processes(ctx context.Context, l *lab, system string, workers int) (r reading, err error) {
	c := call{Tasks: l.n(2*drained[system], 1000), Payload: usualPayload, Concurrency: usualSlots, Quiet: true}
	if c, err = l.at(ctx, c, system); err != nil {
		return r, err
	}
	s, err := open(ctx, c)
	if err != nil {
		return r, err
	}
	defer s.close()
	if err := fill(ctx, s, c.orders(c.Tasks)); err != nil {
		return r, err
	}
	for range workers {
		w, err := hire(ctx, c)
		if err != nil {
			return r, err
		}
		defer w.kill()
	}
	began := time.Now()
	first, err := s.unsettled(ctx, c.queueNames())
	if err != nil {
		return r, err
	}
	for {
		left, err := s.unsettled(ctx, c.queueNames())
		if err != nil {
			return r, err
		}
		if left <= first/10 {
			r.Values = map[string]float64{rate: float64(first-left) / time.Since(began).Seconds()}
			return r, nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return r, err
		}
	}
}
