package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// idle is a handler that does nothing.
func idle(context.Context, *task.Task) error { return nil }

// fill enqueues n tasks of one type into a queue.
func (x *bench) fill(name string, n int, options ...task.Option) {
	x.Helper()
	tasks := make([]*task.Task, n)
	for i := range tasks {
		tasks[i] = task.New("test:"+name, nil, task.Queue(name))
	}
	for _, e := range x.client.EnqueueMany(x.Context(), tasks, options...) {
		if e.Err != nil {
			x.Fatal(e.Err)
		}
	}
}

func TestAsManyHandlersRunAsThereAreSlotsAndNoMore(t *testing.T) {
	inBubble(t, func(x *bench) {
		const tasks, slots = 3000, 50
		var running, most, ran atomic.Int64
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		takes := rand.New(rand.NewPCG(seed, 0)).Perm(tasks)
		x.cfg.Concurrency = slots
		x.fill("default", tasks)
		x.serve(func(context.Context, *task.Task) error {
			if n := running.Add(1); n > slots {
				t.Errorf("%d handlers run at once, want at most %d", n, slots)
			} else if n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Duration(takes[ran.Add(1)-1]) * time.Microsecond)
			running.Add(-1)
			return nil
		})
		x.pass(time.Minute)
		if ran.Load() != tasks || most.Load() != slots {
			t.Errorf("%d handlers ran, at most %d at once, want %d, %d", ran.Load(), most.Load(), tasks, slots)
		}
		if c := x.counts("default"); c.Size() != 0 || c.Processed != tasks {
			t.Errorf("%d tasks left, %d processed, want 0, %d", c.Size(), c.Processed, tasks)
		}
	})
}

func TestQueuesAreServedByTheirWeights(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Concurrency = 50 // that many travel together
		x.cfg.Queues = map[string]int{"critical": 6, "default": 3, "low": 1}
		for name := range x.cfg.Queues {
			x.fill(name, 4000)
		}
		x.serve(func(context.Context, *task.Task) error {
			time.Sleep(time.Second)
			return nil
		})
		x.pass(100 * time.Second)
		for name, want := range map[string]int{"critical": 3000, "default": 1500, "low": 500} {
			if got := x.counts(name).Processed; math.Abs(float64(got-want)) > 0.05*float64(want) {
				t.Errorf("queue %s: %d of 5000 tasks were its, want %d within 5 %%", name, got, want)
			}
		}
	})
}

func TestStrictPriorityEmptiesTheHighestQueueFirst(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.StrictPriority = true
		x.cfg.Queues = map[string]int{"critical": 9, "default": 5, "low": 1}
		var order []string
		for _, name := range []string{"low", "default", "critical"} {
			x.fill(name, 3)
		}
		x.serve(func(_ context.Context, tk *task.Task) error {
			order = append(order, strings.TrimPrefix(tk.Type(), "test:"))
			return nil
		})
		x.pass(time.Second)
		want := "critical critical critical default default default low low low"
		if got := strings.Join(order, " "); got != want {
			t.Errorf("order %s, want %s", got, want)
		}
	})
}

func TestTasksOfOneQueueRunInTheirOrder(t *testing.T) {
	inBubble(t, func(x *bench) {
		var order []string
		for i := range 20 {
			x.enqueue(fmt.Sprintf("%02d", i))
		}
		x.serve(func(_ context.Context, tk *task.Task) error {
			order = append(order, tk.Type())
			return nil
		})
		x.pass(time.Second)
		if len(order) != 20 || !slices.IsSorted(order) {
			t.Errorf("order %v, want all 20 as they were enqueued", order)
		}
	})
}

func TestAServerThatNobodyWakesAsksAsOftenAsItPolls(t *testing.T) {
	inBubble(t, func(x *bench) {
		calls := 0
		x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) { calls++; return c.run() }}
		x.serve(idle)
		x.pass(100 * time.Second)
		if calls < 180 || calls > 220 {
			t.Errorf("%d calls in 100s, want about 200", calls)
		}
	})
}

func TestOutcomesAndLeasesTravelTogether(t *testing.T) {
	inBubble(t, func(x *bench) {
		calls, most, leased := 0, 0, 0
		x.fill("default", 1000)
		x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
			time.Sleep(time.Millisecond) // a trip
			x.mu.Lock()
			defer x.mu.Unlock()
			calls++
			most = max(most, len(c.changes))
			if leased < 1000 && len(c.changes) > 0 && c.want.Max == 0 {
				t.Errorf("call %d records %d outcomes and asks for no task", calls, len(c.changes))
			}
			a, err := c.run()
			leased += len(a.Leases)
			return a, err
		}}
		x.cfg.Concurrency = 200
		x.serve(idle)
		x.pass(time.Second)
		if n := x.counts("default").Processed; n != 1000 {
			t.Fatalf("%d tasks processed, want 1000", n)
		}
		if calls > 40 || most != 64 {
			t.Errorf("%d calls with up to %d outcomes, want few calls (idle ones included) with up to 64", calls, most)
		}
	})
}

