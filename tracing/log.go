package tracing

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// LogHandler returns a handler that adds the attributes trace_id and span_id to what is
// logged with the context of a span, sampled or not, and has next do the rest. They are
// on top: no group of the logger holds them.
func LogHandler(next slog.Handler) slog.Handler { return &logHandler{next: next, top: next} }

// A logHandler keeps what was added to the logger since its first group began, so that it
// can be added anew behind the attributes on top.
type logHandler struct {
	next  slog.Handler // with all that was added
	top   slog.Handler // with what was added before the first group
	added []func(slog.Handler) slog.Handler
}

// Enabled implements [slog.Handler].
func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.IsValid() {
		return h.next.Handle(ctx, r)
	}
	ids := []slog.Attr{slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String())}
	if len(h.added) == 0 {
		r = r.Clone()
		r.AddAttrs(ids...)
		return h.next.Handle(ctx, r)
	}
	next := h.top.WithAttrs(ids)
	for _, add := range h.added {
		next = add(next)
	}
	return next.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	add := func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) }
	if len(h.added) == 0 {
		return LogHandler(add(h.next))
	}
	return h.with(add)
}

// WithGroup implements [slog.Handler].
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
}

func (h *logHandler) with(add func(slog.Handler) slog.Handler) slog.Handler {
	added := append(h.added[:len(h.added):len(h.added)], add)
	return &logHandler{next: add(h.next), top: h.top, added: added}
}
