package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/tracing"
)

func TestLogsTellTheirSpan(t *testing.T) {
	in := func(flags trace.TraceFlags) context.Context {
		return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: flags,
		}))
	}
	const ids = "trace_id=01000000000000000000000000000000 span_id=0200000000000000"
	for _, c := range []struct {
		name string
		ctx  context.Context
		log  func(*slog.Logger) *slog.Logger
		want string
	}{
		{"no span", context.Background(), func(l *slog.Logger) *slog.Logger { return l }, "msg=hi a=1"},
		{"a sampled one", in(trace.FlagsSampled), func(l *slog.Logger) *slog.Logger { return l }, "msg=hi a=1 " + ids},
		{"one that is not", in(0), func(l *slog.Logger) *slog.Logger { return l.With("b", 2) }, "msg=hi b=2 a=1 " + ids},
		{"a group", in(0), func(l *slog.Logger) *slog.Logger { return l.With("b", 2).WithGroup("g").With("c", 3).WithGroup("h") },
			"msg=hi b=2 " + ids + " g.c=3 g.h.a=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			text := slog.NewTextHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
				if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
					return slog.Attr{}
				}
				return a
			}})
			c.log(slog.New(tracing.LogHandler(text))).InfoContext(c.ctx, "hi", "a", 1)
			if got := strings.TrimSpace(b.String()); got != c.want {
				t.Errorf("logged %q, want %q", got, c.want)
			}
		})
	}
}
