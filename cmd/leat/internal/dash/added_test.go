package dash

import (
	"context"
	"log/slog"
	"testing"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// TestAStepThatWasAddedIsDrawnAndChosen looks at a run of which a step has added two, and one
// of these has failed.
func TestAStepThatWasAddedIsDrawnAndChosen(t *testing.T) {
	stamp := workflow.NewStep("stamp", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	tear := workflow.NewStep("tear", func(context.Context, int) (int, error) { return 0, task.SkipRetry })
	plan := workflow.NewStep("plan", func(ctx context.Context, n int) (int, error) {
		return n, workflow.Add(ctx, stamp.With(n), tear.With(n))
	})
	adds := dag.New("adds", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, stamp, dag.Do(g, plan, in), dag.As("last"))
	})

	b := model.New(model.Options{})
	mux := task.NewMux()
	workflow.Register(mux, adds, stamp, tear)
	server, err := queue.NewServer(b, queue.Config{NoHistory: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(mux); err != nil {
		t.Fatal(err)
	}
	run, err := adds.Start(t.Context(), queue.NewClient(b), 21, workflow.RunID("adds-1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Result(t.Context()); err == nil {
		t.Fatal("the run has succeeded, want a failure")
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}

	s := newStage(t, b, 100, 40)
	s.settle()
	s.push(newRun(s.app, run.Handle))
	s.keys("G") // any key, so that it is answered
	s.shows("├ ✓ plan~+0")
	s.shows("└ ✗ plan~+1")
	s.shows(" 3/4") // the last never began
	s.shows("✗ plan~+1 failed")
	s.keys("up")
	s.shows("✓ plan~+0 done")
	s.shows("output    42")
	s.keys("K")
	s.shows("a step that was added cannot be skipped")
	s.keys("R")
	s.shows("step plan, and all that follows from it")
	s.keys("esc", "N")
	s.shows("✓ plan done")
	s.keys("n", "n", "n")
	s.shows("last")
	s.keys("H")
	s.shows("plan~+1")
}
