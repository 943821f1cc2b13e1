package task

import (
	"context"
	"log/slog"
	"slices"
)

type logKey struct{}

// WithLogAttrs returns a context from which [LogHandler] reads attrs, besides those that
// ctx has, as what the handler with that context is about. It keeps attrs, and is for the
// engine.
func WithLogAttrs(ctx context.Context, attrs ...slog.Attr) context.Context {
	if had := logAttrs(ctx); len(had) > 0 {
		attrs = append(slices.Clip(had), attrs...)
	}
	return context.WithValue(ctx, logKey{}, attrs)
}

func logAttrs(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(logKey{}).([]slog.Attr)
	return attrs
}

// LogHandler returns a handler that names the task in what is logged with the context of
// its handler, as by [slog.InfoContext]: its queue, id, type and attempt, and of a step of
// a workflow the run and step, too. They are attributes at the top, whatever group is
// open. One that a record or its logger has there already is left out. Everything else
// passes as it is, to next.
func LogHandler(next slog.Handler) slog.Handler {
	if h, ok := next.(*logHandler); ok {
		return h
	}
	return &logHandler{next: next, top: next}
}

// A logHandler is a handler with what a logger has added to it.
type logHandler struct {
	next slog.Handler                      // with all of it
	top  slog.Handler                      // with what was added before the first group
	keys []string                          // of that
	open []func(slog.Handler) slog.Handler // what was added from the first group on
}

// Enabled implements [slog.Handler].
func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	added := h.with(func(next slog.Handler) slog.Handler { return next.WithAttrs(attrs) })
	if len(h.open) == 0 {
		added.top, added.open = added.next, nil
		added.keys = slices.Clip(h.keys)
		for _, a := range attrs {
			added.keys = appendKeys(added.keys, a)
		}
	}
	return added
}

// WithGroup implements [slog.Handler].
func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(func(next slog.Handler) slog.Handler { return next.WithGroup(name) })
}

// with returns h with what add adds.
func (h *logHandler) with(add func(slog.Handler) slog.Handler) *logHandler {
	return &logHandler{next: add(h.next), top: h.top, keys: h.keys, open: append(slices.Clip(h.open), add)}
}

// Handle implements [slog.Handler].
func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	attrs := h.missing(about(ctx), r)
	switch {
	case len(attrs) == 0:
		return h.next.Handle(ctx, r)
	case len(h.open) == 0:
		r = r.Clone()
		r.AddAttrs(attrs...)
		return h.next.Handle(ctx, r)
	}
	next := h.top.WithAttrs(attrs)
	for _, add := range h.open {
		next = add(next)
	}
	return next.Handle(ctx, r)
}

// missing returns those of attrs that a record does not have at the top.
func (h *logHandler) missing(attrs []slog.Attr, r slog.Record) []slog.Attr {
	if len(attrs) == 0 {
		return nil
	}
	has := slices.Clip(h.keys)
	if len(h.open) == 0 {
		r.Attrs(func(a slog.Attr) bool {
			has = appendKeys(has, a)
			return true
		})
	}
	return slices.DeleteFunc(attrs, func(a slog.Attr) bool { return slices.Contains(has, a.Key) })
}

// appendKeys appends the key that a has where it is, or those of a group without a name,
// whose attributes are there themselves.
func appendKeys(keys []string, a slog.Attr) []string {
	if a.Key != "" {
		return append(keys, a.Key)
	}
	if v := a.Value.Resolve(); v.Kind() == slog.KindGroup {
		for _, inner := range v.Group() {
			keys = appendKeys(keys, inner)
		}
	}
	return keys
}

// about returns what the handler with ctx is about.
func about(ctx context.Context) (attrs []slog.Attr) {
	if a, ok := attempt(ctx); ok {
		attrs = append(attrs, slog.String("queue", a.Queue), slog.String("id", a.ID),
			slog.String("type", a.Type), slog.Int("attempt", a.Retried+1))
	}
	return append(attrs, logAttrs(ctx)...)
}
