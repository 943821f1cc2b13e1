package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A retally counts the calls of steps that fail as long as they are to.
type retally struct {
	mu     sync.Mutex
	calls  map[string]int
	broken map[string]bool // what fails: a step, or its input
	most   int             // how many ran at a time
	now    int
}

func newRetally(broken ...string) *retally {
	c := &retally{calls: make(map[string]int), broken: make(map[string]bool)}
	for _, b := range broken {
		c.broken[b] = true
	}
	return c
}

// step returns a step that adds one.
func (c *retally) step(name string) workflow.Step[int, int] {
	return workflow.NewStep(name, func(_ context.Context, n int) (int, error) {
		c.mu.Lock()
		key := fmt.Sprintf("%s %d", name, n)
		c.calls[key]++
		c.now++
		c.most = max(c.most, c.now)
		fails := c.broken[name] || c.broken[key]
		c.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
		if fails {
			return 0, fmt.Errorf("%w: %w", errSome, task.SkipRetry)
		}
		return n + 1, nil
	})
}

// mend has everything succeed from now on, and counts anew.
func (c *retally) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.broken)
	clear(c.calls)
	c.most = 0
}

func (c *retally) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := make(map[string]int)
	for k, v := range c.calls {
		m[k] = v
	}
	return m
}

// A retrial is a graph of which something fails, what is done about it, and what runs
// then.
type retrial struct {
	name   string
	broken []string
	build  func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int]
	first  int // result of a run that did not fail
	again  func(workflow.Run[int], context.Context) error
	runs   map[string]int // what runs in the second go
	want   int
}

func retry(r workflow.Run[int], ctx context.Context) error { return r.Retry(ctx) }

func retryFrom(step string) func(workflow.Run[int], context.Context) error {
	return func(r workflow.Run[int], ctx context.Context) error { return r.RetryFrom(ctx, step) }
}

func retryAll(r workflow.Run[int], ctx context.Context) error { return r.RetryAll(ctx) }

func skip(step, output string) func(workflow.Run[int], context.Context) error {
	return func(r workflow.Run[int], ctx context.Context) error { return r.Skip(ctx, step, []byte(output)) }
}

func abc(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	return dag.Do(g, c.step("c"), dag.Do(g, c.step("b"), dag.Do(g, c.step("a"), in)))
}

func mapThenEnd(opts ...dag.Option) func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	return func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		items := dag.Map(g, c.step("item"), dag.Const(g, []int{1, 2, 3, 4, 5, 6, 7, 8}), opts...)
		return dag.Do(g, c.step("end"), dag.Pick(g, items, func(l []int) (total int) {
			for _, n := range l {
				total += n
			}
			return total
		}))
	}
}

func tried(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	a := dag.Pick(g, dag.Try(g, dag.Do(g, c.step("a"), in)), orMinus)
	return dag.Do(g, c.step("c"), dag.Do(g, c.step("b"), a))
}

