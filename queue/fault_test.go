package queue_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

var (
	errRefused = fmt.Errorf("dial: %w", broker.ErrRefused)
	errLost    = errors.New("connection reset")
)

// faults are what may happen to a call.
var faults = map[string]brokertest.Fault{
	"is refused":                {Before: errRefused},
	"is lost":                   {Before: errLost},
	"is not answered":           {After: errLost},
	"takes longer than a lease": {Delay: 12 * time.Second},
	"is late and not answered":  {Delay: 2 * time.Second, After: errLost},
}

// chores are tasks that end in every way. What they do depends on their own
// attempt alone, so that what is recorded of them in the end does not depend on
// how often they were run.
var chores = map[string]task.HandlerFunc{
	"done":  func(context.Context, *task.Task) error { return nil },
	"slow":  func(context.Context, *task.Task) error { time.Sleep(4 * time.Second); return nil },
	"skips": func(context.Context, *task.Task) error { return task.SkipRetry },
	"fails:once": func(ctx context.Context, _ *task.Task) error {
		if attempt, _ := task.GetAttempt(ctx); attempt == 1 {
			return errors.New("boom")
		}
		return nil
	},
	"hands:off": func(ctx context.Context, tk *task.Task) error {
		r, _ := queue.FromContext(ctx)
		id, _ := task.GetID(ctx)
		r.OnSettle(func(s broker.Settlement, _ error) broker.Change {
			next := broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: id + "~next"}, Type: "done"}
			return broker.Change{
				Settle:  []broker.Settlement{s},
				Home:    broker.Home{Queue: "default", ID: "run-" + id},
				Put:     []broker.Put{{Key: "result"}},
				Enqueue: []broker.Entry{next},
			}
		})
		return nil
	},
}

func doChore(ctx context.Context, tk *task.Task) error { return chores[tk.Type()](ctx, tk) }

// enqueueChores enqueues n rounds of chores, past all faults.
func enqueueChores(x *bench, rounds int) {
	x.Helper()
	for i := range rounds {
		for chore := range chores {
			id := fmt.Sprintf("%s-%d", strings.ReplaceAll(chore, ":", "-"), i)
			if _, err := x.client.Enqueue(x.Context(), task.New(chore, nil), task.ID(id)); err != nil {
				x.Fatal(err)
			}
		}
	}
}

// wantChoresDone fails the test unless each outcome of each chore is recorded
// exactly once.
func wantChoresDone(x *bench, b broker.Broker, rounds int) {
	x.Helper()
	c := x.counts("default")
	// One for each chore, one more for the one that fails once, and what is
	// handed off.
	processed, failed := rounds*(len(chores)+2), rounds*2
	if c.Processed != processed || c.Failed != failed {
		x.Errorf("%d outcomes recorded, %d of them failures, want %d, %d", c.Processed, c.Failed, processed, failed)
	}
	if c.Archived != rounds || c.Size() != rounds {
		x.Errorf("%d tasks left, %d archived, want only those that skip: %d", c.Size(), c.Archived, rounds)
	}
	if verifier, ok := b.(broker.Verifier); ok {
		if faults, err := verifier.Verify(x.Context(), time.Now()); err != nil || len(faults) > 0 {
			x.Errorf("Verify() = %q, %v, want nothing", faults, err)
		}
	}
}

// faultyBench returns a bench whose servers, unlike its client, use b with the
// faults of plan.
func faultyBench(t *testing.T, b broker.Broker, plan func(call int, method string) brokertest.Fault) *bench {
	x := newBench(t, b)
	x.b = brokertest.Faulty(b, plan)
	x.cfg.Concurrency = 3
	x.cfg.PollInterval = time.Second
	x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { return time.Second }
	return x
}

// One call fails, whichever it is, and nothing comes of it.
func TestAFaultAtAnyCallLosesNothingAndRecordsNothingTwice(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			for n, more := 0, true; more; n++ {
				synctest.Test(t, func(t *testing.T) {
					started := time.Now()
					model := brokertest.NewModel()
					x := faultyBench(t, model, func(call int, _ string) brokertest.Fault {
						if call == n {
							more = time.Since(started) < 8*time.Second // by then all is done, undisturbed
							return fault
						}
						return brokertest.Fault{}
					})
					var runs atomic.Int64
					enqueueChores(x, 1)
					x.serve(func(ctx context.Context, tk *task.Task) error {
						runs.Add(1)
						return doChore(ctx, tk)
					})
					x.pass(time.Minute)
					x.b = model
					wantChoresDone(x, model, 1)
					if want := int64(x.counts("default").Processed); runs.Load() != want && fault.Delay < 10*time.Second {
						t.Errorf("handlers ran %d times, want %d: an outcome is kept until it is recorded", runs.Load(), want)
					}
					if t.Failed() {
						t.Fatalf("when call %d %s; log:\n%s", n, name, x.log.String())
					}
				})
			}
		})
	}
}

// Every call may fail, while servers come and go.
func TestManyFaultsLoseNothingAndRecordNothingTwice(t *testing.T) {
	for name, open := range map[string]func() (broker.Broker, error){
		"the model": func() (broker.Broker, error) { return brokertest.NewModel(), nil },
		"sqlite":    func() (broker.Broker, error) { return sqlitebroker.Open(":memory:", nil) },
	} {
		for range 5 {
			t.Run("on "+name, func(t *testing.T) {
				plan, life := seeded(t), seeded(t)
				synctest.Test(t, func(t *testing.T) {
					b, err := open()
					if err != nil {
						t.Fatal(err)
					}
					defer b.Close()
					serversComeAndGo(t, b, plan, life)
				})
			})
		}
	}
}

func serversComeAndGo(t *testing.T, b broker.Broker, plan, life *rand.Rand) {
	const rounds = 30
	kinds := slices.Sorted(maps.Keys(faults))
	var mu sync.Mutex
	calm := false
	x := faultyBench(t, b, func(int, string) brokertest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if calm || plan.IntN(5) > 0 {
			return brokertest.Fault{}
		}
		return faults[kinds[plan.IntN(len(kinds))]]
	})
	x.cfg.MaxCrashes = -1 // a lease whose answer was lost looks like a worker that was
	enqueueChores(x, rounds)
	for n := range 7 {
		mu.Lock()
		calm = n == 6
		mu.Unlock()
		srv := x.newServer()
		if err := srv.Start(task.HandlerFunc(doChore)); err != nil {
			t.Fatal(err)
		}
		x.pass(time.Duration(1+life.IntN(30)) * time.Second)
		if calm {
			x.pass(5 * time.Minute)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
	}
	x.b = b
	wantChoresDone(x, b, rounds)
}

// seeded returns a source of chance, and prints how to get it again.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
