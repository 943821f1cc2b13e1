package workflow_test

import (
	"context"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

func TestARunThatTakesAnothersPlaceBeginsAnew(t *testing.T) {
	inner := dag.New("inner", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) })
	w := dag.New("outer", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Join2(g, dag.Do(g, inner, in), dag.AwaitOr(g, approval, time.Minute, 1), add)
	}, workflow.MaxRun(1500))
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, w)
		for i := range 20 {
			run, err := w.Start(t.Context(), c, i, workflow.RunID("monday"), workflow.IfEnded(workflow.AgainAlways))
			if err != nil || run.Existed {
				t.Fatalf("Start() number %d = existed %v, %v, want another run", i, run.Existed, err)
			}
			if got, err := run.Result(t.Context()); got != 2*i+1 || err != nil {
				t.Fatalf("Result() of run %d = %d, %v, want %d", i, got, err, 2*i+1)
			}
		}
	})
}

func TestARunWhoseCloseWasDeletedIsClosedAllTheSame(t *testing.T) {
	stubborn := workflow.NewStep("stubborn", func(_ context.Context, n int) (int, error) {
		time.Sleep(time.Minute)
		return n, nil
	})
	w := dag.New("deaf", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, stubborn, in) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := b.Pause(t.Context(), time.Now(), "deaf~decide", true); err != nil {
			t.Fatal(err)
		}
		if err := run.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Sweep(t.Context(), time.Now(), broker.SweepRequest{Queue: "deaf~decide", State: task.Pending, Do: broker.Delete, Limit: 10}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Pause(t.Context(), time.Now(), "deaf~decide", false); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		if err := run.Wait(ctx); err == nil {
			t.Error("Wait() = nil, want that the run was cancelled")
		}
		if s, err := run.Status(t.Context()); s.State != workflow.Cancelled || err != nil {
			t.Errorf("the run is %s, %v, want it cancelled", s.State, err)
		}
	})
}
