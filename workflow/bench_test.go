package workflow_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// BenchmarkStep is a step of a long chain, on a storage in memory: what it costs beside
// that is small, and how much it allocates is what to look at.
func BenchmarkStep(b *testing.B) {
	const length = 100
	next := workflow.NewStep("next", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	chain := dag.New("long", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		for range length {
			in = dag.Do(g, next, in)
		}
		return in
	})
	store, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	mux := task.NewMux()
	workflow.Register(mux, chain)
	srv, err := queue.NewServer(store, queue.Config{Concurrency: 1})
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
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += length {
		run, err := chain.Start(b.Context(), client, 0, workflow.RunID(fmt.Sprint("r", i)))
		if err != nil {
			b.Fatal(err)
		}
		if n, err := run.Result(b.Context()); n != length || err != nil {
			b.Fatalf("Result() = %d, %v, want %d", n, err, length)
		}
	}
}
