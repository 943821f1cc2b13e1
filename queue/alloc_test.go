package queue_test

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// What a task costs in allocations where there is neither a tracer nor an observer: as
// many as before there were tracers.
const (
	enqueueAllocs = 9
	runAllocs     = 27
)

func TestATracerThatIsNotThereCostsNothing(t *testing.T) {
	client, tk := queue.NewClient(newConveyor(0)), task.New("test:nothing", []byte("payload"))
	if got := testing.AllocsPerRun(1000, func() {
		if _, err := client.Enqueue(t.Context(), tk); err != nil {
			t.Fatal(err)
		}
	}); got > enqueueAllocs {
		t.Errorf("to enqueue a task takes %v allocations, want %d", got, enqueueAllocs)
	}
	const n = 20_000
	if got := float64(mallocs(func() { serveNothing(t, n) })) / n; got > runAllocs+0.2 { // for what a server does beside them
		t.Errorf("to run a task takes %.2f allocations, want %d", got, runAllocs)
	}
}

// mallocs returns how many objects are allocated while f runs.
func mallocs(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// serveNothing runs n tasks that do nothing.
func serveNothing(t *testing.T, n int64) {
	srv, err := queue.NewServer(newConveyor(int(n)), queue.Config{Concurrency: 1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := context.WithCancel(t.Context())
	defer done()
	var ran atomic.Int64
	err = srv.Run(ctx, task.HandlerFunc(func(context.Context, *task.Task) error {
		if ran.Add(1) == n {
			done()
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
}