var retrials = []retrial{
	{name: "the last of a chain", broken: []string{"c"}, build: abc, again: retry, runs: map[string]int{"c 3": 1}, want: 4},
	{name: "the middle of a chain", broken: []string{"b"}, build: abc, again: retry, runs: map[string]int{"b 2": 1, "c 3": 1}, want: 4},
	{name: "from before what failed", broken: []string{"c"}, build: abc, again: retryFrom("b"), runs: map[string]int{"b 2": 1, "c 3": 1}, want: 4},
	{name: "from the first, of a run that was done", build: abc, first: 4, again: retryFrom("a"), runs: map[string]int{"a 1": 1, "b 2": 1, "c 3": 1}, want: 4},
	{name: "all of a run that was done", build: abc, first: 4, again: retryAll, runs: map[string]int{"a 1": 1, "b 2": 1, "c 3": 1}, want: 4},
	{name: "all of a run that has failed", broken: []string{"c"}, build: abc, again: retryAll, runs: map[string]int{"a 1": 1, "b 2": 1, "c 3": 1}, want: 4},
	{name: "a step that is skipped", broken: []string{"b"}, build: abc, again: skip("b", "40"), runs: map[string]int{"c 40": 1}, want: 41},
	{name: "the last step is skipped", broken: []string{"c"}, build: abc, again: skip("c", "40"), runs: map[string]int{}, want: 40},
	{name: "some items", broken: []string{"item 3", "item 5"}, build: mapThenEnd(dag.FinishAll(), dag.Parallel(2)), again: retry,
		runs: map[string]int{"item 3": 1, "item 5": 1, "end 44": 1}, want: 45},
	{name: "a map from the start", broken: []string{"end"}, build: mapThenEnd(dag.Parallel(2)), again: retryFrom("item"),
		runs: map[string]int{"item 1": 1, "item 2": 1, "item 3": 1, "item 4": 1, "item 5": 1, "item 6": 1, "item 7": 1, "item 8": 1, "end 44": 1}, want: 45},
	{name: "what comes after a map", broken: []string{"end"}, build: mapThenEnd(), again: retry, runs: map[string]int{"end 44": 1}, want: 45},
	{name: "what comes after a map that tolerates", broken: []string{"end", "item 3"}, build: mapThenEnd(dag.Tolerate(1)), again: retry, runs: map[string]int{"end 40": 1}, want: 41},
	{name: "not what was tried", broken: []string{"a", "c"}, build: tried, again: retry, runs: map[string]int{"c 0": 1}, want: 1},
	{name: "from what was tried", broken: []string{"a", "c"}, build: tried, again: retryFrom("a"), runs: map[string]int{"a 1": 1, "b 2": 1, "c 3": 1}, want: 4},
	{name: "one side of a join", broken: []string{"a"}, build: func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, c.step("c"), dag.Join2(g, dag.Do(g, c.step("a"), in), dag.Do(g, c.step("b"), in), add))
	}, again: retry, runs: map[string]int{"a 1": 1, "c 4": 1}, want: 5},
	{name: "in an arm", broken: []string{"b"}, build: func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		a := dag.Do(g, c.step("a"), in)
		return dag.Do(g, c.step("c"), dag.If(g, dag.Pick(g, a, func(n int) bool { return n > 1 }),
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, c.step("b"), a) },
			func(*dag.Graph) dag.Val[int] { return in }))
	}, again: retry, runs: map[string]int{"b 2": 1, "c 3": 1}, want: 4},
	{name: "in a run within", broken: []string{"b"}, build: func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, c.step("b"), in) })
		return dag.Do(g, c.step("c"), dag.Do(g, inner, dag.Do(g, c.step("a"), in)))
	}, again: retry, runs: map[string]int{"b 2": 1, "c 3": 1}, want: 4},
	{name: "items that are runs", broken: []string{"b 2"}, build: func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, c.step("b"), in) })
		return dag.Do(g, sum, dag.Map(g, inner, dag.Const(g, []int{1, 2, 3}), dag.FinishAll()))
	}, again: retry, runs: map[string]int{"b 2": 1}, want: 9},
	{name: "in a loop", broken: []string{"b 3"}, build: func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, c.step("c"), dag.Until(g, c.step("b"), in, func(n int) bool { return n >= 5 }, 10))
	}, again: retry, runs: map[string]int{"b 3": 1, "b 4": 1, "c 5": 1}, want: 6},
	{name: "of a race", broken: []string{"a", "b"}, build: func(c *retally, g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		one, other := dag.Do(g, c.step("a"), in), dag.Do(g, c.step("b"), dag.Pick(g, in, func(n int) int { return n }), dag.After(dag.Sleep(g, time.Second)))
		return dag.Do(g, c.step("c"), dag.First(g, []dag.Val[int]{one, other}))
	}, again: retry, runs: map[string]int{"a 1": 1, "b 1": 1, "c 2": 1}, want: 3},
}

func TestARetryRunsWhatWasNotDone(t *testing.T) {
	for _, r := range retrials {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) { r.check(t, b, b) })
		})
	}
}

