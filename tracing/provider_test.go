package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/leatwork/leat/tracing"
)

func TestATracerSaysHowFarItsProviderGoesAlong(t *testing.T) {
	for _, c := range []struct {
		name     string
		provider trace.TracerProvider
		want     string // of what is logged; "": nothing is
	}{
		{"one made with the options", sdktrace.NewTracerProvider(tracing.ProviderOptions(nil)...), ""},
		{"one made without", sdktrace.NewTracerProvider(), "without tracing.ProviderOptions"},
		{"one with another sampler after the options",
			sdktrace.NewTracerProvider(append(tracing.ProviderOptions(nil), sdktrace.WithSampler(sdktrace.AlwaysSample()))...),
			"without tracing.ProviderOptions"},
		{"one that makes no spans", noop.NewTracerProvider(), "makes no spans"},
		{"none, as long as none is set", nil, "makes no spans"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			_, err := tracing.New(tracing.Config{TracerProvider: c.provider, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			if got := log.String(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("New() logs %q, want %q", got, c.want)
			}
		})
	}
}

func TestNewExportsNothing(t *testing.T) {
	s := newSite(t)
	for _, options := range [][]sdktrace.TracerProviderOption{nil, tracing.ProviderOptions(sdktrace.AlwaysSample())} {
		p := s.start("shop", tracing.Config{}, append(options, sdktrace.WithSpanProcessor(unexpected{t}))...)
		if n := len(p.exported.GetSpans()); n != 0 {
			t.Errorf("New() has exported %d spans", n)
		}
	}
}

// unexpected is told of no span.
type unexpected struct{ t *testing.T }

func (u unexpected) OnStart(_ context.Context, s sdktrace.ReadWriteSpan) {
	u.t.Errorf("span %q was started", s.Name())
}
func (u unexpected) OnEnd(sdktrace.ReadOnlySpan)      {}
func (u unexpected) Shutdown(context.Context) error   { return nil }
func (u unexpected) ForceFlush(context.Context) error { return nil }

// TestUsersSpansHaveIdsOfTheirOwn starts spans with the context of an attempt, and with that
// which a span processor gets to see, which has the identity that was chosen.
func TestUsersSpansHaveIdsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		seen := &contexts{}
		p := s.start("shop", tracing.Config{}, append(tracing.ProviderOptions(sdktrace.AlwaysSample()), sdktrace.WithSpanProcessor(seen))...)
		e := newEntry("a")
		p.send(context.Background(), e)
		u := p.lease(e)
		for range 3 {
			u.work(time.Second)
		}
		for _, ctx := range seen.all {
			_, span := p.span(ctx, "late")
			span.End(trace.WithTimestamp(time.Now().Add(time.Millisecond)))
		}
		u.settle(done(), nil)
		ids := map[trace.SpanID]string{}
		for _, span := range p.exported.GetSpans() {
			if other, twice := ids[span.SpanContext.SpanID()]; twice {
				t.Errorf("%q has the id of %q", span.Name, other)
			}
			ids[span.SpanContext.SpanID()] = span.Name
		}
	})
}

// contexts keeps the contexts that spans are started with.
type contexts struct{ all []context.Context }

func (c *contexts) OnStart(ctx context.Context, _ sdktrace.ReadWriteSpan) { c.all = append(c.all, ctx) }
func (c *contexts) OnEnd(sdktrace.ReadOnlySpan)                           {}
func (c *contexts) Shutdown(context.Context) error                        { return nil }
func (c *contexts) ForceFlush(context.Context) error                      { return nil }

func TestTheEnvironmentNamesTheSampler(t *testing.T) {
	for _, c := range []struct {
		name, ratio string
		want        string
	}{
		{"", "", "ParentBased{root:AlwaysOnSampler"},
		{"nonsense", "", "ParentBased{root:AlwaysOnSampler"},
		{"always_on", "", "AlwaysOnSampler"},
		{"always_off", "", "AlwaysOffSampler"},
		{"traceidratio", "0.25", "TraceIDRatioBased{0.25}"},
		{" TraceIDRatio ", "2", "TraceIDRatioBased{1}"},
		{"parentbased_always_on", "", "ParentBased{root:AlwaysOnSampler"},
		{"parentbased_always_off", "", "ParentBased{root:AlwaysOffSampler"},
		{"parentbased_traceidratio", "0.25", "ParentBased{root:TraceIDRatioBased{0.25}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("OTEL_TRACES_SAMPLER", c.name)
			t.Setenv("OTEL_TRACES_SAMPLER_ARG", c.ratio)
			if got := tracing.DefaultSampler().Description(); !strings.HasPrefix(got, c.want) {
				t.Errorf("sampler is %s, want %s", got, c.want)
			}
		})
	}
}
