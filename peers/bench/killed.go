package main

import (
	"context"
	"time"
)

// killed measures how long after a worker was killed with a task another one,
// which was up before, begins to run it.
func killed(ctx context.Context, l *lab, system string, _ int) (reading, error) {
	c, err := l.at(ctx, call{Concurrency: 10}, system)
	if err != nil {
		return reading{}, err
	}
	blocking := c
	blocking.Block = true
	victim, err := hire(ctx, blocking)
	if err != nil {
		return reading{}, err
	}
	defer victim.kill()
	if err := enqueueFrom(ctx, c, "taken"); err != nil {
		return reading{}, err
	}
	if _, err := victim.begins("taken"); err != nil {
		return reading{}, err
	}
	other, err := hire(ctx, c)
	if err != nil {
		return reading{}, err
	}
	defer other.kill()
	c.Most = 3 * time.Second
	if err := pause(ctx, l.settle()+c.chance()); err != nil { // leases are extended now and then
		return reading{}, err
	}
	died := time.Now()
	victim.kill()
	began, err := other.begins("taken")
	return reading{Samples: []float64{began.Sub(died).Seconds()}}, err
}

// enqueueFrom enqueues a task as a client of its own.
func enqueueFrom(ctx context.Context, c call, payload string) error {
	s, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	return s.enqueue(ctx, order{queue: c.queueNames()[0], payload: []byte(payload)})
}
