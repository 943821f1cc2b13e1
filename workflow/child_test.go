package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// runsOf returns the runs of a workflow.
func runsOf(t *testing.T, c *queue.Client, name string) []workflow.Summary {
	t.Helper()
	page, err := workflow.Runs(t.Context(), c, workflow.RunsRequest{Workflow: name, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return page.Runs
}

func TestTheFailureOfARunWithinFailsItsStep(t *testing.T) {
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, dag.Do(g, picky, in)) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, w)
		run, err := w.Start(t.Context(), c, 3)
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Result(t.Context())
		cause, ok := errors.AsType[*workflow.StepError](err)
		if !ok || cause.Step != "picky" || !strings.Contains(cause.Message, "step choosy: 3 is odd") {
			t.Errorf("Result() = %v, want that step picky failed because step choosy did", err)
		}
		inner := runsOf(t, c, "picky")
		if len(inner) != 1 || inner[0].State != workflow.Failed || !strings.HasPrefix(inner[0].ID, run.ID) {
			t.Fatalf("the runs of picky are %+v, want one that failed, with an id of its parent's", inner)
		}
		if s, err := inner[0].Status(t.Context()); s.Parent != run.ID || err != nil {
			t.Errorf("Status() of it has the parent %q, %v, want %s", s.Parent, err, run.ID)
		}
	})
}

func TestTheCancelOfARunReachesThoseWithin(t *testing.T) {
	var began, stopped atomic.Int32
	block := workflow.NewStep("block", func(ctx context.Context, _ int) (int, error) {
		began.Add(1)
		<-ctx.Done()
		stopped.Add(1)
		return 0, context.Cause(ctx)
	})
	inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, block, in) })
	middle := dag.New("middle", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, inner, in) })
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		waits := dag.Do(g, dag.New("waits", func(g *dag.Graph, _ dag.Val[int]) dag.Val[int] { return dag.Await(g, approval, 0) }), in)
		return dag.Join2(g, waits, dag.Do(g, sum, dag.Map(g, middle, dag.Do(g, upTo, in))), add)
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, w)
		run, err := w.Start(t.Context(), c, 4)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if began.Load() != 4 {
			t.Fatalf("%d steps of the runs within have begun, want 4", began.Load())
		}
		if err := run.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		cancelled := time.Now()
		if err := run.Wait(t.Context()); !errors.Is(err, workflow.ErrRunFailed) {
			t.Errorf("Wait() = %v, want ErrRunFailed", err)
		}
		if took := time.Since(cancelled); took > 30*time.Second {
			t.Errorf("the run was cancelled after %v, which is longer than it takes when those within are told", took)
		}
		if stopped.Load() != 4 {
			t.Errorf("%d steps of the runs within were stopped, want 4", stopped.Load())
		}
		for _, name := range []string{"inner", "middle", "waits", "w"} {
			for _, r := range runsOf(t, c, name) {
				if r.State != workflow.Cancelled {
					t.Errorf("run %s of %s is %s, want cancelled", r.ID, name, r.State)
				}
			}
		}
	})
}

func TestRunsWithinRunsHaveADepth(t *testing.T) {
	nest := func(depth int) flow {
		w := dag.New("depth-0", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) })
		for i := range depth {
			inner := w
			w = dag.New(fmt.Sprintf("depth-%d", i+1), func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, inner, in) })
		}
		return w
	}
	for depth, good := range map[int]bool{workflow.MaxDepth: true, workflow.MaxDepth + 1: false} {
		inBubble(t, func(t *testing.T, b broker.Broker) {
			w := nest(depth)
			run, err := w.Start(t.Context(), serve(t, b, w), 1)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			got, err := run.Result(ctx)
			if good && (got != 2 || err != nil) {
				t.Errorf("Result() at depth %d = %d, %v, want 2", depth, got, err)
			}
			if !good && (!errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), "is more than 16")) {
				t.Errorf("Result() at depth %d = %v, want that it is more than 16", depth, err)
			}
		})
	}
}

func TestAMapOfManyRuns(t *testing.T) {
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, quadruple, dag.Do(g, upTo, in), dag.Parallel(20)))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, w)
		run, err := w.Start(t.Context(), c, 200)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 4*199*100 || err != nil {
			t.Errorf("Result() = %d, %v, want %d", got, err, 4*199*100)
		}
		if runs := runsOf(t, c, "quadruple"); len(runs) != 200 || slices.ContainsFunc(runs, func(s workflow.Summary) bool { return s.State != workflow.Done }) {
			t.Errorf("%d runs within were done, want 200", len(runs))
		}
	})
}

