package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// errDeclined is one of a handler's.
var errDeclined = fmt.Errorf("charge: %w", errors.New("declined"))

// TestLives lets one task live in many ways, from a request in one process, by two workers.
func TestLives(t *testing.T) {
	for _, c := range []struct {
		name string
		live func(ctx context.Context, shop, one, two *process)
	}{
		{"it is done at once", func(ctx context.Context, shop, one, _ *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			time.Sleep(3 * time.Millisecond)
			one.lease(e).work(time.Second).settle(done(), nil)
		}},
		{"it fails, panics, is put off, and is done by another", func(ctx context.Context, shop, one, two *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			one.lease(e).work(time.Second).settle(retry(time.Minute), errDeclined)
			two.lease(e).work(time.Second).settle(retry(time.Minute), &task.PanicError{Value: "oh"})
			snoozed := task.Snooze(time.Minute)
			one.lease(e).settle(broker.Settlement{To: broker.Retry, At: time.Now().Add(time.Minute)}, snoozed)
			off := two.lease(e)
			off.attempt.PutOff("paused")
			off.settle(broker.Settlement{To: broker.Retry, At: time.Now().Add(time.Minute)}, snoozed)
			two.lease(e).settle(done(), task.Revoke)
		}},
		{"its worker goes down, another dies", func(ctx context.Context, shop, one, two *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			one.lease(e).work(time.Second).settle(released(), context.Canceled)
			two.lease(e).work(time.Second).die()
			one.lease(e).work(time.Second).die()
			two.lease(e).settle(done(), nil)
		}},
		{"a lost lease is settled too late", func(ctx context.Context, shop, one, two *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			late := one.lease(e).work(time.Second)
			late.die()
			then := two.lease(e)
			s := done()
			late.propose(&s, nil)
			late.attempt.Settled(broker.LeaseLost(e.EntryRef))
			then.settle(done(), nil)
		}},
		{"it is refused once, and settled otherwise", func(ctx context.Context, shop, one, _ *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			u := one.lease(e)
			s := done()
			u.propose(&s, nil)
			u.settle(retry(time.Minute), errDeclined)
			one.lease(e).settle(done(), nil)
		}},
		{"it is cancelled", func(ctx context.Context, shop, one, _ *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			one.lease(e).work(time.Second).settle(broker.Settlement{To: broker.Archived, End: broker.Cancelled}, queue.ErrCancelled)
		}},
		{"it times out for good", func(ctx context.Context, shop, one, _ *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			one.lease(e).work(time.Second).settle(archived(), queue.ErrTimeout)
		}},
		{"it is archived, and run again by hand until it is completed, and again", func(ctx context.Context, shop, one, two *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			one.lease(e).work(time.Second).settle(retry(time.Minute), errDeclined)
			one.lease(e).settle(archived(), errDeclined)
			e.ready = time.Now().Add(time.Hour)
			two.lease(e).work(time.Second).settle(retry(time.Minute), errDeclined)
			one.lease(e).settle(broker.Settlement{To: broker.Completed}, nil)
			e.ready = time.Now().Add(time.Hour)
			one.lease(e).settle(done(), nil)
		}},
		{"it is deleted by hand while it waits", func(ctx context.Context, shop, one, _ *process) {
			e := newEntry("a")
			shop.send(ctx, e)
			one.lease(e).settle(retry(time.Hour), errDeclined)
			time.Sleep(time.Minute)
			shop.Moved(context.Background(), broker.Stored{Entry: e.Entry, State: task.Retry}, broker.Delete)
		}},
		{"it is due after an hour", func(ctx context.Context, shop, one, _ *process) {
			e, soon := newEntry("a"), newEntry("b")
			e.DueAt, soon.DueAt = time.Now().Add(time.Hour), time.Now().Add(time.Second)
			shop.send(ctx, e, soon)
			one.lease(soon).settle(done(), nil)
			one.lease(e).work(time.Second).settle(retry(time.Minute), errDeclined)
			one.lease(e).settle(archived(), errDeclined)
			one.lease(e).settle(done(), nil)
		}},
		{"it enqueues others", func(ctx context.Context, shop, one, two *process) {
			e, x, y, z := newEntry("a"), newEntry("x"), newEntry("y"), newEntry("z")
			z.Queue = "low"
			shop.send(ctx, e)
			u := one.lease(e)
			one.send(u.ctx, x, y, z)
			u.settle(done(), nil)
			two.lease(x).settle(done(), nil)
			two.lease(y).settle(done(), nil)
			two.lease(z).settle(done(), nil)
		}},
		{"nobody has a span around it", func(_ context.Context, shop, one, _ *process) {
			e := newEntry("a")
			shop.send(context.Background(), e)
			one.lease(e).settle(done(), nil)
		}},
		{"nobody has traced it", func(_ context.Context, _, one, two *process) {
			e := newEntry("a")
			e.ready = time.Now().Add(time.Second)
			one.lease(e).settle(retry(time.Minute), errDeclined)
			two.lease(e).settle(archived(), errDeclined)
			e.ready = time.Now().Add(time.Hour)
			two.lease(e).settle(done(), nil)
		}},
		{"nobody has traced it, and its first worker dies", func(_ context.Context, _, one, two *process) {
			e := newEntry("a")
			e.ready = time.Now().Add(time.Second)
			one.lease(e).work(time.Second).die()
			two.lease(e).settle(done(), nil)
		}},
		{"nobody has traced it, and two workers die", func(_ context.Context, _, one, two *process) {
			e := newEntry("a")
			one.lease(e).work(time.Second).die()
			two.lease(e).work(time.Second).die()
			one.lease(e).work(time.Second).settle(released(), nil)
			one.lease(e).work(time.Second).die()
			two.lease(e).settle(done(), nil)
		}},
		{"it has no room for headers", func(ctx context.Context, shop, one, two *process) {
			e := newEntry("a")
			e.Headers = manyHeaders(broker.MaxHeaders)
			shop.send(ctx, e)
			one.lease(e).work(time.Second).settle(retry(time.Minute), errDeclined)
			two.lease(e).work(time.Second).settle(archived(), errDeclined)
			two.lease(e).settle(done(), nil)
		}},
		{"another program has traced it", func(ctx context.Context, shop, one, two *process) {
			e := newEntry("a")
			e.Headers = traceparent(ctx)
			e.ready = time.Now().Add(time.Second)
			one.lease(e).work(time.Second).settle(retry(time.Minute), errDeclined)
			two.lease(e).work(time.Second).die()
			two.lease(e).settle(done(), nil)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				shop := s.process("shop", sdktrace.AlwaysSample(), tracing.Config{})
				one := s.process("one", sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
				two := s.process("two", sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
				ctx, request := shop.span(context.Background(), "GET /order")
				c.live(ctx, shop, one, two)
				time.Sleep(time.Millisecond)
				request.End()
				s.expect(c.name)
			})
		})
	}
}

func manyHeaders(n int) map[string]string {
	headers := make(map[string]string, n)
	for i := range n {
		headers[fmt.Sprint("h", i)] = "x"
	}
	return headers
}
