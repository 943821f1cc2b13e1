package soak

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/internal/shard"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// onShards returns storage that consists of so many parts.
func onShards(n int) broker.Broker {
	var worlds []shard.World
	for range n {
		worlds = append(worlds, model.New(model.Options{}))
	}
	return shard.New(shard.NewHashed(worlds...))
}

// A memory is the scribe of one process, which others share.
type memory struct {
	mu  *sync.Mutex
	met map[int]bool
	history
	dead bool // what it does counts no more
}

func (m *memory) begun(texts []int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dead {
		m.calls, m.cut = append(m.calls, slices.Clone(texts)), true
	}
}

func (m *memory) ended() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.dead {
		m.cut = false
	}
}

func (m *memory) first(text int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.met[text]
	m.met[text] = m.met[text] || !m.dead
	return !was
}

var errDead = fmt.Errorf("%w: the process is dead", broker.ErrRefused)

// A fleet is processes in fake time, which are replaced as they die.
type fleet struct {
	*testing.T
	broker  broker.Broker
	takes   time.Duration // a call
	leaving sync.WaitGroup
	mu      sync.Mutex
	met     map[int]bool
	members []*memory
}

// hire has a server run, and returns what ends it, in good order or not.
func (f *fleet) hire() (end func(kill bool)) {
	f.Helper()
	m := &memory{mu: &f.mu, met: f.met}
	f.members = append(f.members, m)
	b := brokertest.Faulty(f.broker, func(int, string) brokertest.Fault {
		f.mu.Lock()
		defer f.mu.Unlock()
		if m.dead {
			return brokertest.Fault{Before: errDead}
		}
		return brokertest.Fault{}
	})
	mux := task.NewMux()
	workflow.Register(mux, newEmbedded(m, f.takes))
	srv, err := queue.NewServer(b, queue.Config{
		MaxCrashes: -1, Logger: slog.New(slog.DiscardHandler),
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return time.Second },
	})
	if err != nil {
		f.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		f.Fatal(err)
	}
	return func(kill bool) {
		f.mu.Lock()
		m.dead, m.killed = kill, kill
		f.mu.Unlock()
		f.leaving.Go(func() {
			if err := srv.Shutdown(context.Background()); err != nil && !kill {
				f.Errorf("Shutdown() = %v, want nil", err)
			}
		})
	}
}

// An embedding is so many runs that embed their texts in fake time, on storage that
// consists of parts, while processes are killed.
type embedding struct {
	shards, runs, kills int
	takes               time.Duration // a call
	seed                uint64        // what the kills are drawn from
}

const processes = 3

// run returns what was done.
func (e embedding) run(t *testing.T) (c tally) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{T: t, broker: onShards(e.shards), takes: e.takes, met: make(map[int]bool)}
		w, client := newEmbedded(nil, 0), queue.NewClient(f.broker)
		inputs, ids := allTexts(e.runs)
		runs, err := w.StartMany(t.Context(), client, inputs, ids)
		if err != nil {
			t.Fatal(err)
		}
		f.serve(e.kills, rand.New(rand.NewPCG(e.seed, 0)), func() { wantVectors(t.Context(), t, runs) })
		c = tallyOf(f.histories())
		c.wantExplained(t, e.runs)
	})
	t.Logf("%d shards, %d kills: %v", e.shards, e.kills, c)
	return c
}

// serve has processes run until wait returns, and kills some of them, at most so many.
func (f *fleet) serve(kills int, chance *rand.Rand, wait func()) {
	var ends []func(kill bool)
	for range processes {
		ends = append(ends, f.hire())
	}
	for range kills {
		time.Sleep(time.Duration(chance.Int64N(int64(300 * time.Millisecond))))
		i := chance.IntN(processes)
		ends[i](true)
		ends[i] = f.hire()
	}
	wait()
	for _, end := range ends {
		end(false)
	}
	f.leaving.Wait()
}

func (f *fleet) histories() (all []history) {
	for _, m := range f.members {
		all = append(all, m.history)
	}
	return all
}

// Of 10,000 texts 200 are tried twice and 100 three times.
const embedCalls = (10_000 + 200 + 2*100) / batchSize

func TestFiveHundredRunsShareTheirCallsToTheLastText(t *testing.T) {
	c := embedding{shards: 1, runs: 500}.run(t)
	if c.calls() != embedCalls || c.partly() != 0 || c.repeated() != 0 {
		t.Errorf("there were %v, want %d calls, all full", c, embedCalls)
	}
}

func TestAShardCostsAtMostOneCallThatIsPartlyFilled(t *testing.T) {
	const shards = 4
	c := embedding{shards: shards, runs: 500}.run(t)
	if c.calls() > embedCalls+shards || c.repeated() != 0 {
		t.Errorf("there were %v, want at most %d calls and one for each of %d shards", c, embedCalls, shards)
	}
}

func TestAProcessThatIsKilledCostsAtMostTheBatchInItsHands(t *testing.T) {
	const kills = 12
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, shards := range []int{1, 4} {
		c := embedding{shards: shards, runs: 200, kills: kills, takes: 300 * time.Millisecond, seed: seed}.run(t)
		c.wantFew(t, shards, kills, 0)
		if c.cut == 0 {
			t.Errorf("%d kills cut no call off: the processes were not busy", kills)
		}
	}
}
