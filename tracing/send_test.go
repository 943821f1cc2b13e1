package tracing_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// TestSendGoesOnFromHeaders has tasks that bring the context of different callers be
// enqueued in one call that has none.
func TestSendGoesOnFromHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		shop := s.process("shop", sdktrace.AlwaysSample(), tracing.Config{})
		var entries []*entry
		for _, id := range []string{"a", "b"} {
			ctx, span := shop.span(context.Background(), "GET /"+id)
			e := newEntry(id)
			e.Headers = traceparent(ctx)
			e.Headers["baggage"] = "from=" + id
			entries = append(entries, e)
			defer func() {
				if u := shop.lease(e); baggage.FromContext(u.ctx).Member("from").Value() != id {
					t.Errorf("handler of %s has the baggage %v", id, baggage.FromContext(u.ctx))
				} else {
					u.settle(done(), nil)
				}
				if span.End(); id == "a" { // the last one
					s.expect("tasks bring their callers")
				}
			}()
		}
		shop.send(context.Background(), entries...)
	})
}

// TestNobodyKnowsWhetherATaskIsStored has a task be enqueued, of which the storage does not
// tell.
func TestNobodyKnowsWhetherATaskIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runInYard(t, brokertest.NewModel(), func(y *yard) {
			client := queue.NewClient(brokertest.Faulty(y.b, func(n int, _ string) (f brokertest.Fault) {
				if n == 0 {
					f.After = errors.New("gone")
				}
				return f
			}))
			client.Tracer = y.shop
			if _, err := client.Enqueue(y.ctx, task.New("works", nil)); !errors.Is(err, queue.ErrUnknown) {
				t.Fatalf("Enqueue() = %v, want an error that matches ErrUnknown", err)
			}
			y.machine("one", handlers())
			pass(time.Minute)
		}).expect("server nobody knows whether a task is stored")
	})
}
