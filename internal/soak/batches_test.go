package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow"
)

var (
	soakRuns    = flag.Int("soak.runs", 40, "how many runs share batches while workers are killed")
	soakTakes   = flag.Duration("soak.takes", 150*time.Millisecond, "how long a call of these takes")
	soakBatches = flag.String("soak.batches", "", "file that the figures of these are written to")
)

const batchLease = 5 * time.Second

// Worker processes are killed one after another while many runs share the calls of a
// step. Each run gets its own outputs and failures, and a call is made again only if a
// process was killed with it in its hands.
func TestKilledWorkersRepeatNoMoreThanTheirBatches(t *testing.T) {
	if work(t, workflows(batchLease, newEmbedded(book{}, *soakTakes))) {
		return
	}
	var rows []string
	for _, c := range []struct {
		place   place
		killing bool
	}{{places[0], false}, {places[0], true}, {places[1], true}} {
		t.Run(fmt.Sprintf("%s, killing %v", c.place.name, c.killing), func(t *testing.T) {
			s := newSoak(openSite(t, c.place))
			rows = append(rows, s.share(c.place.name, *soakRuns, c.killing))
			s.expire()
			s.wantGone()
			s.leave()
		})
	}
	if *soakBatches != "" && !t.Failed() {
		if err := os.WriteFile(*soakBatches, []byte(reportBatches(rows)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// share has runs share batches, and returns a row of figures.
func (s *soak) share(name string, size int, killing bool) string {
	ctx, cancel := context.WithTimeout(s.Context(), most)
	defer cancel()
	inputs, ids := allTexts(size)
	runs, err := newEmbedded(nil, 0).StartMany(ctx, s.client, inputs, ids)
	s.check(err)
	for _, id := range ids {
		s.homes = append(s.homes, broker.Home{Queue: "default", ID: id})
	}
	c, began := newCrew(s.site, workers), time.Now()
	kills := 0
	if killing {
		kills = c.decimate(s.chance, size/4, ended(ctx, runs))
	}
	<-ended(ctx, runs)
	took := time.Since(began)
	wantVectors(ctx, s.T, runs)
	s.wantRest()
	all := tallyOf(c.histories())
	for i := range c.members { // what expires meanwhile is no fault
		c.kill(i)
	}
	s.wantSound(time.Now())
	all.wantExplained(s.T, size)
	all.wantFew(s.T, 1, kills, int(took/batchWait))
	if killing && all.cut == 0 {
		s.Errorf("%d kills cut no call off: the workers were not busy", kills)
	}
	s.Logf("%d kills: %v", kills, all)
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %.1f s |", name, size, size*inputsOfRun, kills,
		all.calls(), all.full(), all.partly(), all.alone, all.cut, all.repeated(), took.Seconds())
}

// ended returns what is closed when runs have ended.
func ended(ctx context.Context, runs []workflow.Run[[]string]) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, run := range runs {
			_ = run.Wait(ctx) // what it comes to is looked at later
		}
	}()
	return done
}

// decimate kills workers until all is done, at most so many: the first in the midst of a
// call, the others at any time. It returns how many.
func (c *crew) decimate(chance *rand.Rand, most int, done <-chan struct{}) (kills int) {
	i := c.caught()
	for kills < most {
		c.kill(i)
		c.hire(i)
		kills++
		select {
		case <-done:
			return kills
		case <-time.After(200*time.Millisecond + time.Duration(chance.Int64N(int64(time.Second)))):
			i = chance.IntN(workers)
		}
	}
	return kills
}

// caught waits until a worker is in the midst of a call, and returns which.
func (c *crew) caught() int {
	c.Helper()
	for until := time.Now().Add(most); time.Now().Before(until); time.Sleep(time.Millisecond) {
		for i, m := range c.members {
			if c.read(m.ledger).cut {
				return i
			}
		}
	}
	c.Fatalf("no worker has begun a call")
	return 0
}

// A book is the scribe of a worker process: it writes to the ledger, a line for each call
// and an empty one for each return, and makes a file beside it for each text that is
// embedded late.
type book struct{}

func (book) begun(texts []int) {
	line, err := json.Marshal(texts)
	if err != nil {
		panic(err)
	}
	note(string(line) + "\n")
}

func (book) ended() { note("\n") }

func (book) first(text int) bool {
	f, err := os.OpenFile(filepath.Join(filepath.Dir(ledger.Name()), fmt.Sprint("met", text)), os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return false
	}
	if err != nil {
		panic(err)
	}
	return f.Close() == nil
}

// histories returns what the books of the crew tell.
func (c *crew) histories() (all []history) {
	c.Helper()
	alive := make(map[string]bool)
	for _, m := range c.members {
		alive[m.ledger] = true
	}
	for _, name := range c.ledgers {
		h := c.read(name)
		h.killed = !alive[name]
		all = append(all, h)
	}
	return all
}

// read returns what a book tells.
func (c *crew) read(name string) (h history) {
	c.Helper()
	b, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		c.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		if h.cut = len(line) > 1; !h.cut {
			continue
		}
		var texts []int
		if err := json.Unmarshal(line, &texts); err != nil {
			c.Fatalf("ledger %s has the line %q: %v", name, line, err)
		}
		h.calls = append(h.calls, texts)
	}
	return h
}

func reportBatches(rows []string) string {
	return fmt.Sprintf(`# Steps that many runs share, and whose workers are killed

Measured by `+"`make soak-batches`"+` on %s, with the storage on the same machine. Each run maps a step over %d
texts, such as one that has a text embedded, and the runs share its calls: at most %d texts a call, and a text waits
at most %v for others. A call takes %v. Of a hundred texts one fails for ever, which is tried %d times, and two fail
the first time. %d worker processes make the calls, each one at a time; every half second or so one of them is killed
with SIGKILL, and another takes its place; their leases last for %v. Every run got its own outputs, value by value,
and the failures of its own texts; every text was tried as often as it needs, and again at most once for each process
that was killed with it in its hands; the storage was found sound, and after the runs had expired nothing of them was
left.

A text that was in the hands of two processes which were killed, one after the other, is tried alone from then on: it
might be what kills them. With processes that live for two seconds that is so of many, and their calls are the most; the
process that meets them first makes a call that is partly filled of what else it has in its hands. Without kills there are as many
calls as the texts fill, and one more for the last of each try.

| storage | runs | texts | kills | calls | of them full | partly filled | for one text alone | cut off | tries repeated | took |
|---|---|---|---|---|---|---|---|---|---|---|
%s
`, time.Now().Format(time.DateOnly), inputsOfRun, batchSize, batchWait, *soakTakes, embedTries, workers, batchLease, strings.Join(rows, "\n"))
}
