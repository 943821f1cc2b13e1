package aggregate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/internal/shard"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
)

// divided returns a storage of so many shards.
func divided(shards int) broker.Broker {
	var worlds []shard.World
	for range shards {
		worlds = append(worlds, model.New(model.Options{}))
	}
	return shard.New(shard.NewHashed(worlds...))
}

// A fleet is aggregators whose calls are lost at random, and that die at random and are
// replaced.
type fleet struct {
	*bench
	seed    uint64
	over    atomic.Bool
	hired   atomic.Uint64
	deaths  atomic.Int64
	lost    atomic.Int64
	running sync.WaitGroup
	rule    aggregate.Rule
	handler aggregate.Handler
}

// keep has one aggregator run, and another once that is dead.
func (f *fleet) keep(end <-chan struct{}) {
	for !f.over.Load() {
		n := f.hired.Add(1)
		r := &lockedRand{r: rand.New(rand.NewPCG(f.seed, n))}
		dead := make(chan struct{})
		die := sync.OnceFunc(func() { f.deaths.Add(1); close(dead) })
		process := brokertest.Faulty(f.b, func(_ int, method string) brokertest.Fault {
			select {
			case <-dead:
				return brokertest.Fault{Before: errFault}
			default:
			}
			if f.over.Load() || method == "Wait" {
				return brokertest.Fault{}
			}
			switch p := r.float(); {
			case p < 0.01:
				die()
				return brokertest.Fault{After: errLost}
			case p < 0.03:
				f.lost.Add(1)
				return brokertest.Fault{After: errLost}
			case p < 0.05:
				f.lost.Add(1)
				return brokertest.Fault{Before: errSome}
			}
			return brokertest.Fault{}
		})
		agg := aggregate.New()
		agg.Handle("default", "", f.rule, f.handler)
		runner, err := agg.Runner(process, f.cfg)
		if err != nil {
			panic(err) // the configuration is always the same
		}
		ctx, cancel := context.WithCancel(context.Background())
		f.running.Go(func() { _ = runner.Run(ctx) })
		select {
		case <-dead:
		case <-end:
		}
		cancel()
	}
}

// A lockedRand is chance for several goroutines.
type lockedRand struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (r *lockedRand) float() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.r.Float64()
}

func TestWhateverDiesEachTaskIsInOneBatchThatSucceeds(t *testing.T) {
	for name, open := range map[string]func() broker.Broker{
		"one storage":   func() broker.Broker { return brokertest.NewModel() },
		"four shards":   func() broker.Broker { return divided(4) },
		"sixteen of it": func() broker.Broker { return divided(16) },
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			inBubbleOn(t, open, func(x *bench) {
				x.cfg.MaxCrashes = -1
				f := &fleet{bench: x, seed: seed, rule: aggregate.Rule{Grace: time.Second, MaxSize: 7, Parallel: 3}}
				f.handler = aggregate.Raw(func(ctx context.Context, group string, tasks []*task.Task) (*task.Task, error) {
					x.note(group, tasks)
					select {
					case <-time.After(300 * time.Millisecond):
					case <-ctx.Done():
						return nil, ctx.Err()
					}
					if len(x.called())%10 == 0 {
						return nil, errSome
					}
					return folded(tasks), nil
				})
				end := make(chan struct{})
				for range 4 {
					f.running.Go(func() { f.keep(end) })
				}
				var want []string
				for i := range 1000 {
					name := fmt.Sprintf("t%05d", i)
					x.add(fmt.Sprint("g", i%13), name)
					want = append(want, name)
					x.pass(20 * time.Millisecond)
				}
				x.pass(2 * time.Minute)
				f.over.Store(true)
				x.pass(10 * time.Minute)
				close(end)
				f.running.Wait()
				got := x.payloads()
				for _, s := range x.in(task.Archived) {
					x.Errorf("%s is archived after %q, want it folded", s.ID, s.LastErr)
				}
				if !slices.Equal(got, want) {
					x.Errorf("folded are %d tasks, want each of %d once", len(got), len(want))
				}
				if f.deaths.Load() < 5 || f.lost.Load() < 20 {
					x.Errorf("only %d aggregators died, and %d calls were lost: that proves little", f.deaths.Load(), f.lost.Load())
				}
				x.verify()
			})
		})
	}
}

// put adds a member with an id that was made: its root decides on the shard.
func (x *bench) put(group, id string) {
	c := broker.Change{Enqueue: []broker.Entry{{EntryRef: broker.EntryRef{Queue: "default", ID: id}, Type: "member", Payload: []byte(id), Group: group}}}
	if done, err := x.client.Broker().Apply(x.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{}); err != nil || done.Outcomes[0] != nil {
		x.Error(err, done)
	}
}

func TestNoPartOfAGroupWaitsForThoseInOtherShards(t *testing.T) {
	inBubbleOn(t, func() broker.Broker { return divided(4) }, func(x *bench) {
		for i := range 10 {
			x.put("g", fmt.Sprintf("r%d~early", i))
		}
		n := 0
		x.handle(aggregate.Rule{Grace: time.Second, MaxSize: 5, MaxDelay: 2 * time.Second, Parallel: 1}, aggregate.Each(func(_ context.Context, g string, tasks []*task.Task) []error {
			x.note(g, tasks)
			time.Sleep(100 * time.Millisecond)
			if n++; n < 100 { // each part gets as many as are done at a time
				for i := range 50 {
					x.put("g", fmt.Sprintf("r%d~%d-%d", i%10, n, i))
				}
			}
			return nil
		}))
		x.pass(15 * time.Second)
		began := map[string]time.Duration{}
		for _, r := range x.called() {
			for _, p := range r.tasks {
				began[p] = r.at
			}
		}
		for i := range 10 {
			id := fmt.Sprintf("r%d~early", i)
			if at, ok := began[id]; !ok || at > 5*time.Second {
				x.Errorf("%s, one of the first, began after %v (%v), want it within 5s", id, at, ok)
			}
		}
		x.pass(time.Hour)
	})
}
