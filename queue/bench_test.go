package queue_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// BenchmarkDrain runs tasks that do nothing with 100 slots. One iteration is one
// task, from the lease to the recorded outcome. On the model, which is in maps,
// the figure is mostly the server's own.
func BenchmarkDrain(b *testing.B) {
	b.Run("on the model", func(b *testing.B) { drainAll(b, brokertest.NewModel()) })
	b.Run("on sqlite in memory", func(b *testing.B) {
		s, err := sqlitebroker.Open(":memory:", nil)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		drainAll(b, s)
	})
}

func drainAll(b *testing.B, on broker.Broker) {
	tasks := make([]*task.Task, b.N)
	for i := range tasks {
		tasks[i] = task.New("test:nothing", []byte("a payload of thirty-five bytes or so"))
	}
	for _, e := range queue.NewClient(on).EnqueueMany(b.Context(), tasks) {
		if e.Err != nil {
			b.Fatal(e.Err)
		}
	}
	srv, err := queue.NewServer(on, queue.Config{Concurrency: 100, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	ctx, done := context.WithCancel(b.Context())
	defer done()
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
