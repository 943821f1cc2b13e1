package tracing_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/tracing"
)

// What is told of a task from its enqueueing to its end, and what that costs: send, task,
// wait and process, exported to nobody.
func BenchmarkATask(b *testing.B) {
	for _, c := range []struct {
		name    string
		sampler sdktrace.Sampler
		detail  tracing.Detail
	}{
		{"sampled", sdktrace.AlwaysSample(), tracing.Standard},
		{"sampled, without waits", sdktrace.AlwaysSample(), tracing.Minimal},
		{"not sampled", sdktrace.NeverSample(), tracing.Standard},
	} {
		b.Run(c.name, func(b *testing.B) {
			provider := sdktrace.NewTracerProvider(append(tracing.ProviderOptions(sdktrace.ParentBased(c.sampler)), sdktrace.WithBatcher(nobody{}))...)
			defer provider.Shutdown(context.Background()) //nolint:errcheck // it exports to nobody
			t, err := tracing.New(tracing.Config{TracerProvider: provider, Detail: c.detail})
			if err != nil {
				b.Fatal(err)
			}
			ctx, caller := provider.Tracer("").Start(b.Context(), "caller")
			defer caller.End()
			outcomes, n := []error{nil}, 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				e := broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: fmt.Sprint(n)}, Type: "mail"}
				if sent := t.Send(ctx, []*broker.Entry{&e}); sent != nil {
					sent(outcomes)
				}
				_, attempt := t.Begin(b.Context(), broker.Lease{Entry: e, Token: "token", Ready: time.Now()})
				if attempt == nil {
					continue
				}
				s := broker.Settlement{To: broker.Done}
				attempt.Settle(&s, nil)
				attempt.Settled(nil)
			}
		})
	}
}

// nobody exports nothing.
type nobody struct{}

func (nobody) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nobody) Shutdown(context.Context) error                             { return nil }
