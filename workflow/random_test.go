package workflow_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

var (
	randomSeed    = flag.Uint64("random.seed", 0, "the one seed that random runs are tested with, as a failure prints it; 0: by chance")
	randomSteps   = flag.Int("random.steps", 0, "how many steps random runs take at least, over all storages; 0: a few hundred")
	randomFigures = flag.String("random.figures", "", "file that the figures of random runs are written to, if all is well")
)

// A ground is a kind of storage that random runs are tested on.
type ground struct {
	name  string
	share int // of a hundred steps
	begin func(t *testing.T) (open func(*testing.T) site)
}

// A site is one empty storage. It is opened outside of the bubble if it is a server's,
// since what listens to one would stop the time there.
type site struct {
	open      func() (broker.Broker, error)
	outside   bool
	leftovers func() []string // what lies there
}

var grounds = []ground{
	{"sqlite memory", 35, func(*testing.T) func(*testing.T) site {
		return func(*testing.T) site {
			return site{open: func() (broker.Broker, error) { return sqlitebroker.Open(":memory:", nil) }}
		}
	}},
	{"sqlite file", 15, func(*testing.T) func(*testing.T) site {
		return func(t *testing.T) site {
			file := filepath.Join(t.TempDir(), "leat.db")
			return site{open: func() (broker.Broker, error) { return sqlitebroker.Open(file, nil) }}
		}
	}},
	{"redis", 30, func(t *testing.T) func(*testing.T) site {
		s := redistest.Shared(t)
		return func(t *testing.T) site { return redisSite(t, s.URL(), s) }
	}},
	{"redis cluster of 4 shards", 20, func(t *testing.T) func(*testing.T) site {
		x := redistest.StartCluster(t, redistest.Options{})
		return func(t *testing.T) site { return redisSite(t, x.URL()+"?shards=4", x.Nodes[:3]...) }
	}},
}

func redisSite(t *testing.T, url string, nodes ...*redistest.Server) site {
	prefix := redistest.Prefix()
	return site{
		outside: true,
		open: func() (broker.Broker, error) {
			return redisbroker.Open(url, &redisbroker.Options{Prefix: prefix, LocalClock: true})
		},
		leftovers: func() (keys []string) {
			for _, n := range nodes {
				keys = append(keys, strings.Fields(n.Do(t, "KEYS", "*"+prefix+"*"))...)
			}
			return slices.DeleteFunc(keys, stays)
		},
	}
}

