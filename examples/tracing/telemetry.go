package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/tracing"
)

// startTracing has spans exported as the environment says, and lines of the log name them.
// What it returns last is called in the end, and waits for the exporter no longer than it
// must.
func startTracing(ctx context.Context) (_ *tracing.Tracer, flush func() error, _ error) {
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, nil, err
	}
	provider := sdk.NewTracerProvider(append(tracing.ProviderOptions(nil), sdk.WithBatcher(exporter))...)
	otel.SetTracerProvider(provider) // for your own spans
	slog.SetDefault(slog.New(tracing.LogHandler(slog.NewTextHandler(os.Stderr, nil))))
	tracer, err := tracing.New(tracing.Config{TracerProvider: provider})
	return tracer, func() error {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer stop()
		return provider.Shutdown(ctx)
	}, err
}
