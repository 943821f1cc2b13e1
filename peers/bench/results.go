package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// results are the readings by measurement and system, in the order of the rounds.
type results map[string]map[string][]reading

func (r results) add(measurement, system string, x reading) {
	if r[measurement] == nil {
		r[measurement] = make(map[string][]reading)
	}
	r[measurement][system] = append(r[measurement][system], x)
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

// samples returns what was measured one by one in all rounds.
func (r results) samples(measurement, system string) (all []float64) {
	for _, reading := range r[measurement][system] {
		all = append(all, reading.Samples...)
	}
	return all
}

// String returns the reading on a line.
func (r reading) String() string {
	var parts []string
	for _, quantity := range slices.Sorted(maps.Keys(r.Values)) {
		parts = append(parts, fmt.Sprintf("%s %.4g", quantity, r.Values[quantity]))
	}
	if len(r.Samples) > 0 {
		parts = append(parts, fmt.Sprintf("%d samples, p50 %.4g s, p99 %.4g s, least %.4g s", len(r.Samples),
			quantile(r.Samples, 0.5), quantile(r.Samples, 0.99), quantile(r.Samples, 0)))
	}
	return strings.Join(parts, "; ")
}
