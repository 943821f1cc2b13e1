package tracing

import (
	"context"
	"fmt"
	"runtime/debug"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// This file calls the code of others: samplers, processors and exporters of spans, and
// propagators. What panics there costs its span, and nothing else.

// start starts a span. If that panics, it is one that is not made: what hangs below it
// hangs below its parent.
func (t *Tracer) start(ctx context.Context, name string, options ...trace.SpanStartOption) (span trace.Span) {
	defer t.guard(func() {
		span = trace.SpanFromContext(trace.ContextWithSpanContext(ctx, trace.SpanContextFromContext(ctx)))
	})
	_, span = t.tracer.Start(ctx, name, options...)
	return span
}

// end ends a span.
func (t *Tracer) end(span trace.Span, options ...trace.SpanEndOption) {
	defer t.guard(func() {})
	span.End(options...)
}

// read returns ctx with what the headers say.
func (t *Tracer) read(ctx context.Context, headers map[string]string) (with context.Context) {
	defer t.guard(func() { with = ctx })
	return t.propagator.Extract(ctx, propagation.MapCarrier(headers))
}

// write writes what ctx is in into the headers.
func (t *Tracer) write(ctx context.Context, headers map[string]string) {
	defer t.guard(func() {})
	t.propagator.Inject(ctx, propagation.MapCarrier(headers))
}

// guard is deferred. It calls instead if there was a panic, of which the first is logged.
func (t *Tracer) guard(instead func()) {
	v := recover()
	if v == nil {
		return
	}
	t.panics.Do(func() {
		t.logger.Error("tracer provider or propagator panics: spans are lost", "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	})
	instead()
}
