package queue_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

func TestATaskComesToTheServerThatHasItsHandler(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			b := brokertest.NewModel()
			done := make(chan time.Time, 1)
			with, without := task.NewMux(), task.NewMux()
			with.HandleFunc("rare", func(context.Context, *task.Task) error { done <- time.Now(); return nil })
			without.HandleFunc("other", func(context.Context, *task.Task) error { return nil })
			for _, h := range []task.Handler{without, with} {
				s, err := queue.NewServer(b, queue.Config{Concurrency: 1, Logger: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Start(h); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
				time.Sleep(time.Second)
			}
			began := time.Now()
			if _, err := queue.NewClient(b).Enqueue(t.Context(), task.New("rare", nil)); err != nil {
				t.Fatal(err)
			}
			if took := (<-done).Sub(began); took > 20*time.Minute {
				t.Errorf("it took %v, want a few tries", took)
			}
		})
	}
}
