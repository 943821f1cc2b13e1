package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// ProviderOptions returns what a tracer provider is to be made with, so that a span which
// begins in one process can be exported by another: a generator of ids and a sampler,
// which heed what a [Tracer] has chosen for its own spans. All other spans get random
// ids, and are sampled as next says; it should let a span follow its parent
// ([sdktrace.ParentBased]). nil: what OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG
// say, or else all, as with the SDK's own default.
func ProviderOptions(next sdktrace.Sampler) []sdktrace.TracerProviderOption {
	if next == nil {
		next = environmentSampler()
	}
	return []sdktrace.TracerProviderOption{
		sdktrace.WithIDGenerator(generator{}),
		sdktrace.WithSampler(sampler{next}),
	}
}

// A choice is the identity that the next span has which is started with a context. It is
// used up by that: no span of the user's gets it.
type choice struct {
	trace.SpanContext      // with the decision whether it is sampled
	asking            bool // it is to be decided, and no span to be made

	named   atomic.Bool
	decided atomic.Bool
	answer  sdktrace.SamplingResult
}

type choiceKey struct{}

func choiceIn(ctx context.Context) *choice {
	c, _ := ctx.Value(choiceKey{}).(*choice)
	return c
}

// generator hands out what was chosen, or else random ids.
type generator struct{}

// NewIDs implements [sdktrace.IDGenerator].
func (generator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if c := choiceIn(ctx); c != nil && c.named.CompareAndSwap(false, true) {
		return c.TraceID(), c.SpanID()
	}
	return randomTrace(), randomSpan()
}

// NewSpanID implements [sdktrace.IDGenerator].
func (generator) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if c := choiceIn(ctx); c != nil && c.named.CompareAndSwap(false, true) {
		return c.SpanID()
	}
	return randomSpan()
}

func randomTrace() (id trace.TraceID) {
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id
}

func randomSpan() (id trace.SpanID) {
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}

// sampler lets a decision win that was taken before, and asks next about all else.
type sampler struct{ next sdktrace.Sampler }

// ShouldSample implements [sdktrace.Sampler].
func (s sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	c := choiceIn(p.ParentContext)
	switch {
	case c == nil, !c.decided.CompareAndSwap(false, true):
		return s.next.ShouldSample(p)
	case c.asking:
		c.answer = s.next.ShouldSample(p)
		return sdktrace.SamplingResult{Decision: sdktrace.Drop}
	case c.IsSampled():
		return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample, Tracestate: c.TraceState()}
	default:
		return sdktrace.SamplingResult{Decision: sdktrace.Drop, Tracestate: c.TraceState()}
	}
}

// Description implements [sdktrace.Sampler].
func (s sampler) Description() string { return "Leat{" + s.next.Description() + "}" }

// environmentSampler returns the sampler that the variables of OpenTelemetry name. One
// that is not known, or a ratio that is none, is as if it were not set: the SDK
// has reported that.
func environmentSampler() sdktrace.Sampler {
	ratio, err := strconv.ParseFloat(strings.TrimSpace(os.Getenv("OTEL_TRACES_SAMPLER_ARG")), 64)
	if err != nil || ratio < 0 || ratio > 1 {
		ratio = 1
	}
	switch strings.ToLower(strings.TrimSpace(os.Getenv("OTEL_TRACES_SAMPLER"))) {
	case "always_on":
		return sdktrace.AlwaysSample()
	case "always_off":
		return sdktrace.NeverSample()
	case "traceidratio":
		return sdktrace.TraceIDRatioBased(ratio)
	case "parentbased_always_off":
		return sdktrace.ParentBased(sdktrace.NeverSample())
	case "parentbased_traceidratio":
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio))
	default:
		return sdktrace.ParentBased(sdktrace.AlwaysSample())
	}
}

// An obedience is how far a tracer provider goes along with choices.
type obedience int

const (
	silent   obedience = iota // it makes no spans at all
	stubborn                  // it chooses for itself
	obedient                  // it was made with ProviderOptions
)

// probe finds out how far the provider behind t goes along. The span hangs below one that
// is not sampled, and is never ended: nothing is exported, and nothing is recorded.
func probe(ctx context.Context, t trace.Tracer) obedience {
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: randomTrace(), SpanID: randomSpan(), Remote: true})
	c := &choice{SpanContext: parent.WithSpanID(randomSpan())}
	ctx = context.WithValue(trace.ContextWithSpanContext(ctx, parent), choiceKey{}, c)
	_, span := t.Start(ctx, "probe")
	switch span.SpanContext().SpanID() {
	case c.SpanID():
		if c.decided.Load() {
			return obedient
		}
		return stubborn
	case parent.SpanID():
		return silent
	default:
		return stubborn
	}
}