// check has the retrial run on a server that sees b as faulty.
func (r retrial) check(t *testing.T, b, faulty broker.Broker) {
	c := newRetally(r.broken...)
	w := dag.New("again", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return r.build(c, g, in) })
	serve(t, faulty, w)
	run, err := w.Start(t.Context(), queue.NewClient(b), 1, workflow.RunDeadline(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if r.first == 0 {
		wantState(t, run.Handle, workflow.Failed, time.Hour)
	} else if got, err := run.Result(t.Context()); got != r.first || err != nil {
		t.Errorf("Result() = %d, %v, want %d", got, err, r.first)
	}
	if r.first != 0 {
		if err := run.Retry(t.Context()); !errors.Is(err, workflow.ErrRunState) {
			t.Errorf("Retry() of a run that was done = %v, want ErrRunState", err)
		}
	}
	time.Sleep(3 * time.Second)
	c.mend()
	if err := r.again(run, t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if got, err := run.Result(ctx); got != r.want || err != nil {
		t.Errorf("Result() after it = %d, %v, want %d", got, err, r.want)
		explain(t, b)
	}
	time.Sleep(10 * time.Minute) // for what goes on beside the end of the run
	if diff := cmp.Diff(r.runs, c.counts()); diff != "" && b == faulty {
		t.Errorf("what ran again (-want +got):\n%s", diff)
	}
	quiet(t, b, run.Handle)
}

// TestARetryOnABrokerThatFailsEndsWell lets three calls in ten fail, before or after.
func TestARetryOnABrokerThatFailsEndsWell(t *testing.T) {
	for _, r := range retrials {
		t.Run(r.name, func(t *testing.T) {
			for range 5 {
				seed := rand.Uint64()
				synctest.Test(t, func(t *testing.T) {
					t.Logf("seed %d", seed)
					model := brokertest.NewModel()
					r.check(t, model, brokertest.Faulty(model, randomFaults(seed, 0.3)))
				})
			}
		})
	}
}

func TestParallelHoldsInAMapThatIsRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := newRetally("item")
		w := dag.New("again", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return mapThenEnd(dag.FinishAll(), dag.Parallel(3))(c, g, in)
		})
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, run.Handle, workflow.Failed, recovery)
		c.mend()
		if err := run.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantState(t, run.Handle, workflow.Done, recovery)
		if c.most != 3 {
			t.Errorf("at most %d items ran at a time, want 3", c.most)
		}
		status, err := run.Status(t.Context())
		if s := status.Steps[0]; s.Width != 8 || s.Ended != 8 || s.Failed != 0 || status.Retries != 1 || err != nil {
			t.Errorf("Status() = %+v, %v, want eight items done", s, err)
		}
	})
}

// TestALateWorkerOfTheTimeBeforeARetryChangesNothing: the loser of a race outlives the
// run, and is done when that has been begun again.
func TestALateWorkerOfTheTimeBeforeARetryChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		var calls atomic.Int32
		slow := workflow.NewStep("slow", func(context.Context, int) (int, error) {
			if calls.Add(1) == 1 {
				time.Sleep(time.Minute)
				return 1, nil // the late one
			}
			time.Sleep(2 * time.Minute)
			return 2, nil
		})
		w := dag.New("race", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			brief := dag.Do(g, double, in)
			first := dag.First(g, []dag.Val[int]{dag.Do(g, slow, in), brief})
			return dag.Join2(g, first, dag.Pick(g, dag.Try(g, first), orMinus), add)
		})
		run, err := w.Start(t.Context(), serve(t, b, w), 50)
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, run.Handle, workflow.Done, recovery)
		if err := run.RetryFrom(t.Context(), "slow"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * time.Second)
		status, err := run.Status(t.Context())
		if err != nil || status.Steps[1].Name != "slow" && status.Steps[0].Name != "slow" {
			t.Fatalf("Status() = %+v, %v", status, err)
		}
		for _, s := range status.Steps {
			if s.Name == "slow" && s.State == workflow.StepDone {
				t.Errorf("step slow is done by the worker of the time before")
			}
		}
		time.Sleep(time.Minute)
		quiet(t, b, run.Handle)
	})
}

func TestWaitsBeginAnewInARunThatIsRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("waits", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Await(g, nudge, time.Hour) })
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, after := range []time.Duration{30 * time.Minute, 2 * time.Hour} { // cancelled, and failed
			time.Sleep(after)
			if err := run.Cancel(t.Context()); err != nil && !errors.Is(err, workflow.ErrRunState) {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
			if err := run.Retry(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(50 * time.Minute)
		if err := nudge.Send(t.Context(), run, 7); err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 7 || err != nil {
			t.Errorf("Result() = %d, %v, want 7", got, err)
		}
		quiet(t, b, run.Handle)
	})
}

