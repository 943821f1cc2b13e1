package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// errFault is what a broker call fails with that a test lets fail.
var errFault = fmt.Errorf("fault: %w", broker.ErrRefused)

// errLost is what it fails with when it has been executed and the answer is lost.
var errLost = fmt.Errorf("answer lost")

// finish runs w on b, whose faults only the server sees, and demands the value.
func finish(t *testing.T, model *brokertest.Model, plan func(call int, method string) brokertest.Fault, w workflow.Workflow[int, int], in, want int) {
	t.Helper()
	serve(t, brokertest.Faulty(model, plan), w)
	run, err := w.Start(t.Context(), queue.NewClient(model), in)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
	defer cancel()
	if got, err := run.Result(ctx); got != want || err != nil {
		t.Errorf("Result() = %d, %v, want %d", got, err, want)
		explain(t, model)
	}
}

// A single is a plan of one fault: at a call, before it or after it. Beats, and what looks
// after leases, are not counted.
type single struct {
	at   int
	kind string

	mu    sync.Mutex
	calls int
	hit   bool
}

func (s *single) plan(_ int, method string) brokertest.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if method == "Beat" || method == "Extend" || method == "Advance" {
		return brokertest.Fault{}
	}
	s.calls++
	if s.calls-1 != s.at {
		return brokertest.Fault{}
	}
	s.hit = true
	if s.kind == "before" {
		return brokertest.Fault{Before: errFault}
	}
	return brokertest.Fault{After: errLost}
}

// explain logs what lies in the queues.
func explain(t *testing.T, b broker.Broker) {
	counts, err := b.Counts(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		for _, state := range slices.DeleteFunc(task.States(), func(s task.State) bool { return s == task.Aggregating }) {
			entries, err := b.List(t.Context(), broker.ListRequest{Queue: c.Queue, State: state, Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				t.Logf("%s is %v, retried %d, last error %q", e.Entry, state, e.Retried, e.LastErr)
			}
		}
	}
}

// A faultCase is a shape with its value, small enough to be run a thousand times.
type faultCase struct {
	shape    string
	in, want int
}

var faultCases = []faultCase{
	{"chain", 1, 8}, {"diamond", 1, 16}, {"map", 5, 20}, {"map", 0, 0}, {"map-of-join", 3, 36}, {"join-of-maps", 4, 24}, {"side-effect", 3, 6}, {"no-steps", 3, 4},
}

func TestNoSingleFaultOfTheBrokerStopsARun(t *testing.T) {
	for _, c := range faultCases {
		for _, kind := range []string{"before", "after"} {
			t.Run(fmt.Sprintf("%s of %d, %s", c.shape, c.in, kind), func(t *testing.T) {
				for n, hit := 0, true; hit; n++ {
					hit = false
					synctest.Test(t, func(t *testing.T) {
						t.Logf("the fault is at call %d", n)
						faults := &single{at: n, kind: kind}
						finish(t, brokertest.NewModel(), faults.plan, shapes[c.shape], c.in, c.want)
						hit = faults.hit && n < 60 // the server polls for ever
					})
				}
			})
		}
	}
}

func TestRandomFaultsOfTheBrokerDoNotStopARun(t *testing.T) {
	for _, rate := range []float64{0.05, 0.15, 0.30} {
		t.Run(fmt.Sprintf("%.0f percent", 100*rate), func(t *testing.T) {
			for range 20 {
				seed := rand.Uint64()
				for _, c := range faultCases {
					synctest.Test(t, func(t *testing.T) {
						t.Logf("shape %s, seed %d", c.shape, seed)
						finish(t, brokertest.NewModel(), randomFaults(seed, rate), shapes[c.shape], c.in, c.want)
					})
				}
			}
		})
	}
}

// An outcome is what a run comes to.
type outcome struct {
	value  int
	failed string // the step that is to blame
}

// outcomeOf returns what a run comes to within hours.
func outcomeOf(t *testing.T, run workflow.Run[int]) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Hour)
	defer cancel()
	v, err := run.Result(ctx)
	if cause, ok := errors.AsType[*workflow.StepError](err); ok {
		return outcome{failed: cause.Step}
	}
	if err != nil {
		t.Errorf("Result() = %d, %v", v, err)
	}
	return outcome{value: v}
}

// runShape runs a shape on a server for which calls of the broker fail, and returns
// what has come of it.
func runShape(t *testing.T, w workflow.Workflow[int, int], plan func(int, string) brokertest.Fault) outcome {
	t.Helper()
	model := brokertest.NewModel()
	serve(t, brokertest.Faulty(model, plan), w)
	run, err := w.Start(t.Context(), queue.NewClient(model), 3)
	if err != nil {
		t.Fatal(err)
	}
	return outcomeOf(t, run)
}

// TestNoFaultOfTheBrokerChangesWhatAShapeComesTo has one call of each kind fail at a
// time, and then three in ten.
func TestNoFaultOfTheBrokerChangesWhatAShapeComesTo(t *testing.T) {
	for name, w := range shapes {
		t.Run(name, func(t *testing.T) {
			var want outcome
			synctest.Test(t, func(t *testing.T) {
				want = runShape(t, w, func(int, string) brokertest.Fault { return brokertest.Fault{} })
			})
			check := func(plan func(int, string) brokertest.Fault, what string) {
				synctest.Test(t, func(t *testing.T) {
					if got := runShape(t, w, plan); got != want {
						t.Errorf("with %s it comes to %+v, want %+v", what, got, want)
					}
				})
			}
			for n := range 40 {
				for _, kind := range []string{"before", "after"} {
					check((&single{at: n, kind: kind}).plan, fmt.Sprintf("a fault %s call %d", kind, n))
				}
			}
			for range 5 {
				seed := rand.Uint64()
				check(randomFaults(seed, 0.3), fmt.Sprintf("random faults of seed %d", seed))
			}
		})
	}
}

// randomFaults is a plan in which calls fail at a rate, half of them after they were
// executed.
func randomFaults(seed uint64, rate float64) func(int, string) brokertest.Fault {
	r, mu := rand.New(rand.NewPCG(seed, 1)), sync.Mutex{}
	return func(int, string) brokertest.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch x := r.Float64(); {
		case x < rate/2:
			return brokertest.Fault{Before: errFault}
		case x < rate:
			return brokertest.Fault{After: errLost}
		}
		return brokertest.Fault{}
	}
}
