package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A row is a line of the table of what Leat is to reach.
type row struct {
	work   string
	cell   func(r results, system string) string
	ratio  func(r results) []float64 // of Leat on Redis to asynq, round by round; nil: none
	wanted string
	met    func(r results) verdict
}

// A verdict says whether what is wanted was reached.
type verdict string

const (
	met        verdict = "met"
	missed     verdict = "**missed**"
	unmeasured verdict = none
)

// check returns the verdict on values that must all hold. A value that is NaN was
// not measured.
func check(conditions ...condition) verdict {
	v := met
	for _, c := range conditions {
		switch {
		case math.IsNaN(c.value) || math.IsNaN(c.bound):
			return unmeasured
		case c.least && c.value < c.bound, !c.least && c.value > c.bound:
			v = missed
		}
	}
	return v
}

type condition struct {
	value, bound float64
	least        bool // or else the most
}

func atLeast(value, bound float64) condition { return condition{value, bound, true} }
func atMost(value, bound float64) condition  { return condition{value, bound, false} }

// columns are the systems in the order of the table.
var columns = []string{asynqRedis, riverPG, leatRedis, leatFile, leatMemory}

// table writes the rows of which something was measured.
func (r results) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| work | %s | Leat, Redis : asynq | wanted | |\n", strings.Join(columns, " | "))
	b.WriteString(strings.Repeat("|---", len(columns)+4) + "|\n")
	for _, w := range rows {
		cells := make([]string, len(columns))
		for i, system := range columns {
			cells[i] = w.cell(r, system)
		}
		if !slices.ContainsFunc(cells, func(c string) bool { return c != none }) {
			continue
		}
		ratio := none
		if w.ratio != nil {
			ratio = figure(w.ratio(r), times)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", w.work, strings.Join(cells, " | "), ratio, w.wanted, w.met(r))
	}
	return b.String()
}

// rows are what Leat is to reach.
var rows = []row{
	rated("drain no-op tasks, 100 slots", "drain", "8 × asynq", func(r results) verdict {
		return check(atLeast(median(r.against("drain", rate)), 8))
	}),
	rated("the same, 10 queues of which one holds work", "drain10", "within 10 % of one queue", func(r results) verdict {
		return check(atLeast(median(ratios(r.of("drain10", leatRedis, rate), r.of("drain", leatRedis, rate))), 0.9))
	}),
	rated("enqueue one by one, 1 goroutine", "enqueue1", "1 × asynq", func(r results) verdict {
		return check(atLeast(median(r.against("enqueue1", rate)), 1))
	}),
	rated("enqueue one by one, 32 goroutines", "enqueue32", "3 × asynq", func(r results) verdict {
		return check(atLeast(median(r.against("enqueue32", rate)), 3))
	}),
	rated("enqueue in batches of 1,000", "batch", "150 k/s, 3 × River", func(r results) verdict {
		conditions := []condition{atLeast(median(r.of("batch", leatRedis, rate)), 150_000)}
		if river := r.of("batch", riverPG, rate); len(river) > 0 {
			conditions = append(conditions, atLeast(median(ratios(r.of("batch", leatRedis, rate), river)), 3))
		}
		return check(conditions...)
	}),
	{
		work: "idle pick-up, p50 / p99", wanted: "2 / 10 ms",
		cell:  func(r results, system string) string { return lag(r.samples("pickup", system), 0.5, 0.99) },
		ratio: func(r results) []float64 { return r.medians("pickup") },
		met: func(r results) verdict {
			s := r.samples("pickup", leatRedis)
			return check(atMost(quantile(s, 0.5), 0.002), atMost(quantile(s, 0.99), 0.010))
		},
	},
	{
		work: "lateness of a scheduled task, least / p50 / p99", wanted: "never early, 5 / 25 ms",
		cell:  func(r results, system string) string { return lag(r.samples("lateness", system), 0, 0.5, 0.99) },
		ratio: func(r results) []float64 { return r.medians("lateness") },
		met: func(r results) verdict {
			s := r.samples("lateness", leatRedis)
			return check(atLeast(quantile(s, 0), 0), atMost(quantile(s, 0.5), 0.005), atMost(quantile(s, 0.99), 0.025))
		},
	},
	{
		work: "Redis commands inside scripts a task, enqueued one by one", wanted: "9",
		cell:  func(r results, system string) string { return figure(r.commands(system), plain) },
		ratio: func(r results) []float64 { return ratios(r.commands(leatRedis), r.commands(asynqRedis)) },
		met:   func(r results) verdict { return check(atMost(median(r.commands(leatRedis)), 9)) },
	},
	counted("bytes in Redis a waiting task, 35-byte payload", "bytes", weight, 560),
	counted("commands that an idle server of 4 queues sends to Redis, a second", "idle", idleCommands, 1.5),
	{
		work: "time until another worker has a killed worker's task", wanted: "15 s",
		cell:  func(r results, system string) string { return figure(r.samples("killed", system), seconds) },
		ratio: func(r results) []float64 { return r.medians("killed") },
		met:   func(r results) verdict { return check(atMost(median(r.samples("killed", leatRedis)), 15)) },
	},
	rated("steps of chains of 5, 100 slots (asynq: enqueued by the handler)", "chain", "4 × asynq", func(r results) verdict {
		return check(atLeast(median(r.against("chain", rate)), 4))
	}),
	{
		work: "hand-off from one step to the next, idle, p50 / p99", wanted: "1 / 5 ms",
		cell: func(r results, system string) string { return lag(r.samples("handoff", system), 0.5, 0.99) },
		met: func(r results) verdict {
			s := r.samples("handoff", leatRedis)
			return check(atMost(quantile(s, 0.5), 0.001), atMost(quantile(s, 0.99), 0.005))
		},
	},
	counted("bytes in Redis a step of a run that is kept, 35-byte outputs", "runs", weight, 600),
	{
		work: "10,000-wide map and join", wanted: "2 s, flat per item from 100 to 100,000",
		cell: func(r results, system string) string { return figure(r.fanOut(10_000, system), seconds) },
		met:  fanOutVerdict,
	},
	{
		work: "SQLite file: drain no-op tasks", wanted: "faster than asynq on Redis",
		cell: func(r results, system string) string {
			if system != leatFile {
				return none
			}
			return figure(ratios(r.of("drain", leatFile, rate), r.of("drain", asynqRedis, rate)), func(x float64) string { return times(x) + " asynq" })
		},
		met: func(r results) verdict {
			return check(atLeast(median(ratios(r.of("drain", leatFile, rate), r.of("drain", asynqRedis, rate))), 1))
		},
	},
}

