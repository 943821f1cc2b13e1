package tracing

import (
	"context"
	"errors"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
)

func signalName(signal string) string { return "signal " + signal }

// SendSignal implements [workflow.Tracer]: the span is in the trace of who sends.
func (t *Tracer) SendSignal(ctx context.Context, r workflow.TracedRun, signal string) (map[string]string, func(error)) {
	_, run := t.extract(ctx, r.Headers)
	if !trace.SpanContextFromContext(ctx).IsValid() && !run.IsSampled() {
		return nil, nil
	}
	began := now()
	span := t.child(ctx, signalName(signal),
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithTimestamp(began), trace.WithAttributes(signalAttributes(&r, signal)...))
	headers := t.inject(ctx, span.SpanContext(), history{}, nil)
	if !span.IsRecording() {
		return headers, nil
	}
	if run.IsSampled() {
		span.AddLink(trace.Link{SpanContext: run})
	}
	return headers, func(err error) {
		switch {
		case err == nil:
			t.close(span, began, now(), fault{})
		case errors.Is(err, queue.ErrUnknown):
			t.close(span, began, now(), fault{errorKind(err), err})
		}
	}
}

// TakeSignal implements [workflow.Tracer]: the span of the signal lasts since it was sent,
// and that of the step since it waits.
func (t *Tracer) TakeSignal(ctx context.Context, r workflow.TracedRun, s workflow.TracedStep, signal workflow.TracedSignal) {
	ctx, root := t.extract(ctx, r.Headers)
	if !root.IsSampled() {
		return
	}
	_, sender := t.extract(ctx, signal.Headers)
	end := now()
	taken := record{
		parent: root, self: at(root, deriveSpan(root.TraceID(), kindSignal, r.Root, signal.Name, strconv.Itoa(signal.Number))),
		name: signalName(signal.Name), kind: trace.SpanKindConsumer,
		start: end, end: end, attributes: signalAttributes(&r, signal.Name),
	}
	if sender.IsSampled() {
		taken.links = append(taken.links, sender)
	}
	if !signal.Sent.IsZero() {
		taken.start = earliest(latest(micros(signal.Sent), readOrigin(r.Headers[headerRun]).start), end)
	}
	t.export(ctx, taken)
	if t.covers {
		t.endStep(ctx, root, &r, &s, taken.self)
	} else {
		t.endStep(ctx, root, &r, &s)
	}
}

func signalAttributes(r *workflow.TracedRun, signal string) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String(system),
		semconv.MessagingOperationName("signal"),
		semconv.MessagingDestinationName(signal),
		keyWorkflow.String(r.Workflow), keyRun.String(r.ID), conversation(r.ID),
	}
}
