package main

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// made returns results of which one quantity is given, round by round.
func made(measurement, quantity string, bySystem map[string][]float64) results {
	r := make(results)
	for system, values := range bySystem {
		for _, value := range values {
			r.add(measurement, system, reading{Values: map[string]float64{quantity: value}})
		}
	}
	return r
}

func TestTheTableHasARowForWhatWasMeasured(t *testing.T) {
	t.Parallel()
	r := made("drain", rate, map[string][]float64{
		asynqRedis: {10_000, 12_000, 8_000},
		leatRedis:  {90_000, 96_000, 80_000},
		leatFile:   {9_000, 9_000, 9_000},
	})
	want := []string{
		"| work | asynq | River | Leat, Redis | Leat, SQLite file | Leat, SQLite memory | Leat, Redis : asynq | wanted | |",
		"|---|---|---|---|---|---|---|---|---|",
		"| drain no-op tasks, 100 slots | 10.0 k/s (8.00–12.0) | – | 90.0 k/s (80.0–96.0) | 9.00 k/s (9.00–9.00) | – | 9.0 × (8.0–10) | 8 × asynq | met |",
		"| SQLite file: drain no-op tasks | – | – | – | 0.90 × asynq (0.75–1.1) | – | – | faster than asynq on Redis | **missed** |",
	}
	if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(r.table()), "\n")); diff != "" {
		t.Errorf("table() (-want +got):\n%s", diff)
	}
}

func TestAVerdictNeedsAllThatItIsAbout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		conditions []condition
		want       verdict
	}{
		{"all hold", []condition{atLeast(8, 8), atMost(2, 2)}, met},
		{"one is too small", []condition{atLeast(7.9, 8), atMost(1, 2)}, missed},
		{"one is too large", []condition{atLeast(9, 8), atMost(2.1, 2)}, missed},
		{"one was not measured", []condition{atLeast(7, 8), atMost(math.NaN(), 2)}, unmeasured},
	} {
		if got := check(c.conditions...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEarlinessAndWideMapsThatCostMoreAreMissed(t *testing.T) {
	t.Parallel()
	late := results{"lateness": {leatRedis: {{Samples: []float64{0.001, 0.002, -0.0001}}}}}
	if got := verdictOn("lateness", late); got != missed {
		t.Errorf("a task that was early: %q, want %q", got, missed)
	}
	wide := make(results)
	for width, itemsPerSecond := range map[int]float64{100: 1000, 1000: 9000, 10_000: 10_000, 100_000: 6000} {
		wide.add(at("map", width), leatRedis, reading{Values: map[string]float64{rate: itemsPerSecond}})
	}
	if got := verdictOn("10,000-wide", wide); got != missed {
		t.Errorf("a map whose items cost more at 100,000: %q, want %q", got, missed)
	}
	wide[at("map", 100_000)][leatRedis][0].Values[rate] = 9000
	if got := verdictOn("10,000-wide", wide); got != met {
		t.Errorf("a map whose items cost the same at 100,000: %q, want %q", got, met)
	}
}

// verdictOn returns the verdict of the row whose work begins with the word.
func verdictOn(work string, r results) verdict {
	for _, w := range rows {
		if strings.HasPrefix(w.work, work) {
			return w.met(r)
		}
	}
	return "no such row"
}
