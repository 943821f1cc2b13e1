package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// A panicking is a propagator, a sampler and a span processor that panic in one method.
type panicking struct {
	propagation.TextMapPropagator
	in string
}

func (p panicking) panics(in string) {
	if in == p.in {
		panic("in " + in)
	}
}

func (p panicking) Extract(ctx context.Context, c propagation.TextMapCarrier) context.Context {
	p.panics("Extract")
	return p.TextMapPropagator.Extract(ctx, c)
}

func (p panicking) Inject(ctx context.Context, c propagation.TextMapCarrier) {
	p.panics("Inject")
	p.TextMapPropagator.Inject(ctx, c)
}

func (p panicking) ShouldSample(s sdktrace.SamplingParameters) sdktrace.SamplingResult {
	p.panics("ShouldSample")
	return sdktrace.AlwaysSample().ShouldSample(s)
}

func (p panicking) Description() string                             { return p.in }
func (p panicking) OnStart(context.Context, sdktrace.ReadWriteSpan) { p.panics("OnStart") }
func (p panicking) OnEnd(sdktrace.ReadOnlySpan)                     { p.panics("OnEnd") }
func (p panicking) Shutdown(context.Context) error                  { return nil }
func (p panicking) ForceFlush(context.Context) error                { return nil }

// TestPanicsOfOthersAreLogged has whatever a user may hand to a tracer panic. The tasks are
// run all the same.
func TestPanicsOfOthersAreLogged(t *testing.T) {
	for _, in := range []string{"Extract", "Inject", "ShouldSample", "OnStart", "OnEnd"} {
		t.Run(in, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, log := panicking{propagation.TraceContext{}, in}, &bytes.Buffer{}
				tracer := newSite(t).start("shop", tracing.Config{Propagator: p, Logger: slog.New(slog.NewTextHandler(log, nil))},
					append(tracing.ProviderOptions(p), sdktrace.WithSpanProcessor(p))...)
				ran := 0
				mux := task.NewMux()
				mux.HandleFunc("works", func(ctx context.Context, _ *task.Task) error {
					ran++
					return queue.Then(ctx, task.New("works", nil, task.ProcessIn(time.Hour)))
				})
				b := brokertest.NewModel()
				client := queue.NewClient(b)
				client.Tracer = tracer
				server, err := queue.NewServer(b, queue.Config{Client: client, Tracer: tracer, Logger: quiet})
				if err == nil {
					err = server.Start(mux)
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, err := client.Enqueue(t.Context(), task.New("works", nil)); err != nil {
					t.Error(err)
				}
				pass(150 * time.Minute)
				if err := server.Shutdown(t.Context()); err != nil || ran != 3 {
					t.Errorf("Shutdown() = %v after %d tasks, want nil after 3", err, ran)
				}
				if n := strings.Count(log.String(), "in "+in); n == 0 || strings.Count(log.String(), "\n") != 1 {
					t.Errorf("log is %q, want one line that names the panic", log)
				}
			})
		})
	}
}
