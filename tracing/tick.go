package tracing

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/periodic"
)

// Tick implements [periodic.Tracer]: each tick is a trace of its own. All schedulers that
// set out to fire it begin the same span, and the one that does so exports it.
func (t *Tracer) Tick(ctx context.Context, k periodic.TracedTick) (context.Context, func(error)) {
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	id := deriveTrace("tick", k.ID)
	self := trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: deriveSpan(id, kindRoot)})
	began := now()
	options := []trace.SpanStartOption{
		trace.WithTimestamp(began),
		trace.WithAttributes(tickAttributes(k)...),
	}
	if t.covers {
		self = t.decide(ctx, self, tickName(k.Entry), options...)
	}
	span := t.open(ctx, trace.SpanContext{}, self, tickName(k.Entry), options...)
	return trace.ContextWithSpan(ctx, span), func(err error) {
		if err == nil && span.IsRecording() {
			t.close(span, began, now().Add(shortest), fault{})
		}
	}
}

func tickAttributes(k periodic.TracedTick) []attribute.KeyValue {
	trigger := triggerSchedule
	switch {
	case k.Asked:
		trigger = triggerByHand
	case k.Backfill != "":
		trigger = triggerBackfill
	}
	return []attribute.KeyValue{
		keySchedule.String(k.Entry),
		keyScheduleSpec.String(k.Spec),
		scheduleTime(k.Time),
		keyTrigger.String(trigger),
	}
}
