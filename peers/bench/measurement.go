package main

import (
	"context"
	"errors"
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
	slow    bool  // one round is enough, unless in a full run
	lengthy bool  // only in a full run
	points  []int // of a series; nil: one, which is 0
	run     func(ctx context.Context, l *lab, system string, x int) (reading, error)
}

var (
	everySystem = []string{asynqRedis, leatRedis, leatFile, leatMemory, riverPG}
	onRedis     = []string{asynqRedis, leatRedis}
	grouping    = []string{asynqRedis, leatRedis, leatFile, leatMemory}
	ofLeat      = []string{leatRedis, leatFile, leatMemory}
)

const (
	usualPayload = 35 // bytes, if nothing else is said
	usualSlots   = 100
	fullGroup    = 100 // tasks of a batch, if nothing else is said
)

var fanOutWidths = []int{100, 1000, 10_000, 100_000}

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
	{name: "pickup", systems: everySystem, slow: true, run: asked(func(l *lab, system string, _ int) call {
		c := call{Act: "pick up", Concurrency: 10, Settle: l.settle(), Tasks: min(l.n(250, 3), 50), Least: 20 * time.Millisecond, Most: 80 * time.Millisecond}
		switch system { // a server that polls is not idle soon
		case asynqRedis:
			c.Tasks, c.Least, c.Most = min(l.n(30, 1), 6), time.Second, 3*time.Second
		case riverPG:
			c.Tasks, c.Least, c.Most = min(l.n(100, 1), 20), 150*time.Millisecond, 450*time.Millisecond
		}
		return c
	})},
	{name: "lateness", systems: everySystem, rounds: 3, slow: true, run: asked(func(l *lab, system string, _ int) call {
		c := call{Act: "late", Concurrency: 10, Settle: l.settle(), Tasks: min(l.n(300, 5), 60), Least: time.Second, Most: 3 * time.Second}
		if system == asynqRedis || system == riverPG { // they look every 5 s
			c.Most = c.Least + 5*time.Second
		}
		return c
	})},
	{name: "bytes", systems: onRedis, rounds: 1, run: asked(func(l *lab, _ string, _ int) call {
		return call{Act: "bytes", Tasks: min(l.n(250_000, 1000), 50_000), Payload: usualPayload}
	})},
	{name: "idle", systems: onRedis, rounds: 1, run: idle},
	{name: "killed", systems: []string{asynqRedis, leatRedis, leatFile}, rounds: 1, lengthy: true, run: killed},
	{name: "chain", systems: []string{asynqRedis, leatRedis, leatFile, leatMemory}, run: asked(func(l *lab, _ string, _ int) call {
		return call{Act: "chain", Tasks: l.n(4000, 50), Payload: usualPayload, Concurrency: usualSlots}
	})},
	{name: "handoff", systems: ofLeat, slow: true, run: asked(func(l *lab, _ string, _ int) call {
		return call{Act: "hand off", Concurrency: 10, Settle: l.settle(), Tasks: min(l.n(250, 3), 50), Least: 20 * time.Millisecond, Most: 80 * time.Millisecond}
	})},
	{name: "runs", systems: []string{leatRedis}, rounds: 1, run: asked(func(l *lab, _ string, _ int) call {
		return call{Act: "bytes of runs", Concurrency: usualSlots, Tasks: min(l.n(20_000, 100), 4000), Payload: usualPayload}
	})},
	{name: "map", systems: ofLeat, rounds: 3, points: fanOutWidths, run: asked(func(l *lab, _ string, x int) call {
		return call{Act: "fan out", Width: x, Settle: l.settle() / 4, Concurrency: usualSlots}
	})},
	{name: "groups", systems: grouping, rounds: 1, run: asked(func(l *lab, system string, _ int) call {
		groups := l.n(foldedGroups[system], 20)
		return call{Act: "fold", Tasks: groups * fullGroup, Groups: groups, Full: fullGroup, Grace: time.Second, Payload: usualPayload, Concurrency: usualSlots}
	})},
	{name: "crowded", systems: grouping, rounds: 3, run: asked(func(l *lab, _ string, _ int) call {
		groups := l.n(100, 3)
		return call{Act: "fold", Tasks: groups * l.n(10, 2) * fullGroup, Groups: groups, Full: fullGroup, Grace: time.Second, Payload: usualPayload, Concurrency: usualSlots}
	})},
	{name: "full", systems: grouping, rounds: 3, slow: true, run: asked(func(l *lab, _ string, _ int) call {
		groups := l.n(100, 3)
		return call{Act: "fold late", Tasks: 10 * groups, Groups: groups, Full: 10, Grace: time.Second, Concurrency: 10, Settle: l.settle(), Least: 20 * time.Millisecond, Most: 80 * time.Millisecond}
	})},
	{name: "grace", systems: grouping, rounds: 3, slow: true, run: asked(func(l *lab, _ string, _ int) call {
		groups := l.n(1000, 5)
		return call{Act: "fold late", Tasks: 5 * groups, Groups: groups, Full: fullGroup, Grace: time.Second, Concurrency: 10, Settle: l.settle(), Most: 10 * time.Millisecond}
	})},
	{name: "outage", systems: onRedis, rounds: 1, run: outage},
	{name: "waiting", systems: onRedis, rounds: 1, points: []int{1000, 10_000, 100_000, 1_000_000}, run: asked(func(l *lab, system string, x int) call {
		c := call{Act: "drain", Tasks: min(x, l.n(drained[system], 200)), Waiting: x, Payload: usualPayload, Concurrency: usualSlots}
		c.Times = min(20_000/x, 5)
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

// foldedGroups is how many groups each system is given to fold, a batch of each.
var foldedGroups = map[string]int{
	asynqRedis: 10_000,
	leatRedis:  10_000,
	leatFile:   1000,
	leatMemory: 1000,
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

// measureAll makes the measurements, round by round. The error is of those that
// failed; the others are in the results.
func (l *lab) measureAll(ctx context.Context, chosen []measurement, rounds int) (results, error) {
	all := make(results)
	var faults []error
	for round := range rounds {
		for _, m := range chosen {
			if round >= l.roundsOf(m, rounds) {
				continue
			}
			faults = append(faults, l.measure(ctx, m, round, all))
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
		}
	}
	return all, errors.Join(faults...)
}

// roundsOf returns in how many rounds m is made.
func (l *lab) roundsOf(m measurement, rounds int) int {
	switch full := l.effort >= 1; {
	case m.lengthy && !full:
		return 0
	case m.slow && !full:
		return 1
	case m.rounds > 0:
		return min(m.rounds, rounds)
	}
	return rounds
}

// measure makes one measurement of all systems once, and adds what it came to.
func (l *lab) measure(ctx context.Context, m measurement, round int, all results) error {
	var faults []error
	for _, x := range l.pointsOf(m, round) {
		name := m.name
		if m.points != nil {
			name = at(m.name, x)
		}
		for _, system := range m.systems {
			if !l.has(system) || ctx.Err() != nil {
				continue
			}
			began := time.Now()
			r, err := m.run(ctx, l, system, x)
			if err != nil {
				err = fmt.Errorf("measure %s of %s in round %d: %w", name, system, round+1, err)
				fmt.Fprintln(os.Stderr, err)
				faults = append(faults, err)
				continue
			}
			fmt.Fprintf(os.Stderr, "%s, %s: %s (%.1f s)\n", name, system, r, time.Since(began).Seconds())
			all.add(name, system, r)
		}
	}
	return errors.Join(faults...)
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
