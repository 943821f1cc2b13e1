package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// The pipeline is killed at a moment by chance, twice in some rounds, and started
// again until it ends. It comes to the same page, to the byte, and what was
// recorded by the time of a kill is not run again.
func TestAKilledRunOnSQLiteGoesOnWhereItWas(t *testing.T) {
	const rounds, files = 20, 600
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	p := pipeline{binary: build(t), folder: t.TempDir(), files: files}
	fill(t, p.folder, files, chance)

	want, took := p.undisturbed(t)
	var hits atomic.Int32
	t.Run("rounds", func(t *testing.T) { // returns when all of them have
		for i := range rounds {
			slice := took / rounds // each round has its own slice of the time that a run takes
			first := time.Duration(i)*slice + time.Duration(chance.Int64N(int64(slice)))
			second := time.Duration(chance.Int64N(int64(took)))
			t.Run(fmt.Sprintf("sqlite round %d", i+1), func(t *testing.T) {
				t.Parallel()
				for hit := false; !hit; { // until a kill has come while the run was under way
					r := p.begin(t)
					switch r.killAfter(first) {
					case tooEarly:
						first = 2*first + 10*time.Millisecond
					case tooLate:
						first /= 2
					default:
						hit = true
					}
					if i%4 == 0 {
						r.killAfter(second)
					}
					r.finish()
					if !bytes.Equal(r.page(), want) {
						t.Errorf("the page is not that of an undisturbed run; it is\n%s", r.page())
					}
				}
				hits.Add(1)
			})
		}
	})
	if n := hits.Load(); n != rounds {
		t.Errorf("%d rounds had a kill while a run of %v was under way, want %d", n, took.Round(time.Millisecond), rounds)
	}
}

// A pipeline is the program, and the folder that it counts.
type pipeline struct {
	binary string
	folder string
	files  int
}

// undisturbed returns the page of a run that nobody kills, and the time that one
// takes: the shortest of a few, so that a kill within it seldom comes too late.
func (p pipeline) undisturbed(t *testing.T) (page []byte, took time.Duration) {
	for i := range 3 {
		r, began := p.begin(t), time.Now()
		r.finish()
		if d := time.Since(began); i == 0 || d < took {
			took = d
		}
		if page != nil && !bytes.Equal(r.page(), page) {
			t.Fatal("two undisturbed runs came to different pages")
		}
		page = r.page()
	}
	return page, took
}

// A round is one run of the pipeline, in one process after another.
type round struct {
	pipeline
	*testing.T
	dir     string
	process int            // the number of the latest
	starts  map[string]int // by step: how often it was started
	cut     map[string]int // and how often it was killed before it was recorded, or lost its lease
}

func (p pipeline) begin(t *testing.T) *round {
	return &round{pipeline: p, T: t, dir: t.TempDir(), starts: make(map[string]int), cut: make(map[string]int)}
}

const runID = "r"

// start starts a process that begins the run, or goes on with it.
func (r *round) start() *exec.Cmd {
	r.Helper()
	r.process++
	ctx, stop := context.WithTimeout(r.Context(), time.Minute) // it never takes so long
	r.Cleanup(stop)
	cmd := exec.CommandContext(ctx, r.binary, "-v", "-broker", "sqlite:"+r.file("p.db"), "-run", runID, "-out", r.file("report.html"), r.folder)
	log, err := os.Create(r.log())
	if err != nil {
		r.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	return cmd
}

func (r *round) file(name string) string { return filepath.Join(r.dir, name) }

// log is the file that the latest process logs to.
func (r *round) log() string { return r.file(fmt.Sprintf("log%d", r.process)) }

// A timing says when a kill came.
type timing int

const (
	underWay timing = iota
	tooEarly        // the run had not begun
	tooLate         // it had ended
)

// killAfter starts the pipeline and kills it at a moment.
func (r *round) killAfter(moment time.Duration) timing {
	r.Helper()
	cmd := r.start()
	time.Sleep(moment)
	cmd.Process.Kill() //nolint:errcheck // it may have ended
	cmd.Wait()         //nolint:errcheck // it was killed
	recorded, begun := r.recorded()
	for step := range r.count() {
		if !recorded[step] {
			r.cut[step]++
		}
	}
	r.Logf("killed after %v with %d of %d steps recorded", moment.Round(time.Millisecond), len(recorded), r.steps())
	switch {
	case !begun:
		return tooEarly
	case len(recorded) == r.steps():
		return tooLate
	}
	return underWay
}

// steps returns how many steps a run has.
func (r *round) steps() int { return len([]string{"list", "summarize", "write"}) + r.files }

// finish starts the pipeline and lets it end. Then all is recorded, and no step
// was started but once, and again for each time that it was cut off.
func (r *round) finish() {
	r.Helper()
	if err := r.start().Wait(); err != nil {
		r.Errorf("pipeline: %v", err)
	}
	r.count()
	recorded, _ := r.recorded()
	if len(recorded) != r.steps() {
		r.Errorf("%d steps are recorded at the end, want %d", len(recorded), r.steps())
	}
	for step := range recorded {
		if got, want := r.starts[step], 1+r.cut[step]; got != want {
			r.Errorf("step %s was started %d times and cut off %d times before it was recorded, want %d starts", step, got, r.cut[step], want)
		}
	}
	if r.Failed() {
		said, _ := os.ReadFile(r.log())
		r.Logf("the last process said:\n%.10000s", said)
	}
}

var logged = regexp.MustCompile(`msg=(started|"lease lost") id=` + runID + `~[a-z0-9]{8}~([a-z]+(?:~[0-9]+)?)\n`)

// count adds up what the latest process has logged, and returns the steps that it
// was running at the end, or had just recorded.
func (r *round) count() (started map[string]bool) {
	r.Helper()
	log, err := os.ReadFile(r.log())
	if err != nil {
		r.Fatal(err)
	}
	started = make(map[string]bool)
	for _, line := range logged.FindAllSubmatch(log, -1) {
		event, step := string(line[1]), string(line[2])
		if event == "started" {
			r.starts[step]++
			started[step] = true
			continue
		}
		r.Logf("step %s lost its lease", step)
		r.cut[step]++
		delete(started, step)
	}
	return started
}

// recorded returns the steps whose output is recorded, and whether the run has
// begun at all.
func (r *round) recorded() (steps map[string]bool, begun bool) {
	r.Helper()
	b, err := sqlitebroker.Open(r.file("p.db"), nil)
	if err != nil {
		r.Fatal(err)
	}
	defer b.Close()
	keys := []string{"~run", "list", "summarize", "write"}
	for i := range r.files {
		keys = append(keys, fmt.Sprintf("scan~%d", i))
	}
	docs, err := b.Documents(r.Context(), broker.Home{Queue: queueName, ID: runID}, keys...)
	if err != nil {
		r.Fatal(err)
	}
	steps = make(map[string]bool)
	for _, d := range docs[1:] {
		if d.Version > 0 {
			steps[d.Key] = true
		}
	}
	return steps, docs[0].Version > 0
}

func (r *round) page() []byte {
	r.Helper()
	page, err := os.ReadFile(r.file("report.html"))
	if err != nil {
		r.Fatal(err)
	}
	return page
}

// build builds the pipeline.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "pipeline.exe") // a name that runs everywhere
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}
