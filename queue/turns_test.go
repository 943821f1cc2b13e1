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
	const tasks = 20
	var took time.Duration // by all of them
	for range tasks {
		synctest.Test(t, func(t *testing.T) {
			b := brokertest.NewModel()
			done := make(chan struct{}, 1)
			with, without := task.NewMux(), task.NewMux()
			with.HandleFunc("rare", func(context.Context, *task.Task) error { done <- struct{}{}; return nil })
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
			select {
			case <-done:
			case <-time.After(3 * time.Hour):
				t.Error("it did not come to the server with its handler")
			}
			took += time.Since(began)
		})
	}
	// About one try in eight goes to the other server, by chance: of one task, that says little.
	if took > tasks*10*time.Minute {
		t.Errorf("%d tasks took %v, want a few tries each", tasks, took)
	}
}
