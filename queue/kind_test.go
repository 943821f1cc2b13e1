package queue_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A client is what a kind enqueues and waits with.
var _ interface {
	task.Enqueuer
	task.Waiter
} = (*queue.Client)(nil)

var double = task.Define[int, int]("double", task.MaxRetry(3))

func doubled(_ context.Context, n int) (int, error) { return 2 * n, nil }

func TestAKindIsEnqueuedRunAndWaitedFor(t *testing.T) {
	inBubble(t, func(x *bench) {
		mux := task.NewMux()
		double.Handle(mux, doubled)
		x.serveAny(mux)
		info, err := double.Enqueue(x.Context(), x.client, 21, task.Retention(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(x.Context(), time.Minute)
		defer cancel()
		if got, err := double.Wait(ctx, x.client, info); err != nil || got != 42 {
			t.Errorf("Wait() = %d, %v; want 42", got, err)
		}
	})
}

func TestAnUndecodablePayloadGoesToTheArchiveAtOnce(t *testing.T) {
	inBubble(t, func(x *bench) {
		mux := task.NewMux()
		double.Handle(mux, doubled)
		x.serveAny(mux)
		if _, err := x.client.Enqueue(x.Context(), task.New("double", []byte(`{"n":21}`)), task.ID("a")); err != nil {
			t.Fatal(err)
		}
		x.pass(time.Second)
		got := x.get("a")
		if got.State != task.Archived || got.Retried != 0 || !strings.Contains(got.LastErr, "want int, found JSON object with keys n") {
			t.Errorf("it is %s after %d retries, because of %q; want archived after none, and both shapes", got.State, got.Retried, got.LastErr)
		}
	})
}
