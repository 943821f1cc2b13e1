package tracing

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue"
)

// Batch implements [queue.Tracer]: a batch has a trace of its own, which is sampled if a
// member's is. There are links between the attempt of each member and that of the batch.
func (t *Tracer) Batch(ctx context.Context, name, group string, members []queue.TracedAttempt) (context.Context, func(error)) {
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	root := trace.NewSpanContext(trace.SpanContextConfig{TraceID: randomTrace(), SpanID: randomSpan(), Remote: true})
	var sampled []*attempt
	for _, m := range members {
		if a, ok := m.(*attempt); ok && a.process.sc.IsSampled() {
			sampled = append(sampled, a)
		}
	}
	if len(sampled) == 0 {
		return trace.ContextWithRemoteSpanContext(ctx, root), ignore
	}
	root = root.WithTraceFlags(trace.FlagsSampled)
	began := now()
	size := keyBatchSize.Int(len(members))
	parent := t.open(ctx, trace.SpanContext{}, root, aggregateName(name), trace.WithTimestamp(began),
		trace.WithAttributes(keyGroup.String(group), size))
	span := t.open(ctx, parent.SpanContext(), at(parent.SpanContext(), randomSpan()), processName(name), trace.WithTimestamp(began),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(append(processAttributes(name), keyGroup.String(group), size, messageCount(len(members)))...))
	link := linker{span: span, sc: span.SpanContext()}
	for _, a := range sampled {
		link.link(a.process.sc)
		a.process.link(link.sc)
	}
	return trace.ContextWithSpan(ctx, span), func(err error) {
		f := batchFault(err)
		link.close()
		end := now().Add(shortest) // what was sent below it has ended by now
		t.close(span, began, end, f)
		t.close(parent, began, end, f)
	}
}

func ignore(error) {}

// batchFault returns why the handler of a batch has failed, if it has.
func batchFault(err error) fault {
	if err == nil || isSnooze(err) {
		return fault{}
	}
	return fault{errorKind(err), err}
}
