package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// A report is the page that is printed and written.
type report struct {
	results
	place   place
	missing string // why River is left out
	failed  error  // what could not be measured
	command string
	rounds  int
}

// page returns the report as Markdown. Charts lie in the folder.
func (r report) page(folder string) string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n")
	fmt.Fprintf(&b, "Made by `%s`. %s\n\n", r.command, r.place)
	b.WriteString(r.method())
	if r.missing != "" {
		fmt.Fprintf(&b, "River is left out: %s.\n\n", r.missing)
	}
	if r.failed != nil {
		fmt.Fprintf(&b, "Some of it failed:\n\n```\n%v\n```\n\n", r.failed)
	}
	b.WriteString(r.table())
	r.section(&b, "What a task costs", costsText, r.costs())
	r.section(&b, "Maps", mapsText, r.maps())
	r.section(&b, "Groups", groupsText, r.groups())
	r.section(&b, "When Redis is gone", outageText, r.outages())
	for _, s := range allSeries {
		r.section(&b, s.title, s.text, r.series(s, folder))
	}
	return b.String()
}

// section writes a section that has something in it.
func (r report) section(b *strings.Builder, title, text, content string) {
	if content != "" {
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n%s", title, text, content)
	}
}

// method says what the figures are.
func (r report) method() string {
	return fmt.Sprintf(`The systems take turns, each in a process of its own on an empty storage, round by round: %d rounds, but fewer of what takes long.
A figure is the median of the rounds, with the least and the largest in brackets where there are several; a ratio is the
median of the ratios of each round. Quantiles are of all samples (%s).
Redis and PostgreSQL run on the same machine, Redis without persistence, PostgreSQL, asynq and River at their
defaults but for 100 slots. River at its defaults begins at most as many tasks as it has slots every 100 ms.
Leat's SQLite file is written with synchronous=NORMAL. Payloads have 35 bytes.
What was missed, and why, is in [speed.md](speed.md).

`, r.rounds, r.sampled())
}

// sampled says how many samples there are of what is measured one by one.
func (r report) sampled() string {
	var parts []string
	for _, m := range []string{"pickup", "lateness", "handoff", "full", "grace"} {
		for _, system := range columns {
			if n := len(r.samples(m, system)); n > 0 {
				parts = append(parts, fmt.Sprintf("%s, %s: %d", m, system, n))
			}
		}
	}
	return cmp.Or(strings.Join(parts, "; "), "none were taken")
}

const costsText = `CPU time of the worker's process, and of Redis; what Redis reports in commandstats: the time in commands that
were sent, the number of these, and of those that scripts called. Memory allocations are those of the worker's process.`

