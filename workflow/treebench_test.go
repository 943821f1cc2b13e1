package workflow_test

import (
	"context"
	"testing"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// BenchmarkTree reads, from Redis, a run of 249 steps, and one with a hundred runs of five
// steps each within it.
func BenchmarkTree(b *testing.B) {
	next := workflow.NewStep("next", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	chain := func(name string, length int) workflow.Workflow[int, int] {
		return dag.New(name, func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			for range length {
				in = dag.Do(g, next, in)
			}
			return in
		})
	}
	long, five := chain("long", 249), chain("five", 5)
	wide := dag.New("wide", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		runs := dag.Map(g, five, dag.Pick(g, in, func(n int) []int { return make([]int, n) }))
		return dag.Pick(g, runs, func(l []int) int { return len(l) })
	})
	store, err := redisbroker.Open(redistest.Shared(b).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	mux := task.NewMux()
	workflow.Register(mux, long, wide)
	srv, err := queue.NewServer(store, queue.Config{Concurrency: 20})
	if err != nil {
		b.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
	}()
	client := queue.NewClient(store)
	for _, w := range []workflow.Workflow[int, int]{long, wide} {
		b.Run(w.Name(), func(b *testing.B) {
			run, err := w.Start(b.Context(), client, 100)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := run.Result(b.Context()); err != nil {
				b.Fatal(err)
			}
			h := workflow.OpenRun(client, run.Queue(), run.ID)
			for b.Loop() {
				if tree, err := h.Tree(b.Context(), 501); err != nil || tree.Truncated {
					b.Fatalf("Tree() = %v, truncated %v", err, tree.Truncated)
				}
			}
		})
	}
}
