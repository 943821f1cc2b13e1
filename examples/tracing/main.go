// Tracing takes an order through three processes, which export their spans by
// OpenTelemetry: a shop, which starts a run and says that the order is paid, a worker of
// orders, and one of the inventory. Whatever they do is one trace.
//
// In another terminal, or anywhere:
//
//	docker run --rm -p 16686:16686 -p 4317:4317 jaegertracing/all-in-one:1.76.0
//
// and then
//
//	OTEL_EXPORTER_OTLP_PROTOCOL=grpc go run ./examples/tracing               # in a file that is deleted in the end
//	OTEL_EXPORTER_OTLP_PROTOCOL=grpc go run ./examples/tracing -broker redis://localhost:6379/0
//
// The variables OTEL_… say where the spans go, as everywhere.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
	"github.com/leatwork/leat/workflow"
)

func main() {
	url := flag.String("broker", "", "where tasks are kept, by default in a file that is deleted in the end: "+brokerurl.Forms)
	role := flag.String("role", "", "what this process is: shop, orders or inventory; by default it starts all three")
	flag.Parse()
	ctx, stop := queue.SignalContext()
	defer stop()
	err := run(ctx, *role, *url)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tracing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, role, url string) error {
	if role == "" {
		return startAll(ctx, url)
	}
	b, err := brokerurl.Open(url)
	if err != nil {
		return err
	}
	defer b.Close()
	tracer, flush, err := startTracing(ctx)
	if err != nil {
		return err
	}
	switch role {
	case "shop":
		err = sell(ctx, b, tracer)
	case "orders", "inventory":
		err = serve(ctx, b, tracer, role)
	default:
		err = fmt.Errorf("there is no role %q", role)
	}
	return errors.Join(err, flush()) // at last, so that no span ends after it
}

// serve carries out the steps that are in one queue, until ctx ends.
func serve(ctx context.Context, b broker.Broker, tracer *tracing.Tracer, name string) error {
	mux := task.NewMux()
	workflow.Register(mux, OrderFlow)
	srv, err := queue.NewServer(b, queue.Config{
		Queues:         map[string]int{name: 1},
		Concurrency:    4,
		RetryDelayFunc: retryAtOnce,
		Tracer:         tracer,
	})
	if err != nil {
		return err
	}
	slog.InfoContext(ctx, "serving", "queue", name)
	return srv.Run(ctx, mux)
}