// rated is a row of tasks a second.
func rated(work, measurement, wanted string, met func(results) verdict) row {
	return row{
		work:   work,
		cell:   func(r results, system string) string { return figure(r.of(measurement, system, rate), perSecond) },
		ratio:  func(r results) []float64 { return r.against(measurement, rate) },
		wanted: wanted,
		met:    met,
	}
}

// counted is a row of a quantity that is to be small.
func counted(work, measurement, quantity string, most float64) row {
	return row{
		work:   work,
		cell:   func(r results, system string) string { return figure(r.of(measurement, system, quantity), plain) },
		ratio:  func(r results) []float64 { return r.against(measurement, quantity) },
		wanted: plain(most),
		met: func(r results) verdict {
			return check(atMost(median(r.of(measurement, leatRedis, quantity)), most))
		},
	}
}

// against returns a quantity of Leat on Redis as a multiple of asynq's, round by
// round.
func (r results) against(measurement, quantity string) []float64 {
	return ratios(r.of(measurement, leatRedis, quantity), r.of(measurement, asynqRedis, quantity))
}

// medians returns the median of what was measured of Leat on Redis one by one, as a
// multiple of asynq's, round by round.
func (r results) medians(measurement string) []float64 {
	all := func(system string) (medians []float64) {
		for _, reading := range r[measurement][system] {
			medians = append(medians, median(reading.Samples))
		}
		return medians
	}
	return ratios(all(leatRedis), all(asynqRedis))
}

// commands returns how many commands the scripts call from a task's enqueue to its
// recorded end, round by round.
func (r results) commands(system string) (sum []float64) {
	drained := r.of("drain", system, inside)
	for i, enqueued := range r.of("enqueue1", system, inside) {
		if i < len(drained) {
			sum = append(sum, enqueued+drained[i])
		}
	}
	return sum
}

// fanOut returns how many seconds a map of so many items takes.
func (r results) fanOut(width int, system string) (all []float64) {
	for _, itemsPerSecond := range r.of(at("map", width), system, rate) {
		all = append(all, float64(width)/itemsPerSecond)
	}
	return all
}

// flat is by how much an item of the widest map may cost more than one of the
// narrower maps.
const flat = 1.5

func fanOutVerdict(r results) verdict {
	widest, best := math.NaN(), math.Inf(1)
	for _, width := range fanOutWidths {
		took := median(r.fanOut(width, leatRedis)) / float64(width)
		if math.IsNaN(took) {
			return unmeasured
		}
		widest, best = took, min(took, best)
	}
	return check(atMost(median(r.fanOut(10_000, leatRedis)), 2), atMost(widest, flat*best))
}

// lag writes quantiles of seconds in milliseconds.
func lag(samples []float64, quantiles ...float64) string {
	if len(samples) == 0 {
		return none
	}
	parts := make([]string, len(quantiles))
	for i, q := range quantiles {
		parts[i] = digits(1000*quantile(samples, q), 2)
	}
	return strings.Join(parts, " / ") + " ms"
}

func seconds(x float64) string { return digits(x, 3) + " s" }
