package queue_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// BenchmarkDrain runs tasks that do nothing. One iteration is one task, from
// the lease to the recorded outcome. The broker is the model, in maps, so that
// the figure is mostly the server's own.
func BenchmarkDrain(b *testing.B) {
	model := brokertest.NewModel()
	client := queue.NewClient(model)
	tasks := make([]*task.Task, b.N)
	for i := range tasks {
		tasks[i] = task.New("test:nothing", []byte("a payload of thirty-five bytes or so"))
	}
	for _, e := range client.EnqueueMany(b.Context(), tasks) {
		if e.Err != nil {
			b.Fatal(e.Err)
		}
	}
	srv, err := queue.NewServer(model, queue.Config{Concurrency: 100, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	ctx, done := context.WithCancel(b.Context())
	b.ReportAllocs()
	b.ResetTimer()
	err = srv.Run(ctx, task.HandlerFunc(func(context.Context, *task.Task) error {
		if left.Add(-1) == 0 {
			done()
		}
		return nil
	}))
	if err != nil {
		b.Fatal(err)
	}
}
