package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// maxLinks is how many links a span has at most. The SDK would forget the oldest of more
// than 128.
const maxLinks = 100

// shortest is how long a span takes at least: a reader takes shorter ones for an error of
// some clock.
const shortest = time.Microsecond

// A record is a span that is over, or as good as over: it is exported with times that
// have passed.
type record struct {
	parent     trace.SpanContext // not valid: it is a root
	self       trace.SpanContext // its ids, and whether it is sampled
	name       string
	kind       trace.SpanKind
	start, end time.Time
	ready      time.Time // when what it waited for had come; zero: that is not known
	attributes []attribute.KeyValue
	links      []trace.SpanContext
	fault      fault
}

// A fault is why a span has failed. The zero fault is none.
type fault struct {
	kind string // error.type
	err  error  // whose text is told to those who want it; it may be nil
}

// export exports r, if it is sampled. ctx is for what the provider finds in it.
func (t *Tracer) export(ctx context.Context, r record) {
	if !r.self.IsSampled() {
		return
	}
	span := t.open(ctx, r.parent, r.self, r.name,
		trace.WithSpanKind(r.kind), trace.WithTimestamp(r.start), trace.WithAttributes(r.attributes...))
	if !r.ready.IsZero() {
		span.AddEvent(eventReady, trace.WithTimestamp(r.ready))
	}
	l := linker{span: span, sc: r.self, root: !r.parent.IsValid()}
	for _, to := range r.links {
		l.link(to)
	}
	l.close()
	t.close(span, r.start, r.end, r.fault)
}

// open starts the span that has the ids and the decision of self, below parent; if that
// is not valid, as a root.
func (t *Tracer) open(ctx context.Context, parent, self trace.SpanContext, name string, options ...trace.SpanStartOption) trace.Span {
	ctx = trace.ContextWithSpanContext(ctx, parent)
	return t.start(context.WithValue(ctx, choiceKey{}, &choice{SpanContext: self}), name, options...)
}

// child starts a span with an id of its own below the span that ctx is in, whose decision
// it has; if that is none, it is a root, and the sampler decides.
func (t *Tracer) child(ctx context.Context, name string, options ...trace.SpanStartOption) trace.Span {
	if parent := trace.SpanContextFromContext(ctx); parent.IsValid() {
		return t.open(ctx, parent, at(parent, randomSpan()), name, options...)
	}
	return t.start(ctx, name, options...)
}

// close ends a span that began at start.
func (t *Tracer) close(span trace.Span, start, end time.Time, f fault) {
	if f.kind != "" {
		span.SetAttributes(errorType(f.kind))
		text := ""
		if t.errorText && f.err != nil {
			text = textOf(f.err)
		}
		span.SetStatus(codes.Error, text)
	}
	t.end(span, trace.WithTimestamp(latest(end, start.Add(shortest))))
}

// decide returns self, the context of a root that is about to begin, with the decision
// whether its trace is sampled: that of the caller's trace if it is in one, or else that
// of the sampler. The span is not made.
func (t *Tracer) decide(ctx context.Context, self trace.SpanContext, name string, options ...trace.SpanStartOption) trace.SpanContext {
	if caller := trace.SpanContextFromContext(ctx); caller.IsValid() {
		return self.WithTraceFlags(caller.TraceFlags())
	}
	c := &choice{SpanContext: self, asking: true}
	t.start(context.WithValue(ctx, choiceKey{}, c), name, append(options, trace.WithNewRoot())...)
	flags := self.TraceFlags().WithSampled(c.answer.Decision == sdktrace.RecordAndSample)
	return self.WithTraceFlags(flags).WithTraceState(c.answer.Tracestate)
}

// hasChildren reports whether somebody has started spans below one, as far as this process
// knows. Those that open starts do not count.
func hasChildren(span trace.Span) bool {
	s, ok := span.(sdktrace.ReadOnlySpan)
	return ok && s.ChildSpanCount() > 0
}

// A linker adds links to a span, as many as it may have.
type linker struct {
	span    trace.Span
	sc      trace.SpanContext
	root    bool // it has no parent
	links   int
	dropped int
}

// link adds a link to the span to. A root has none into its own trace: readers would take
// it for a child of that span, and go round in circles.
func (l *linker) link(to trace.SpanContext) {
	switch {
	case !to.IsValid(), l.root && to.TraceID() == l.sc.TraceID():
	case l.links == maxLinks:
		l.dropped++
	default:
		l.links++
		l.span.AddLink(trace.Link{SpanContext: to})
	}
}

// close notes how many links there was no room for.
func (l *linker) close() {
	if l.dropped > 0 {
		l.span.SetAttributes(linksDropped(l.dropped))
	}
}

// now returns the time as headers keep it: in microseconds, rounded up, so that nothing
// seems to begin before what it began in.
func now() time.Time { return micros(time.Now()) }

func micros(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMicro(t.Add(time.Microsecond - 1).UnixMicro())
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
