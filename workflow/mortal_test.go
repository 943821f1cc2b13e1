package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// Perils are what happens to calls of a broker by chance: which are lost, on the way there or on
// the way back, and with which of them the process dies that makes them. The seed
// says it of each call by who makes it, its method and how many of these came before.
type perils struct {
	seed  uint64
	rate  float64     // of calls that are lost
	over  atomic.Bool // nothing is lost any more
	lost  atomic.Int64
	dying atomic.Int64
}

// mortality is how many of the calls that are lost are the last ones of their process.
const mortality = 0.15

var errDead = errors.New("the process is dead")

// of returns what happens to the calls of the n-th process. Die is called once, when
// it does.
func (p *perils) of(process int, die func()) func(call int, method string) brokertest.Fault {
	var mu sync.Mutex
	calls, dead := make(map[string]int), false
	return func(_ int, method string) brokertest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if dead {
			return brokertest.Fault{Before: errDead}
		}
		calls[method]++
		lost, fatal, reached := p.draw(process, method, calls[method])
		if !lost || p.over.Load() {
			return brokertest.Fault{}
		}
		p.lost.Add(1)
		if dead = fatal && die != nil; dead {
			p.dying.Add(1)
			die()
		}
		if reached {
			return brokertest.Fault{After: errLost}
		}
		return brokertest.Fault{Before: errFault}
	}
}

// draw returns whether a call is lost, whether its process dies of it, and whether it
// has reached the storage.
func (p *perils) draw(process int, method string, n int) (lost, fatal, reached bool) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s %d", process, method, n)
	r := rand.New(rand.NewPCG(p.seed, h.Sum64()))
	return r.Float64() < p.rate, r.Float64() < mortality, r.IntN(2) == 0
}

// A fleet is servers that die and are replaced.
type fleet struct {
	t       *testing.T
	broker  broker.Broker
	perils  *perils
	mux     *task.Mux
	hired   atomic.Int64
	ending  chan struct{}
	running sync.WaitGroup
}

func newFleet(t *testing.T, b broker.Broker, p *perils, mux *task.Mux, size int) *fleet {
	f := &fleet{t: t, broker: b, perils: p, mux: mux, ending: make(chan struct{})}
	for range size {
		f.running.Go(f.keep)
	}
	return f
}

// keep has one server run, and another as soon as that is dead.
func (f *fleet) keep() {
	for {
		dead := make(chan struct{})
		srv := f.hire(func() { close(dead) })
		select {
		case <-dead:
			f.running.Go(func() {
				_ = srv.Shutdown(context.Background()) // nothing of what it does reaches the storage
			})
		case <-f.ending:
			if err := srv.Shutdown(context.Background()); err != nil {
				f.t.Errorf("Shutdown() = %v, want nil", err)
			}
			return
		}
	}
}

func (f *fleet) hire(die func()) *queue.Server {
	srv, err := queue.NewServer(brokertest.Faulty(f.broker, f.perils.of(int(f.hired.Add(1)), die)), queue.Config{
		Concurrency: 4, LeaseDuration: time.Second, PollInterval: 200 * time.Millisecond,
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return 100 * time.Millisecond },
		MaxCrashes:     -1,
		Logger:         slog.New(slog.DiscardHandler),
		NoHistory:      true, // the test demands that nothing is written twice
	})
	if err == nil {
		err = srv.Start(f.mux)
	}
	if err != nil {
		panic(err) // the configuration is always the same
	}
	return srv
}

// dismiss has all servers end.
func (f *fleet) dismiss() {
	close(f.ending)
	f.running.Wait()
}

// A witness sees what is committed, on the side of the storage.
type witness struct {
	broker.Broker
	turns chan struct{} // for those who make a call

	mu      sync.Mutex
	homes   map[broker.Home]*seen
	beating map[string]bool // ids of servers
	unknown int             // changes of which nobody knows whether they were made
}

// What was seen of a home.
type seen struct {
	written map[string]int // how often, by document
	latches map[string]bool
}

func newWitness(b broker.Broker) *witness {
	return &witness{Broker: b, turns: make(chan struct{}, 4), homes: make(map[broker.Home]*seen), beating: make(map[string]bool)}
}

func (w *witness) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	defer w.turn()()
	done, err := w.Broker.Apply(ctx, now, changes, want)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && !errors.Is(err, broker.ErrRefused) {
		w.unknown += len(changes)
	}
	for i, outcome := range done.Outcomes {
		if outcome == nil && !changes[i].Home.IsZero() {
			w.of(changes[i].Home).note(changes[i])
		}
	}
	return done, err
}

func (w *witness) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	w.mu.Lock()
	w.beating[s.ID] = true
	w.mu.Unlock()
	defer w.turn()()
	return w.Broker.Beat(ctx, now, s)
}

// turn waits until few make a call, and returns what ends it. For those who wait for a
// connection go-redis keeps timers, which must not come from another bubble.
func (w *witness) turn() (end func()) {
	w.turns <- struct{}{}
	return func() { <-w.turns }
}

func (w *witness) Extend(ctx context.Context, now, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	defer w.turn()()
	return w.Broker.Extend(ctx, now, until, leases...)
}

func (w *witness) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	defer w.turn()()
	return w.Broker.Advance(ctx, now, r)
}

func (w *witness) Documents(ctx context.Context, home broker.Home, keys ...string) ([]broker.Document, error) {
	defer w.turn()()
	return w.Broker.Documents(ctx, home, keys...)
}

func (w *witness) Latches(ctx context.Context, home broker.Home, ids ...string) ([]broker.LatchState, error) {
	defer w.turn()()
	return w.Broker.Latches(ctx, home, ids...)
}

func (w *witness) OpenEntries(ctx context.Context, r broker.OpenRequest) (broker.OpenPage, error) {
	defer w.turn()()
	return w.Broker.OpenEntries(ctx, r)
}

func (w *witness) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	defer w.turn()()
	return w.Broker.Entry(ctx, ref)
}

func (w *witness) Homes(ctx context.Context, r broker.HomesRequest) (broker.HomesPage, error) {
	defer w.turn()()
	return w.Broker.Homes(ctx, r)
}

// servers returns the ids of those that have said that they are alive.
func (w *witness) servers() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.beating))
}

func (w *witness) of(h broker.Home) *seen {
	if w.homes[h] == nil {
		w.homes[h] = &seen{make(map[string]int), make(map[string]bool)}
	}
	return w.homes[h]
}

func (s *seen) note(c broker.Change) {
	for _, p := range c.Put {
		s.written[p.Key]++
	}
	for _, l := range c.Open {
		s.latches[l.ID] = true
	}
}

// outcomes returns how many outcomes were recorded, and the names of those documents
// that were written more than once although they are written once.
func (w *witness) outcomes() (recorded int, twice []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for h, s := range w.homes {
		for key, n := range s.written {
			outcome := !strings.HasPrefix(key, "~")
			if outcome {
				recorded++
			}
			if n > 1 && (outcome || key == "~result" || key == "~input" || strings.HasPrefix(key, "~wait~")) {
				twice = append(twice, fmt.Sprintf("%s of %s, %d times", key, h.ID, n))
			}
		}
	}
	return recorded, twice
}

func (w *witness) all() []broker.Home {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Keys(w.homes), func(a, b broker.Home) int { return strings.Compare(a.ID, b.ID) })
}