// stays reports whether a key is one of those that docs/storage.md says stay, or of a
// plan.
func stays(key string) bool {
	for _, part := range []string{":queues", "leat:shards", "leat:{wake}:", "leat:queues", "leat:version", ":processed", ":failed", "~plan~"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

// Plans by chance are run by servers whose calls of the broker are lost and which die
// at any of them. Each run comes to what an oracle foretells, each step is recorded
// once, and nothing is left.
func TestRandomRunsEndAsForetoldWhateverDies(t *testing.T) {
	total, rows := tally{}, []string{}
	for _, g := range grounds {
		t.Run(g.name, func(t *testing.T) {
			open, sum, began := g.begin(t), tally{}, time.Now()
			for n := 0; n == 0 || sum.steps < max(*randomSteps, 1500)*g.share/100 && *randomSeed == 0; n++ {
				seed := cmp.Or(*randomSeed, rand.Uint64())
				t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { sum.add(play(t, open(t), seed)) })
				if t.Failed() {
					t.Logf("it can be played again with -run %q -random.seed=%d", t.Name(), seed)
					return
				}
			}
			sum.took = time.Since(began)
			t.Logf("%+v", sum)
			total.add(sum)
			rows = append(rows, sum.row(g.name))
		})
	}
	if *randomFigures != "" && !t.Failed() {
		if err := os.WriteFile(*randomFigures, []byte(report(append(rows, total.row("all")))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A tally is what was played.
type tally struct {
	worlds, runs, failed, steps int
	lost, deaths                int
	took                        time.Duration
}

func (a *tally) add(b tally) {
	a.worlds, a.runs, a.failed, a.steps = a.worlds+b.worlds, a.runs+b.runs, a.failed+b.failed, a.steps+b.steps
	a.lost, a.deaths, a.took = a.lost+b.lost, a.deaths+b.deaths, a.took+b.took
}

func (a tally) row(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %v |", name, a.worlds, a.runs, a.failed, a.steps, a.lost, a.deaths, a.took.Round(time.Second))
}

// report is the document of the figures.
func report(rows []string) string {
	return fmt.Sprintf(`# Random workflows under random deaths

Measured by `+"`make deaths`"+` on %s. Each seed draws %d workflows of up to 12 steps, of all kinds, with maps of
up to 50 items and workflows within workflows, and starts %d runs of each. Of the calls that servers and clients
make of the storage, 5 to 30 percent are lost, on the way there or on the way back; with %.0f percent of these the
server dies and is replaced. Time is not real. Each run must come to what an oracle foretells of it, or fail of a
step that may fail it; each outcome is recorded once, joins are complete, nothing stays open, the storage is found
sound, and after the runs have expired nothing of them is left. A failure prints its seed and how to play it again.

| storage | seeds | runs | of them to fail | outcomes recorded | calls lost | servers died | took |
|---|---|---|---|---|---|---|---|
%s
`, time.Now().Format(time.DateOnly), flowsOfAScene, runsOfAFlow, 100*mortality, strings.Join(rows, "\n"))
}

// play runs a few plans by chance in fake time on an empty storage.
func play(t *testing.T, s site, seed uint64) (sum tally) {
	var b broker.Broker
	open := func(t *testing.T) {
		var err error
		if b, err = s.open(); err != nil {
			t.Fatal(err)
		}
	}
	if s.outside {
		open(t)
	}
	synctest.Test(t, func(t *testing.T) {
		if !s.outside {
			open(t)
		}
		x := newScene(t, b, seed)
		x.play()
		sum = x.tally()
		x.expire()
		if !s.outside {
			x.check(b.Close())
		}
	})
	if !s.outside {
		return sum
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if left := s.leftovers(); len(left) > 0 && !t.Failed() {
		t.Errorf("%d keys are left, such as %s", len(left), left[0])
	}
	return sum
}

// A scene is what is played with one seed: flows by chance, and runs of them.
type scene struct {
	*testing.T
	*rand.Rand
	broker  broker.Broker
	witness *witness
	perils  *perils
	client  *queue.Client // whose calls are lost, too
	flows   []*cast
	failed  int
}

// A cast is a flow and its runs.
type cast struct {
	sketch *sketch
	flow   workflow.Workflow[int, int]
	runs   []workflow.Run[int]
	inputs []int
}

const (
	flowsOfAScene = 4
	runsOfAFlow   = 2

	sentWithin = time.Hour        // signals are sent by then
	endsWithin = 3 * time.Hour    // a run that goes on is stuck
	atRest     = 10 * time.Minute // nothing is open any more by then
)

func newScene(t *testing.T, b broker.Broker, seed uint64) *scene {
	r := rand.New(rand.NewPCG(seed, 7))
	x := &scene{T: t, Rand: r, broker: b, witness: newWitness(b), perils: &perils{seed: seed, rate: 0.05 + 0.25*r.Float64()}}
	x.client = queue.NewClient(brokertest.Faulty(x.witness, x.perils.of(0, nil)))
	for len(x.flows) < flowsOfAScene {
		s := draw(r, fmt.Sprintf("flow%d", len(x.flows)), 0)
		if len(s.ends(1)) <= mostEnds {
			x.flows = append(x.flows, &cast{sketch: s, flow: s.declare()})
		}
	}
	return x
}

func (x *scene) check(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// play starts the runs, and checks what they come to.
func (x *scene) play() {
	mux := task.NewMux()
	var flows []workflow.Registrable
	for _, c := range x.flows {
		flows = append(flows, c.flow)
	}
	workflow.Register(mux, flows...)
	f := newFleet(x.T, x.witness, x.perils, mux, 2)
	for _, c := range x.flows {
		for n := range runsOfAFlow {
			x.begin(c, n)
		}
	}
	for _, c := range x.flows {
		for n := range c.runs {
			x.wantEnd(c, n)
		}
	}
	x.perils.over.Store(true)
	x.rest()
	f.dismiss()
	x.wantRest()
}

// begin starts a run, again until it is certain, and sends it its signals.
func (x *scene) begin(c *cast, n int) {
	input := x.IntN(100)
	id := fmt.Sprintf("%s-run%d", c.sketch.name, n)
	var run workflow.Run[int]
	x.insist("start", func() (err error) {
		run, err = c.flow.Start(x.Context(), x.client, input, workflow.RunID(id))
		return err
	})
	c.runs, c.inputs = append(c.runs, c.flow.Open(queue.NewClient(x.broker), run.ID)), append(c.inputs, input)
	for _, p := range c.sketch.signalled() {
		time.Sleep(time.Duration(x.IntN(300)) * time.Millisecond)
		x.insist("signal", func() error {
			err := signals[p.signal].Send(x.Context(), run, p.salt, workflow.SignalID("once"))
			if errors.Is(err, workflow.ErrRunState) {
				return nil // it has failed already
			}
			return err
		})
	}
}

// insist calls f until it succeeds.
func (x *scene) insist(what string, f func() error) {
	x.Helper()
	for range 1000 {
		err := f()
		if err == nil {
			return
		}
		if !errors.Is(err, errFault) && !errors.Is(err, errLost) {
			x.Fatalf("%s: %v", what, err)
		}
		time.Sleep(time.Millisecond)
	}
	x.Fatalf("%s: it does not succeed", what)
}

// signalled returns the parts that await a signal which is sent.
func (s *sketch) signalled() (found []*part) {
	var in func(b body)
	in = func(b body) {
		for _, p := range b.parts {
			if p.sent {
				found = append(found, p)
			}
			in(p.arms[0])
			in(p.arms[1])
		}
	}
	in(s.body)
	return found
}

// wantEnd demands that a run comes to one of the ends that are foretold.
func (x *scene) wantEnd(c *cast, n int) {
	x.Helper()
	run := c.runs[n]
	ctx, cancel := context.WithTimeout(x.Context(), endsWithin)
	defer cancel()
	got, err := run.Result(ctx)
	status, fault := run.Status(x.Context())
	x.check(fault)
	ends := c.sketch.ends(c.inputs[n])
	if e, ok := errors.AsType[*workflow.RunError](err); ok && e.State == workflow.Failed && e.Cause != nil {
		x.failed++
		if !slices.ContainsFunc(ends, func(w end) bool { return w.blamed[e.Cause.Step] }) {
			x.Errorf("run %s of %d failed: %v; want %v; it is\n%s", run.ID, c.inputs[n], err, ends, c.sketch)
		}
		return
	}
	if err != nil {
		x.Errorf("run %s of %d: %v, want %v; it is %+v\n%s", run.ID, c.inputs[n], err, ends, status, c.sketch)
		explain(x.T, x.broker)
		return
	}
	states := make(map[string]workflow.StepState)
	for _, s := range status.Steps {
		states[s.Name] = s.State
	}
	i := slices.IndexFunc(ends, func(w end) bool { return w.allows(got, states) })
	if i < 0 {
		x.Errorf("run %s of %d came to %d with steps %v, want %v; it is\n%s", run.ID, c.inputs[n], got, states, ends, c.sketch)
		return
	}
	x.wantComplete(run.ID, ends[i])
}

// allows reports whether a run may be done with a value and with its steps in some
// states.
func (e end) allows(value int, states map[string]workflow.StepState) bool {
	if e.blamed != nil || value != e.value {
		return false
	}
	for name, want := range e.states {
		if states[name] != want {
			return false
		}
	}
	return true
}

// wantComplete demands that the latches of the steps that the end of a run waited
// for are complete.
func (x *scene) wantComplete(id string, e end) {
	x.Helper()
	home := broker.Home{Queue: task.DefaultQueue, ID: id}
	x.witness.mu.Lock()
	var ids []string
	for latch := range x.witness.of(home).latches {
		state, needed := e.states[strings.TrimPrefix(latch, "~join~")]
		if latch == "~join~~end" || needed && state != workflow.StepSkipped && !e.firsts[strings.TrimPrefix(latch, "~join~")] {
			ids = append(ids, latch)
		}
	}
	x.witness.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	states, err := x.broker.Latches(x.Context(), home, ids...)
	x.check(err)
	for _, l := range states {
		if !l.Complete {
			x.Errorf("latch %s of run %s, which is done, has %d of %d", l.ID, id, l.Arrived, l.Total)
		}
	}
}

// rest waits until nothing of any run is open any more, for a while at most.
func (x *scene) rest() {
	for began := time.Now(); len(x.open()) > 0 && time.Since(began) < atRest; {
		time.Sleep(5 * time.Second)
	}
}

// open returns what is open of all runs.
func (x *scene) open() (open []string) {
	for _, home := range x.witness.all() {
		page, err := x.broker.OpenEntries(x.Context(), broker.OpenRequest{Home: home, Limit: 10})
		x.check(err)
		for _, e := range page.Entries {
			open = append(open, e.String())
		}
	}
	return open
}

// wantRest demands that nothing is open any more, that everything was recorded once,
// and that the storage is sound.
func (x *scene) wantRest() {
	x.Helper()
	_, twice := x.witness.outcomes()
	for _, what := range twice {
		x.Errorf("written twice: %s", what)
	}
	if n := x.witness.unknown; n > 0 {
		x.Errorf("nobody knows what came of %d changes", n)
	}
	for _, e := range x.open() {
		x.Errorf("entry %s is open at the end", e)
	}
	x.wantSound(time.Now())
}

func (x *scene) wantSound(now time.Time) {
	x.Helper()
	faults, err := x.broker.(broker.Verifier).Verify(x.Context(), now)
	x.check(err)
	for _, f := range faults {
		x.Errorf("Verify() says %q, want nothing", f)
	}
}

// expire lets the time pass for which runs are kept, and demands that all of them
// are gone.
func (x *scene) expire() {
	x.Helper()
	queues, err := x.broker.Queues(x.Context())
	x.check(err)
	now := time.Now().Add(48 * time.Hour)
	for range 1000 {
		a, err := x.broker.Advance(x.Context(), now, broker.AdvanceRequest{Queues: queues, Limit: 500, Keep: broker.ArchiveLimits{Age: time.Hour}})
		x.check(err)
		now = now.Add(6 * time.Second)
		if a.Total() == 0 {
			break
		}
	}
	for _, id := range x.witness.servers() {
		x.check(x.broker.Beat(x.Context(), now, broker.Server{ID: id, Gone: true}))
	}
	x.wantSound(now)
	counts, err := x.broker.Counts(x.Context(), now)
	x.check(err)
	for _, c := range counts {
		if c.Size() > 0 {
			x.Errorf("queue %s holds %+v after all runs have expired", c.Queue, c)
		}
	}
	for _, home := range x.witness.all() {
		if strings.Contains(home.ID, "~plan~") {
			continue
		}
		s := x.witness.homes[home]
		docs, err := x.broker.Documents(x.Context(), home, keysOf(s.written)...)
		x.check(err)
		for _, d := range docs {
			if d.Version > 0 {
				x.Errorf("document %s of run %s is there after it has expired", d.Key, home.ID)
			}
		}
	}
}

func keysOf(m map[string]int) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys[:min(len(keys), broker.MaxParts)]
}

func (x *scene) tally() tally {
	steps, _ := x.witness.outcomes()
	return tally{
		worlds: 1, runs: flowsOfAScene * runsOfAFlow, failed: x.failed, steps: steps,
		lost: int(x.perils.lost.Load()), deaths: int(x.perils.dying.Load()),
	}
}
