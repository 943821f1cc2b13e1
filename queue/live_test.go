package queue_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Well below what passes between two extensions of a lease, and between two looks
// of one who waits: a signal must have come.
const promptly = 900 * time.Millisecond

// A cancelled handler, and one who waits for its task, hear of it by a signal,
// between processes. The figure that is logged is in real time.
func TestACancelReachesTheHandlerAndWhoWaitsByASignal(t *testing.T) {
	for name, storage := range killStorages {
		t.Run("on "+name, func(t *testing.T) {
			t.Parallel()
			url := storage(t)
			ours, theirs := openBroker(t, url), openBroker(t, url)
			srv, err := queue.NewServer(theirs, queue.Config{Concurrency: 1, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			running, told := make(chan struct{}), make(chan time.Time, 1)
			if err := srv.Start(task.HandlerFunc(func(ctx context.Context, _ *task.Task) error {
				close(running)
				<-ctx.Done()
				told <- time.Now()
				return context.Cause(ctx)
			})); err != nil {
				t.Fatal(err)
			}
			defer srv.Shutdown(context.Background()) //nolint:errcheck // it has nothing to wait for
			client := queue.NewClient(ours)
			info, err := client.Enqueue(t.Context(), task.New("test:a", nil))
			if err != nil {
				t.Fatal(err)
			}
			seen := make(chan time.Time, 1)
			go func() {
				if _, err := client.Wait(t.Context(), info); err == nil {
					t.Error("Wait() = nil, want that the task is archived")
				}
				seen <- time.Now()
			}()
			<-running
			time.Sleep(1500 * time.Millisecond) // all have begun to listen
			begin := time.Now()
			c := broker.Change{Move: []broker.Move{{EntryRef: broker.EntryRef{Queue: info.Queue, ID: info.ID}, Do: broker.Cancel}}}
			if applied, err := ours.Apply(t.Context(), begin, []broker.Change{c}, broker.LeaseRequest{}); err != nil || applied.Outcomes[0] != nil {
				t.Fatal(applied.Outcomes, err)
			}
			handler, waiter := (<-told).Sub(begin), (<-seen).Sub(begin)
			if handler > promptly || waiter > promptly {
				t.Errorf("the handler knows after %v, who waits after %v, want %v at most", handler, waiter, promptly)
			}
			t.Logf("the handler knows after %v, who waits after %v", handler, waiter)
		})
	}
}
