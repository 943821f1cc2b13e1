package periodic_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
)

var (
	soakRedis   = flag.Duration("soak.redis", 12*time.Second, "for how long schedulers are killed on Redis")
	soakSQLite  = flag.Duration("soak.sqlite", 12*time.Second, "for how long schedulers are killed on a SQLite file")
	soakEvery   = flag.Duration("soak.every", 2*time.Second, "how long after one kill the next one is")
	soakFigures = flag.String("soak.figures", "", "file that the figures are written to")
	soakSeed    = flag.Uint64("soak.seed", 0, "what kills, clocks and hand-overs are drawn from; 0: by chance")
)

const (
	schedulers = 5
	maxAhead   = 2 * time.Second // or behind
)

// Five processes with clocks that are apart schedule the same entries, each of which has
// a tick a second, and are killed one after another. Each tick is enqueued once, none is
// missing, and none is early.
func TestKilledSchedulersLoseNoTick(t *testing.T) {
	if scheduleIfTold(t) {
		return
	}
	var rows []string
	for i, lasting := range []time.Duration{*soakRedis, *soakSQLite} {
		t.Run(places[i].name, func(t *testing.T) {
			s := &soak{crew: newCrew(t, places[i].url(t), schedulers), by: byChance(t)}
			s.ledger = keep(t, openURL(t, s.url), soakQueues...)
			rows = append(rows, s.run(places[i].name, lasting))
		})
	}
	if *soakFigures != "" && !t.Failed() {
		if err := os.WriteFile(*soakFigures, []byte(report(rows)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A soak is what goes on on one storage.
type soak struct {
	*crew
	ledger *ledger
	by     *rand.Rand
}

// run kills schedulers for a time, and returns a row of figures.
func (s *soak) run(name string, lasting time.Duration) string {
	until := time.Now().Add(lasting)
	for i := range schedulers {
		s.hire(i, s.skew())
	}
	known, kills := s.known(), 0
	s.ledger.countLateness()
	for next := time.Now().Add(*soakEvery); next.Before(until); next = next.Add(*soakEvery) {
		time.Sleep(time.Until(next))
		i := s.by.IntN(schedulers)
		s.kill(i)
		s.hire(i, s.skew())
		kills++
	}
	for _, e := range soakEntries() {
		await(s.T, "the ticks until the end are run", func() bool { return !s.ledger.last(e.Name).Before(until) })
	}
	s.killAll()
	s.ledger.drained()
	for name, since := range known {
		s.ledger.wantEachOnce(name, since)
	}
	s.ledger.wantNoneEarly()
	s.ledger.sound()
	row := fmt.Sprintf("| %s | %v | %d | %d | %d | %s |", name, lasting, len(known), kills, s.ledger.count(), s.ledger.lateness())
	s.Log(row)
	return row
}

// skew returns by how much a new machine's clock is ahead.
func (s *soak) skew() time.Duration {
	return time.Duration(s.by.Int64N(int64(2*maxAhead))).Truncate(time.Millisecond) - maxAhead
}

// known returns since when each entry is known, once all of them are.
func (s *soak) known() map[string]time.Time {
	look, since := periodic.NewInspector(s.ledger.b), make(map[string]time.Time)
	for _, e := range soakEntries() {
		await(s.T, "all entries are known", func() bool {
			info, err := look.Get(s.Context(), e.Name)
			since[e.Name] = info.Known
			return err == nil
		})
	}
	return since
}

// byChance returns numbers that are drawn from a seed, which the log names.
func byChance(t *testing.T) *rand.Rand {
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-soak.seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func report(rows []string) string {
	return fmt.Sprintf(`# Schedulers that are killed

Measured by `+"`make soak-periodic`"+` on %s, with the storage on the same machine, whose clock is what early and late are
counted by. %d processes, each with a clock of its own that is up to %v ahead or behind, schedule the same 20 entries of
one tick a second. Every %v one of them is killed with SIGKILL, and another with another clock takes its place. Each tick
was enqueued exactly once, from the first second of the entries to the last one, none began early, and the storage was
found sound. Late is how long after the tick its task began, in another process that does nothing else, from when all
entries were known. A tick is as late as the clock is behind that is ahead of all others.

| storage | for | entries | kills | ticks | late, p50 | p99 | most |
|---|---|---|---|---|---|---|---|
%s
`, time.Now().Format(time.DateOnly), schedulers, maxAhead, *soakEvery, strings.Join(rows, "\n"))
}
