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
	rounds  int // at most; 0: as many as asked for
	call    func(l *lab, system string) call
}

var (
	everySystem = []string{asynqRedis, leatRedis, leatFile, leatMemory, riverPG}
	onRedis     = []string{asynqRedis, leatRedis}
)

// usualPayload is how many bytes a task carries if nothing else is said.
const usualPayload = 35

var measurements = []measurement{
	{name: "drain", systems: everySystem, call: func(l *lab, system string) call {
		return call{Act: "drain", Tasks: l.n(drained[system], 200), Payload: usualPayload, Concurrency: 100}
	}},
	{name: "drain10", systems: onRedis, call: func(l *lab, system string) call {
		return call{Act: "drain", Tasks: l.n(drained[system]/2, 200), Payload: usualPayload, Concurrency: 100, Queues: 10}
	}},
	{name: "enqueue1", systems: everySystem, call: func(l *lab, _ string) call {
		return call{Act: "enqueue", For: l.d(2*time.Second, 50*time.Millisecond), Payload: usualPayload, Goroutines: 1}
	}},
	{name: "enqueue32", systems: everySystem, call: func(l *lab, _ string) call {
		return call{Act: "enqueue", For: l.d(2*time.Second, 50*time.Millisecond), Payload: usualPayload, Goroutines: 32}
	}},
	{name: "batch", systems: []string{leatRedis, leatFile, leatMemory, riverPG}, call: func(l *lab, _ string) call {
		return call{Act: "enqueue", For: l.d(2*time.Second, 50*time.Millisecond), Payload: usualPayload, Batch: 1000}
	}},
	{name: "bytes", systems: onRedis, rounds: 1, call: func(l *lab, _ string) call {
		return call{Act: "bytes", Tasks: min(l.n(250_000, 1000), 50_000), Payload: usualPayload}
	}},
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

// results are the readings by measurement and system, in the order of the rounds.
type results map[string]map[string][]reading

// measureAll makes the measurements, round by round.
func (l *lab) measureAll(ctx context.Context, chosen []measurement, rounds int) (results, error) {
	all := make(results)
	for round := range rounds {
		for _, m := range chosen {
			if m.rounds > 0 && round >= m.rounds {
				continue
			}
			if all[m.name] == nil {
				all[m.name] = make(map[string][]reading)
			}
			for _, system := range m.systems {
				if !l.has(system) {
					continue
				}
				fmt.Fprintf(os.Stderr, "round %d of %d: %s, %s\n", round+1, rounds, m.name, system)
				r, err := l.ask(ctx, m.call(l, system), system)
				if err != nil {
					return nil, fmt.Errorf("measure %s of %s: %w", m.name, system, err)
				}
				all[m.name][system] = append(all[m.name][system], r)
			}
		}
	}
	return all, nil
}

// of returns a quantity of a system, round by round.
func (r results) of(measurement, system, quantity string) (values []float64) {
	for _, reading := range r[measurement][system] {
		if value, ok := reading.Values[quantity]; ok {
			values = append(values, value)
		}
	}
	return values
}
