package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// The quantities of an outage.
const (
	outageCPU  = "CPU, % of a core"
	logLines   = "log lines"
	comingBack = "s until a task is run"
)

// outage measures a worker whose Redis is gone for a while: what it uses and says
// meanwhile, and how soon it runs a task that is enqueued when Redis is back, with
// what it had.
func outage(ctx context.Context, l *lab, system string, _ int) (r reading, err error) {
	dir, err := os.MkdirTemp(l.dir, "outage-")
	if err != nil {
		return r, err
	}
	redis, err := startRedis(dir, "--appendonly", "yes")
	if err != nil {
		return r, err
	}
	defer func() { redis.stop() }()
	c := call{System: system, Where: redis.url(), Concurrency: 10, Loud: true}
	w, err := hire(ctx, c)
	if err != nil {
		return r, err
	}
	defer w.kill()
	if err := enqueueFrom(ctx, c, "before"); err != nil {
		return r, err
	}
	if _, err := w.begins("before"); err != nil {
		return r, err
	}
	lines := w.log.length()
	share, err := w.withoutRedis(ctx, redis, l.settle(), min(l.d(50*time.Second, time.Second), 30*time.Second))
	if err != nil {
		return r, err
	}
	back := time.Now()
	if err := enqueueFrom(ctx, c, "after"); err != nil {
		return r, err
	}
	began, err := w.begins("after")
	if err != nil {
		return r, err
	}
	return reading{Values: map[string]float64{
		outageCPU:  100 * share,
		logLines:   float64(w.log.length() - lines),
		comingBack: began.Sub(back).Seconds(),
	}}, nil
}

// withoutRedis stops Redis for a time, and returns which share of a core the worker
// used meanwhile.
func (w *worker) withoutRedis(ctx context.Context, redis *redisServer, settle, d time.Duration) (float64, error) {
	if err := pause(ctx, settle); err != nil {
		return 0, err
	}
	redis.stop()
	before, err := w.used()
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, d); err != nil {
		return 0, err
	}
	after, err := w.used()
	if err != nil {
		return 0, err
	}
	if err := redis.start(); err != nil {
		return 0, fmt.Errorf("restart: %w", err)
	}
	return (after - before).Seconds() / d.Seconds(), nil
}
