package tracing_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// This is what a program does that is traced. The sampler, the name of the service and much
// else are said by the variables of OpenTelemetry: OTEL_TRACES_SAMPLER, OTEL_SERVICE_NAME.
func Example() {
	exporter, err := stdouttrace.New(stdouttrace.WithWriter(io.Discard)) // or one of OTLP
	if err != nil {
		fmt.Println(err)
		return
	}
	provider := sdktrace.NewTracerProvider(append(tracing.ProviderOptions(nil), sdktrace.WithBatcher(exporter))...)
	otel.SetTracerProvider(provider)
	defer provider.Shutdown(context.Background()) //nolint:errcheck // nothing is left to do then
	tracer, err := tracing.New(tracing.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}

	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	client := queue.NewClient(b)
	client.Tracer = tracer
	server, err := queue.NewServer(b, queue.Config{Concurrency: 1, Client: client, Tracer: tracer})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := client.Enqueue(ctx, task.New("mail:welcome", []byte("ann"))); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(server.Run(ctx, task.HandlerFunc(func(ctx context.Context, _ *task.Task) error {
		defer stop()
		_, span := otel.Tracer("mailer").Start(ctx, "connect") // hangs below the attempt
		defer span.End()
		fmt.Println("is traced:", span.SpanContext().IsSampled())
		return nil
	})))
	// Output:
	// is traced: true
	// <nil>
}

func ExampleNewMetrics() {
	b, err := sqlitebroker.Open(":memory:", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	provider := metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())) // or a periodic one
	m, err := tracing.NewMetrics(tracing.MetricsConfig{MeterProvider: provider, Broker: b})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	client := queue.NewClient(b)
	client.Observer = m.Observe
	_, err = queue.NewServer(b, queue.Config{Client: client, Observer: queue.Observers(m.Observe /* and others */)})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleLogHandler() {
	text := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "trace_id" || a.Key == "span_id" || a.Key == "msg" {
			return a
		}
		return slog.Attr{}
	}})
	log := slog.New(tracing.LogHandler(text))
	log.InfoContext(traced, "mail is sent")
	// Output: msg="mail is sent" trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7
}

// traced is the context of a handler.
var traced = propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{
	"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
})
