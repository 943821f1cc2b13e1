package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// A measurement is what is measured of several systems, in several rounds.
type measurement struct {
	name    string // after -only
	systems []string
	rounds  int   // at most; 0: as many as asked for
	lengthy bool  // only in a full run
	points  []int // of a series; nil: one, which is 0
	run     func(ctx context.Context, l *lab, system string, x int) (reading, error)
}

var (
	everySystem = []string{asynqRedis, leatRedis, leatFile, leatMemory, riverPG}
	onRedis     = []string{asynqRedis, leatRedis}
	ofLeat      = []string{leatRedis, leatFile, leatMemory}
)

const (
	usualPayload = 35 // bytes, if nothing else is said
	usualSlots   = 100
)

var measurements = []measurement{
	{name: "drain", systems: everySystem, run: asked(func(l *lab, system string, _ int) call {
		return call{Act: "drain", Tasks: l.n(drained[system], 200), Payload: usualPayload, Concurrency: usualSlots}
	})},
	{name: "drain10", systems: onRedis, run: asked(func(l *lab, system string, _ int) call {
		return call{Act: "drain", Tasks: l.n(drained[system]/2, 200), Payload: usualPayload, Concurrency: usualSlots, Queues: 10}
	})},
	{name: "enqueue1", systems: everySystem, run: asked(func(l *lab, _ string, _ int) call { return enqueueing(l, 1, 0) })},
	{name: "enqueue32", systems: everySystem, run: asked(func(l *lab, _ string, _ int) call { return enqueueing(l, 32, 0) })},
	{name: "batch", systems: []string{leatRedis, leatFile, leatMemory, riverPG}, run: asked(func(l *lab, _ string, _ int) call {
		return enqueueing(l, 1, 1000)
	})},
	{name: "pickup", systems: everySystem, run: asked(func(l *lab, system string, _ int) call {
		c := call{Act: "pick up", Concurrency: 10, Tasks: l.n(40, 3), Least: 20 * time.Millisecond, Most: 80 * time.Millisecond}
		switch system { // a server that polls is not idle soon
		case asynqRedis:
			c.Tasks, c.Least, c.Most = l.n(6, 1), time.Second, 3*time.Second
		case riverPG:
			c.Tasks, c.Least, c.Most = l.n(20, 1), 150*time.Millisecond, 450*time.Millisecond
		}
		return c
	})},
	{name: "lateness", systems: everySystem, rounds: 3, run: asked(func(l *lab, _ string, _ int) call {
		return call{Act: "late", Concurrency: 10, Tasks: l.n(60, 5), Least: time.Second, Most: l.d(3*time.Second, 1500*time.Millisecond)}
	})},
	{name: "bytes", systems: onRedis, rounds: 1, run: asked(func(l *lab, _ string, _ int) call {
		return call{Act: "bytes", Tasks: min(l.n(250_000, 1000), 50_000), Payload: usualPayload}
	})},
	{name: "idle", systems: onRedis, rounds: 1, run: idle},
	{name: "killed", systems: []string{asynqRedis, leatRedis, leatFile}, rounds: 1, lengthy: true, run: killed},
	{name: "chain", systems: []string{asynqRedis, leatRedis, leatFile, leatMemory}, run: asked(func(l *lab, _ string, _ int) call {
		return call{Act: "chain", Tasks: l.n(4000, 50), Payload: usualPayload, Concurrency: usualSlots}
	})},
	{name: "map", systems: ofLeat, rounds: 3, points: []int{100, 1000, 10_000, 100_000}, run: asked(func(_ *lab, _ string, x int) call {
		return call{Act: "fan out", Width: x, Concurrency: usualSlots}
	})},
	{name: "outage", systems: onRedis, rounds: 1, run: outage},
	{name: "waiting", systems: onRedis, rounds: 1, points: []int{1000, 10_000, 100_000, 1_000_000}, run: asked(func(l *lab, system string, x int) call {
		c := call{Act: "drain", Tasks: min(x, l.n(drained[system], 200)), Waiting: x, Payload: usualPayload, Concurrency: usualSlots}
		if x <= 10_000 {
			c.Times = 5
		}
		return c
	})},
	{name: "queues", systems: onRedis, rounds: 1, points: []int{1, 10, 50}, run: asked(func(l *lab, system string, x int) call {
		return call{Act: "drain", Tasks: l.n(drained[system]/2, 200), Queues: x, Loaded: x, Payload: usualPayload, Concurrency: usualSlots}
	})},
	{name: "payload", systems: onRedis, rounds: 1, points: []int{10, 100, 1000, 10_000}, run: asked(func(l *lab, system string, x int) call {
		return call{Act: "drain", Tasks: l.n(drained[system]/2, 200), Payload: x, Concurrency: usualSlots}
	})},
	{name: "processes", systems: onRedis, rounds: 1, points: []int{1, 2, 4, 8}, run: processes},
}

