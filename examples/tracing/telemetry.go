package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/tracing"
)

// startTracing has spans exported as the variables OTEL_… say, and lines of the log name
// the span that they are from. flush is to be called in the end.
func startTracing(ctx context.Context) (_ *tracing.Tracer, flush func() error, _ error) {
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, nil, err
	}
	provider := sdktrace.NewTracerProvider(append(tracing.ProviderOptions(nil), sdktrace.WithBatcher(exporter))...)
	otel.SetTracerProvider(provider) // for your own spans
	slog.SetDefault(slog.New(tracing.LogHandler(slog.NewTextHandler(os.Stderr, nil))))
	tracer, err := tracing.New(tracing.Config{}) // to be set as Client.Tracer and as queue.Config.Tracer
	return tracer, func() error {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second) // whoever collects them may be away
		defer stop()
		return provider.Shutdown(ctx)
	}, err
}