func TestABrokerThatFailsIsAskedLessAndLessOften(t *testing.T) {
	inBubble(t, func(x *bench) {
		calls := 0
		real := x.b
		x.b = &tapped{Broker: real, apply: func(applyCall) (broker.Applied, error) {
			calls++
			return broker.Applied{}, errors.New("wrong type")
		}}
		x.serve(idle)
		x.pass(60 * time.Second)
		if calls < 60 || calls > 70 {
			t.Errorf("%d calls in a minute, want 60 to 70: 50ms to 1s apart", calls)
		}
		if n := strings.Count(x.log.String(), "storage did not answer"); n < 4 || n > 6 {
			t.Errorf("logged %d times in a minute, want about 5: further and further apart", n)
		}
	})
}

func TestAnOutcomeIsKeptUntilTheBrokerHasTakenIt(t *testing.T) {
	for name, executed := range map[string]bool{"before it took effect": false, "after it took effect": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(x *bench) {
				var down atomic.Bool
				ran := 0
				x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
					if !down.Load() {
						return c.run()
					}
					if executed {
						_, _ = c.run()
					}
					return broker.Applied{}, errors.New("connection reset")
				}}
				x.enqueue("a", task.Retention(time.Hour))
				x.serve(func(context.Context, *task.Task) error { ran++; down.Store(true); return nil })
				x.pass(30 * time.Second)
				if n := len(x.seen(queue.EventSettled)); n != 0 {
					t.Errorf("%d outcomes recorded while the broker is down, want none", n)
				}
				down.Store(false)
				x.pass(30 * time.Second)
				if s := x.get("a"); s.State != task.Completed || ran != 1 {
					t.Errorf("stored as %s after %d runs, want completed after one", s.State, ran)
				}
				if n := len(x.seen(queue.EventSettled)); n != 1 {
					t.Errorf("%d outcomes recorded, want one", n)
				}
				if c := x.counts("default"); c.Processed != 1 {
					t.Errorf("%d processed, want 1", c.Processed)
				}
			})
		})
	}
}

func TestARefusedOutcomeIsReportedAndNothingElse(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a", task.Retention(time.Hour))
		lease := broker.LeaseRequest{Queues: []broker.Share{{Queue: "default", First: 1}}, Max: 1}
		x.serve(func(context.Context, *task.Task) error {
			// Somebody else takes the task over, as if this process had slept.
			late := time.Now().Add(time.Minute)
			for range 2 { // whoever was away for long takes no lease back at once
				late = late.Add(5 * time.Second)
				if _, err := x.b.Advance(x.Context(), late, broker.AdvanceRequest{Queues: []string{"default"}, Limit: 10}); err != nil {
					t.Error(err)
				}
			}
			lease.Until = late.Add(time.Minute)
			if got, err := x.b.Apply(x.Context(), late, nil, lease); err != nil || len(got.Leases) != 1 {
				t.Errorf("Apply() = %+v, %v, want a lease", got, err)
			}
			return nil
		})
		x.pass(time.Second)
		if s := x.get("a"); s.State != task.Active {
			t.Errorf("stored as %s, want active, under the other lease", s.State)
		}
		if lost := x.seen(queue.EventLeaseLost); len(lost) != 1 || !errors.Is(lost[0].Err, queue.ErrLeaseLost) {
			t.Errorf("observed %+v, want one lost lease", lost)
		}
		if !strings.Contains(x.log.String(), "outcome was not recorded") {
			t.Error("log does not say that the outcome was not recorded")
		}
	})
}

func TestAParkedTaskIsReported(t *testing.T) {
	inBubble(t, func(x *bench) {
		parked := broker.Parked{EntryRef: broker.EntryRef{Queue: "default", ID: "x"}, Err: errors.New("not a message")}
		once := false
		x.b = &tapped{Broker: x.b, apply: func(c applyCall) (broker.Applied, error) {
			a, err := c.run()
			if !once {
				a.Parked, once = []broker.Parked{parked}, true
			}
			return a, err
		}}
		x.serve(idle)
		x.pass(time.Second)
		got := x.seen(queue.EventParked)
		if len(got) != 1 || got[0].Entry.EntryRef != parked.EntryRef || got[0].Err != parked.Err {
			t.Errorf("observed %+v, want %+v", got, parked)
		}
		if !strings.Contains(x.log.String(), "cannot be read") {
			t.Error("log does not mention the parked task")
		}
	})
}