// costs is a table of what a task costs.
func (r report) costs() string {
	var b strings.Builder
	for _, m := range []struct{ name, work string }{
		{"drain", "drain"}, {"drain10", "drain, 10 queues"}, {"enqueue1", "enqueue, 1 goroutine"},
		{"enqueue32", "enqueue, 32 goroutines"}, {"batch", "enqueue in batches"}, {"chain", "a step of a chain"}, {"groups", "a task that is folded"},
		{at("map", 10_000), "an item of a map of 10,000"},
	} {
		for _, system := range columns {
			if len(r.results[m.name][system]) == 0 {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s", m.work, system)
			for _, q := range []string{workerCPU, allocations, redisCPU, redisUsec, sent, inside} {
				fmt.Fprintf(&b, " | %s", figure(r.of(m.name, system, q), plain))
			}
			b.WriteString(" |\n")
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| | | worker, µs CPU | allocations | Redis, µs CPU | Redis, usec | commands sent | commands in scripts |\n" +
		"|---|---|---|---|---|---|---|---|\n" + b.String()
}

const mapsText = `A step lists so many numbers, each is squared in a task of its own, and all are joined. The time is from the start of the
run until the step after the join begins.`

func (r report) maps() string {
	var b strings.Builder
	for _, width := range fanOutWidths {
		cells := make([]string, len(ofLeat))
		for i, system := range ofLeat {
			took := r.fanOut(width, system)
			if cells[i] = figure(took, seconds); len(took) > 0 {
				cells[i] += fmt.Sprintf(", %s µs an item", digits(1e6*median(took)/float64(width), 3))
			}
		}
		if line := strings.Join(cells, " | "); strings.Trim(line, none+" |") != "" {
			fmt.Fprintf(&b, "| %s | %s |\n", short(width), line)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| items | " + strings.Join(ofLeat, " | ") + " |\n|---|---|---|---|\n" + b.String()
}

const groupsText = `A hundred tasks of a group are folded into one that is run, or fewer with a grace of a second; in the third line ten. In the
first two lines all wait as the server starts. Leat counts the grace from the second after the join, so that it is at least
what was asked for; asynq counts it from the second before.`

// groups is a table of what becomes of groups.
func (r report) groups() string {
	one := func(measurement, quantity string, write func(float64) string) func(string) string {
		return func(system string) string { return figure(r.of(measurement, system, quantity), write) }
	}
	var b strings.Builder
	for _, w := range []struct {
		work  string
		cell  func(system string) string
		ratio []float64
	}{
		{"batches a second, 10,000 groups of 100 tasks (SQLite: 1,000)", one("groups", batches, plain), r.against("groups", batches)},
		{"batches a second, 100 groups of 1,000 tasks", one("crowded", batches, plain), r.against("crowded", batches)},
		{"a group becomes full: from the last join to the batch, p50 / p99", func(system string) string {
			return lag(r.samples("full", system), 0.5, 0.99)
		}, r.medians("full")},
		{"grace of 1 s, 1,000 groups of 5: from the last join to the batch, least / p50 / p99", func(system string) string {
			return lag(r.samples("grace", system), 0, 0.5, 0.99)
		}, r.medians("grace")},
		{"the same, from when the group is ripe, p50", one("grace", ripeMedian, seconds), r.against("grace", ripeMedian)},
		{"the same, p99", one("grace", ripeWorst, seconds), r.against("grace", ripeWorst)},
	} {
		cells := make([]string, len(grouping))
		for i, system := range grouping {
			cells[i] = w.cell(system)
		}
		if line := strings.Join(cells, " | "); strings.Trim(line, none+" |") != "" {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", w.work, line, figure(w.ratio, times))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| | " + strings.Join(grouping, " | ") + " | Leat, Redis : asynq |\n|---|---|---|---|---|---|\n" + b.String()
}

const outageText = `Redis is killed under a worker that has nothing to do, and started again after a while on what it had. CPU and log lines are
those of that while; then a client enqueues a task as soon as Redis answers.`

func (r report) outages() string {
	var b strings.Builder
	for _, system := range onRedis {
		if len(r.results["outage"][system]) > 0 {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", system, figure(r.of("outage", system, outageCPU), plain),
				figure(r.of("outage", system, logLines), plain), figure(r.of("outage", system, comingBack), plain))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "| | CPU, % of a core | log lines | seconds until a task is run |\n|---|---|---|---|\n" + b.String()
}

// series is the charts of a series, and a table of what is in them.
func (r report) series(s series, folder string) string {
	var b strings.Builder
	for _, c := range s.charts(r.results) {
		fmt.Fprintf(&b, "![%s](%s)\n\n", c.Title, filepath.ToSlash(filepath.Join(folder, c.file)))
		fmt.Fprintf(&b, "| %s | %s |\n|---%s|\n", c.X, strings.Join(onRedis, " | "), strings.Repeat("|---", len(c.Lines)))
		for i, x := range c.Points {
			fmt.Fprintf(&b, "| %s", short(x))
			for _, l := range c.Lines {
				text := none
				if y := l.Values[i]; !math.IsNaN(y) {
					text = metric(y)
				}
				fmt.Fprintf(&b, " | %s", text)
			}
			b.WriteString(" |\n")
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// write writes the page to a file, and the charts to a folder beside it that has
// its name.
func (r report) write(file string) error {
	folder := strings.TrimSuffix(file, filepath.Ext(file))
	for _, s := range allSeries {
		for _, c := range s.charts(r.results) {
			drawn, err := c.svg()
			if err != nil {
				return err
			}
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(folder, c.file), []byte(drawn), 0o644); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(file, []byte(r.page(filepath.Base(folder))), 0o644)
}
