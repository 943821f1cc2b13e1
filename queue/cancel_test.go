package queue

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// This is what asynq's tools come to: a context ends, and the storage knows nothing.
func TestACancelledTaskHasFailed(t *testing.T) {
	for name, test := range map[string]struct {
		handle func(context.Context) error
		want   string
	}{
		"with what its handler returns":      {func(ctx context.Context) error { <-ctx.Done(); return errors.New("half done") }, "half done"},
		"with the cause if it never returns": {func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Minute); return nil }, "task cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := brokertest.NewModel()
				tk := task.New("test:a", nil, task.ID("a"), task.MaxRetry(0))
				if _, err := NewClient(b).Enqueue(t.Context(), tk); err != nil {
					t.Fatal(err)
				}
				s := serveOne(t, b, func(ctx context.Context, _ *task.Task) error { return test.handle(ctx) })
				for _, a := range s.roster.list() {
					a.cancel(ErrCancelled)
				}
				time.Sleep(stopGrace)
				synctest.Wait()
				e, err := b.Entry(t.Context(), broker.EntryRef{Queue: "default", ID: "a"})
				if err != nil || e.State != task.Archived || e.LastErr != test.want {
					t.Errorf("stored as %s with %q, %v, want archived with %q, nil", e.State, e.LastErr, err, test.want)
				}
				time.Sleep(time.Minute) // the handler ends before the bubble does
			})
		})
	}
}

// serveOne returns a server that has begun to run what is in b.
func serveOne(t *testing.T, b broker.Broker, h task.HandlerFunc) *Server {
	s, err := NewServer(b, Config{Concurrency: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
	})
	synctest.Wait()
	return s
}
