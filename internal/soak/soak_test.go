package soak

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow"
)

var (
	soakRedis   = flag.Duration("soak.redis", 6*time.Second, "for how long workers are killed on Redis")
	soakSQLite  = flag.Duration("soak.sqlite", 6*time.Second, "for how long workers are killed on a SQLite file")
	soakFigures = flag.String("soak.figures", "", "file that the figures are written to")
)

const (
	workers   = 3
	producers = 3

	most = 5 * time.Minute // that a run may take
)

// Worker processes are killed one after another while they run workflows. Every run
// comes to what it should, each of its outcomes is recorded once, and nothing is left.
func TestKilledWorkersLoseNoRun(t *testing.T) {
	if work(t, workflows(3*time.Second, wide, small)) {
		return
	}
	lasting := map[string]time.Duration{redis: *soakRedis, file: *soakSQLite}
	var rows []string
	for _, place := range places {
		t.Run(place.name, func(t *testing.T) {
			s := newSoak(openSite(t, place))
			rows = append(rows, s.run(place.name, lasting[place.name]))
			s.expire()
			s.wantGone()
			s.leave()
		})
	}
	if *soakFigures != "" && !t.Failed() {
		if err := os.WriteFile(*soakFigures, []byte(report(rows)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A soak is what goes on on one storage with workflows.
type soak struct {
	*site

	mu      sync.Mutex
	homes   []broker.Home
	steps   int
	runs    map[int]int // by the width of their joins; 0: small ones
	slowest map[int]time.Duration
	faults  []string
}

func newSoak(s *site) *soak {
	return &soak{site: s, runs: make(map[int]int), slowest: make(map[int]time.Duration)}
}

// run kills workers for a time, and returns a row of figures.
func (s *soak) run(name string, lasting time.Duration) string {
	c, kills := newCrew(s.site, workers), 0
	until := time.Now().Add(lasting)
	var production sync.WaitGroup
	for i := range producers {
		production.Go(func() { s.produce(i, until) })
	}
	for time.Now().Before(until) {
		time.Sleep(300*time.Millisecond + time.Duration(s.chance.Int64N(int64(1700*time.Millisecond))))
		i := s.chance.IntN(workers)
		c.kill(i)
		c.hire(i)
		kills++
	}
	production.Wait()
	for _, fault := range s.faults {
		s.Error(fault)
	}
	s.wantRest()
	for i := range c.members { // what expires meanwhile is no fault
		c.kill(i)
	}
	s.wantSound(time.Now())
	made := c.toll()
	if made.cut == 0 {
		s.Errorf("%d kills interrupted no handler: the workers were not busy", kills)
	}
	row := fmt.Sprintf("| %s | %v | %d | %d | %d | %d | %d | %d | %d | %.1f s | %.1f s |", name, lasting, kills,
		s.runs[1000], s.runs[10_000], s.runs[0], s.steps, made.calls, made.cut, s.slowest[1000].Seconds(), s.slowest[10_000].Seconds())
	s.Log(row)
	return row
}

// produce starts one run after another and waits for each.
func (s *soak) produce(who int, until time.Time) {
	for n := 0; time.Now().Before(until); n++ {
		id := fmt.Sprintf("p%d-%d", who, n)
		switch {
		case who == 0 && n%3 == 2:
			s.wide(id, 10_000)
		case who < 2:
			s.wide(id, 1000)
		default:
			s.small(id, 1+n%500)
		}
	}
}

func (s *soak) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, fmt.Sprintf(format, args...))
}

// result starts a run and compares what it comes to.
func (s *soak) result(w workflow.Workflow[int, int], id string, in, want int) (took time.Duration, ok bool) {
	ctx, cancel := context.WithTimeout(s.Context(), most)
	defer cancel()
	began := time.Now()
	run, err := w.Start(ctx, s.client, in, workflow.RunID(id))
	if err != nil {
		s.fault("start %s: %v", id, err)
		return 0, false
	}
	if got, err := run.Result(ctx); got != want || err != nil {
		s.fault("run %s of %d came to %d, %v, want %d", id, in, got, err, want)
		return 0, false
	}
	return time.Since(began), true
}

func (s *soak) wide(id string, n int) {
	if took, ok := s.result(wide, id, n, wideOf(n)); ok {
		s.recorded(broker.Home{Queue: "default", ID: id}, n)
		s.count(id, n, n+2, took)
	}
}

func (s *soak) small(id string, n int) {
	if took, ok := s.result(small, id, n, smallOf(n)); ok {
		s.count(id, 0, 6+n%20, took)
	}
}

func (s *soak) count(id string, width, steps int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.homes = append(s.homes, broker.Home{Queue: "default", ID: id})
	s.runs[width], s.steps, s.slowest[width] = s.runs[width]+1, s.steps+steps, max(s.slowest[width], took)
}

// page is how many items are fed to a map in a commit, and read here.
const page = 500

// recorded demands that each outcome of a run of wide was recorded once. The versions
// of its documents tell: each write takes the next one, so that a document which was
// written again has left a gap. The control document has been written twice, and the
// cursor of the map once for each page of items.
func (s *soak) recorded(home broker.Home, n int) {
	keys := []string{"~run", "~input", "~result", "count", "sum", "~width~square", "~cursor~square"}
	for i := range n {
		keys = append(keys, fmt.Sprintf("square~%d", i))
	}
	last, there := int64(0), 0
	for part := range slices.Chunk(keys, page) {
		docs, err := s.broker.Documents(s.Context(), home, part...)
		if err != nil {
			s.fault("documents of %s: %v", home.ID, err)
			return
		}
		for _, d := range docs {
			if d.Version == 0 {
				s.fault("document %s of run %s, which is done, is missing", d.Key, home.ID)
				continue
			}
			last, there = max(last, d.Version), there+1
		}
	}
	again := max((n+page-1)/page, 1) // once the control document, and the cursor from the second page on
	if got := int(last) - there; got != again {
		s.fault("documents of run %s were written again %d times, want %d", home.ID, got, again)
	}
}

// wantRest demands that soon nothing is open any more.
func (s *soak) wantRest() {
	s.Helper()
	var open []string
	for until := time.Now().Add(90 * time.Second); ; time.Sleep(time.Second) {
		open = nil
		for _, h := range s.homes {
			p, err := s.broker.OpenEntries(s.Context(), broker.OpenRequest{Home: h, Limit: 10})
			s.check(err)
			for _, e := range p.Entries {
				open = append(open, e.String())
			}
		}
		if len(open) == 0 || time.Now().After(until) {
			break
		}
	}
	for _, e := range open {
		s.Errorf("entry %s is open at the end", e)
	}
}

// wantGone demands that nothing is left of the runs.
func (s *soak) wantGone() {
	s.Helper()
	for _, h := range s.homes {
		docs, err := s.broker.Documents(s.Context(), h, "~run", "~input", "~result", "sum", "square~0")
		s.check(err)
		for _, d := range docs {
			if d.Version > 0 {
				s.Errorf("document %s of run %s is there after it has expired", d.Key, h.ID)
			}
		}
	}
}

func report(rows []string) string {
	return fmt.Sprintf(`# Workflows whose workers are killed

Measured by `+"`make soak-workflow`"+` on %s, with the storage on the same machine. %d worker processes run workflows
with joins of 1,000 and 10,000 items, and small ones with a choice, a loop, a failure that is caught and a run within
the run. Every second or so one of them is killed with SIGKILL, and another takes its place; their leases last for
three seconds. %d runs are under way at a time. Every run came to what it should, each outcome was recorded once,
the storage was found sound, and after the runs had expired nothing of them was left.

| storage | for | kills | joins of 1,000 | joins of 10,000 | small runs | steps recorded | handlers called | of them killed | slowest of 1,000 | slowest of 10,000 |
|---|---|---|---|---|---|---|---|---|---|---|
%s
`, time.Now().Format(time.DateOnly), workers, producers, strings.Join(rows, "\n"))
}
