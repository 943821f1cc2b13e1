package tracing_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// lifeOf has a task enqueued, run and settled, as far as a tracer hears of it.
func lifeOf(ctx context.Context, tr queue.Tracer) {
	if tr == nil {
		return
	}
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: "0d6c4d3c-6a8a-4a57-9a20-7a1c1c0e1f11"}, Type: "mail", MaxRetry: 25}
	if sent := tr.Send(ctx, []*broker.Entry{&e}); sent != nil {
		sent([]error{nil})
	}
	_, a := tr.Begin(context.Background(), broker.Lease{Entry: e, Token: "7c1e9d9a0b8d4c6f"})
	if a == nil {
		return
	}
	s := broker.Settlement{Entry: e, To: broker.Done}
	a.Settle(&s, nil)
	a.Settled(nil)
}

// discard exports nothing.
type discard struct{}

func (discard) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (discard) Shutdown(context.Context) error                             { return nil }

// kept returns a tracer of which so many traces are kept.
func kept(tb testing.TB, ratio float64) *tracing.Tracer {
	tb.Helper()
	p := sdktrace.NewTracerProvider(append(tracing.ProviderOptions(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))),
		sdktrace.WithBatcher(discard{}))...)
	tb.Cleanup(func() {
		if err := p.Shutdown(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	t, err := tracing.New(tracing.Config{TracerProvider: p})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// BenchmarkTask measures what a tracer costs for each task, besides what the storage has
// more to keep.
func BenchmarkTask(b *testing.B) {
	for _, c := range []struct {
		name   string
		tracer queue.Tracer
	}{
		{"off", nil},
		{"sampled=0%", kept(b, 0)},
		{"sampled=1%", kept(b, 0.01)},
		{"sampled=100%", kept(b, 1)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				lifeOf(context.Background(), c.tracer)
			}
		})
	}
	b.Run("sampled=0%/by the caller", func(b *testing.B) {
		tr := kept(b, 0)
		p := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
		ctx, span := p.Tracer("user").Start(context.Background(), "GET /order")
		defer span.End()
		b.ReportAllocs()
		for b.Loop() {
			lifeOf(ctx, tr)
		}
	})
}

// TestWhatIsNotSampledCostsLittle has ceilings for allocations, which do not depend on the
// machine.
func TestWhatIsNotSampledCostsLittle(t *testing.T) {
	for _, c := range []struct {
		name   string
		tracer queue.Tracer
		most   float64
	}{
		{"off", nil, 0},
		{"not sampled", kept(t, 0), 25},
		{"sampled", kept(t, 1), 110},
	} {
		t.Run(c.name, func(t *testing.T) {
			lifeOf(context.Background(), c.tracer) // fills the caches
			if n := testing.AllocsPerRun(100, func() { lifeOf(context.Background(), c.tracer) }); n > c.most {
				t.Errorf("a task costs %v allocations, want at most %v", n, c.most)
			}
		})
	}
}

// BenchmarkServer measures what tracing costs a server that runs tasks which do nothing,
// from their being enqueued on: with the storage, which keeps the headers.
func BenchmarkServer(b *testing.B) {
	for _, c := range []struct {
		name   string
		tracer queue.Tracer
	}{{"off", nil}, {"sampled=0%", kept(b, 0)}, {"sampled=1%", kept(b, 0.01)}, {"sampled=100%", kept(b, 1)}} {
		b.Run(c.name, func(b *testing.B) { benchServer(b, c.tracer) })
	}
}

func benchServer(b *testing.B, tr queue.Tracer) {
	store := brokertest.NewModel()
	client := queue.NewClient(store)
	client.Tracer = tr
	srv, err := queue.NewServer(store, queue.Config{Concurrency: 8, Tracer: tr, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan struct{})
	err = srv.Start(task.HandlerFunc(func(context.Context, *task.Task) error {
		if left.Add(-1) == 0 {
			close(done)
		}
		return nil
	}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := b.N; n > 0; n -= 100 {
		some := make([]*task.Task, min(n, 100))
		for i := range some {
			some[i] = task.New("mail", nil)
		}
		client.EnqueueMany(context.Background(), some)
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		b.Fatal("tasks are not done")
	}
	b.StopTimer()
	if err := srv.Shutdown(context.Background()); err != nil {
		b.Fatal(err)
	}
}