// asked returns what has one process of its own do what call says, on an empty
// storage.
func asked(call func(l *lab, system string, x int) call) func(context.Context, *lab, string, int) (reading, error) {
	return func(ctx context.Context, l *lab, system string, x int) (reading, error) {
		return l.ask(ctx, call(l, system, x), system)
	}
}

func enqueueing(l *lab, goroutines, batch int) call {
	return call{Act: "enqueue", For: l.d(2*time.Second, 50*time.Millisecond), Payload: usualPayload, Goroutines: goroutines, Batch: batch}
}

// drained is how many tasks each system is given to drain, so that it takes some
// seconds.
var drained = map[string]int{
	asynqRedis: 30_000,
	leatRedis:  100_000,
	leatFile:   50_000,
	leatMemory: 50_000,
	riverPG:    5_000,
}

func names() []string {
	var all []string
	for _, m := range measurements {
		all = append(all, m.name)
	}
	return all
}

// choose returns the measurements that only names, or all.
func choose(only string) ([]measurement, error) {
	if only == "" {
		return measurements, nil
	}
	var chosen []measurement
	for name := range strings.SplitSeq(only, ",") {
		i := slices.IndexFunc(measurements, func(m measurement) bool { return m.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-only: no such measurement: %q; there are %s", name, strings.Join(names(), ", "))
		}
		chosen = append(chosen, measurements[i])
	}
	return chosen, nil
}

// at returns the name of a point of a series.
func at(name string, x int) string { return fmt.Sprintf("%s/%d", name, x) }

// measureAll makes the measurements, round by round.
func (l *lab) measureAll(ctx context.Context, chosen []measurement, rounds int) (results, error) {
	all := make(results)
	for round := range rounds {
		for _, m := range chosen {
			if m.rounds > 0 && round >= m.rounds || m.lengthy && l.effort < 1 {
				continue
			}
			if err := l.measure(ctx, m, round, all); err != nil {
				return nil, fmt.Errorf("round %d: %w", round+1, err)
			}
		}
	}
	return all, nil
}

// measure makes one measurement of all systems once, and adds what it came to.
func (l *lab) measure(ctx context.Context, m measurement, round int, all results) error {
	for _, x := range l.pointsOf(m, round) {
		name := m.name
		if m.points != nil {
			name = at(m.name, x)
		}
		for _, system := range m.systems {
			if !l.has(system) {
				continue
			}
			began := time.Now()
			r, err := m.run(ctx, l, system, x)
			if err != nil {
				return fmt.Errorf("measure %s of %s: %w", name, system, err)
			}
			fmt.Fprintf(os.Stderr, "%s, %s: %s (%.1f s)\n", name, system, r, time.Since(began).Seconds())
			all.add(name, system, r)
		}
	}
	return nil
}

// pointsOf returns the points of m that are measured in a round. What takes longest
// is measured once, and left out of a run that is not full.
func (l *lab) pointsOf(m measurement, round int) []int {
	switch n := len(m.points); {
	case n == 0:
		return []int{0}
	case l.effort < tiny:
		return m.points[:1]
	case l.effort < 1:
		return m.points[:n-1]
	case round > 0:
		return slices.DeleteFunc(slices.Clone(m.points), func(x int) bool { return x >= 100_000 })
	}
	return m.points
}

// tiny is an effort below which it only matters that everything works.
const tiny = 0.1