func TestASkippedStepOfAnOpenRunCountsAsDone(t *testing.T) {
	for name, step := range map[string]string{
		"queued": "victim", "active": "obeys", "sleeping": "sleep", "waiting for a signal": "await:nudge",
		"waiting for a signal or a time": "await:nudge", "backing off": "fails", "in a run within": "outer",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				seen := newWatch()
				w := dag.New("busy", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
					return dag.Do(g, double, busy[name](seen, g, in), dag.As("last"))
				})
				run, err := w.Start(t.Context(), serve(t, b, w), 1)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(2500 * time.Millisecond)
				if err := run.Skip(t.Context(), "last", []byte("1")); !errors.Is(err, workflow.ErrStepNotFound) {
					t.Errorf("Skip() of a step that has not begun = %v, want ErrStepNotFound", err)
				}
				if err := run.Skip(t.Context(), step, []byte("21")); err != nil {
					t.Fatal(err)
				}
				wantState(t, run.Handle, workflow.Done, recovery)
				time.Sleep(5 * time.Second)
				quiet(t, b, run.Handle)
			})
		})
	}
}

func TestWhatARunsStateDoesNotAllowIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("waits", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, dag.Await(g, nudge, 0)) })
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		refused := func(what string, err error) {
			t.Helper()
			if e, ok := errors.AsType[*workflow.RunStateError](err); !ok || e.ID != run.ID {
				t.Errorf("%s = %v, want a RunStateError", what, err)
			}
		}
		time.Sleep(time.Second)
		refused("Retry() of a run that goes on", run.Retry(ctx))
		refused("RetryFrom() of a run that goes on", run.RetryFrom(ctx, "double"))
		refused("Resume() of a run that goes on", run.Resume(ctx))
		refused("Delete() of a run that goes on", run.Delete(ctx))
		cancelRun(t, b, run)
		wantState(t, run.Handle, workflow.Cancelled, recovery)
		refused("Pause() of a run that has ended", run.Pause(ctx))
		refused("Resume() of a run that has ended", run.Resume(ctx))
		refused("Cancel() of a run that has ended", run.Cancel(ctx))
		refused("Send() to a run that has ended", nudge.Send(ctx, run, 1))
		if err := run.RetryFrom(ctx, "nobody"); !errors.Is(err, workflow.ErrStepNotFound) {
			t.Errorf("RetryFrom() of an unknown step = %v, want ErrStepNotFound", err)
		}
		again, err := run.Restart(ctx)
		if err != nil || again.ID == run.ID {
			t.Fatalf("Restart() = %s, %v, want another run", again.ID, err)
		}
		if err := nudge.Send(ctx, again, 21); err != nil {
			t.Fatal(err)
		}
		if got, err := again.Result(ctx); got != 42 || err != nil {
			t.Errorf("Result() = %d, %v, want 42", got, err)
		}
	})
}

func TestAStepThatHasFailedIsNotSkippedInARunThatGoesOn(t *testing.T) {
	bad := workflow.NewStep("bad", func(context.Context, int) (int, error) { return 0, task.SkipRetry })
	value := workflow.NewStep("value", func(_ context.Context, o workflow.Outcome[int]) (int, error) { return o.Value, nil })
	on := workflow.NewSignal[int]("on")
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		tried := dag.Try(g, dag.Do(g, bad, in))
		return dag.Do(g, value, tried, dag.After(dag.Await(g, on, 0, dag.After(dag.Do(g, value, tried)))))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := run.Skip(t.Context(), "bad", []byte("7")); !errors.Is(err, workflow.ErrStepNotFound) {
			t.Errorf("Skip() = %v, want ErrStepNotFound", err)
		}
		if err := on.Send(t.Context(), run, 1); err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 0 || err != nil {
			t.Errorf("Result() = %d, %v: both see one outcome, want 0", got, err)
		}
	})
}

func TestSkipTakesOnlyWhatTheStepCouldGive(t *testing.T) {
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) }, workflow.MaxOutput(10))
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), queue.NewClient(b), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, output := range []string{"{garbage", "", "12345678901"} {
			err := run.Skip(t.Context(), "double", []byte(output))
			if _, ok := errors.AsType[*task.InvalidError](err); !ok {
				t.Errorf("Skip() with %q = %v, want an InvalidError", output, err)
			}
		}
	})
}