// A run within ends, and the entry that was to tell is gone: the one that stands for it
// looks after it.
func TestTheEndOfARunWithinIsSeenAlthoughNobodyTellsOfIt(t *testing.T) {
	slow := workflow.NewStep("slow", func(_ context.Context, n int) (int, error) { return n + 1, nil }, task.Queue("heavy"))
	inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, slow, in) })
	for name, w := range map[string]flow{
		"a step": dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, dag.Do(g, inner, in)) }),
		"items": dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Pick(g, dag.Map(g, inner, dag.Pick(g, in, func(n int) []int { return []int{n, n} })), func(l []int) int { return l[0] + l[1] })
		}),
		"a loop": dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Until(g, inner, in, func(n int) bool { return n > 3 }, 5)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				stop := serveUntil(t, &onlyQueues{b, []string{"default", "w~decide", "inner~decide"}}, w)
				run, err := w.Start(t.Context(), queue.NewClient(b), 2)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				stop()
				dropped := 0
				for range 3 { // the rounds of a loop come one after the other
					stop = serveUntil(t, &onlyQueues{b, []string{"heavy", "inner~decide"}}, inner)
					time.Sleep(time.Second)
					stop()
					dropped += dropJoined(t, b)
					stop = serveUntil(t, &onlyQueues{b, []string{"default", "w~decide", "inner~decide"}}, w)
					time.Sleep(2 * time.Minute)
					stop()
				}
				if dropped == 0 {
					t.Error("nothing was to tell that a run within has ended")
				}
				want := map[string]int{"a step": 6, "items": 6, "a loop": 4}[name]
				comesTo(t, run, want)
			})
		})
	}
}

// dropJoined deletes what tells the parents of runs that these have ended.
func dropJoined(t *testing.T, b broker.Broker) (dropped int) {
	t.Helper()
	waiting, err := b.List(t.Context(), broker.ListRequest{Queue: "w~decide", State: task.Pending, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range waiting {
		if strings.Contains(e.ID, "~~joined~") {
			move(t, b, e.EntryRef, broker.Delete)
			dropped++
		}
	}
	return dropped
}

// onlyQueues is a broker of which a server is given nothing but what lies in some queues.
type onlyQueues struct {
	broker.Broker
	queues []string
}

func (o *onlyQueues) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	want.Queues = slices.DeleteFunc(slices.Clone(want.Queues), func(s broker.Share) bool { return !slices.Contains(o.queues, s.Queue) })
	if len(want.Queues) == 0 {
		want.Max = 0
	}
	return o.Broker.Apply(ctx, now, changes, want)
}

func TestARunWithinThatCannotBeginFailsItsStep(t *testing.T) {
	length := workflow.NewStep("length", func(_ context.Context, s string) (int, error) { return len(s), nil })
	child := dag.New("small", func(g *dag.Graph, in dag.Val[string]) dag.Val[int] { return dag.Do(g, length, in) }, workflow.MaxRun(200))
	w := dag.New("w", func(g *dag.Graph, in dag.Val[string]) dag.Val[int] { return dag.Do(g, child, in) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), strings.Repeat("x", 300))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := run.Wait(ctx); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), broker.ErrQuota.Error()) {
			t.Errorf("Wait() = %v, want that the run within may not be so large", err)
		}
	})
}

func TestTheEndOfARunWithinIsTakenInAPause(t *testing.T) {
	var calls atomic.Int32
	step := workflow.NewStep("slowly", func(_ context.Context, n int) (int, error) {
		calls.Add(1)
		time.Sleep(5 * time.Second)
		return n, nil
	})
	child := dag.New("brief", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, step, in) }, workflow.Retention(time.Second))
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		all := dag.Map(g, child, dag.Pick(g, in, func(n int) []int { return []int{n, n} }))
		rounds := dag.Until(g, child, in, func(int) bool { return true }, 2)
		return dag.Join2(g, dag.Do(g, sum, all), dag.Do(g, double, dag.Join2(g, dag.Do(g, child, in), rounds, func(a, b int) int { return a + b })), func(a, b int) int { return a + b })
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		time.Sleep(time.Second)
		if err := errors.Join(err, run.Pause(t.Context())); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute) // longer than the runs within are kept
		if err := run.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if got, err := run.Result(ctx); got != 6 || err != nil || calls.Load() != 4 {
			t.Errorf("Result() = %d, %v after %d calls, want 6 after 4", got, err, calls.Load())
		}
	})
}
