package tracing

import (
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A decision is an attempt by which a workflow decides how a run goes on. It has a span
// only if all is told.
type decision struct {
	tracer *Tracer
	span   trace.Span
	began  time.Time
	fault  fault
}

// beginDecide begins one. Whatever it makes hangs below the run, or below its span.
func (t *Tracer) beginDecide(ctx context.Context, run trace.SpanContext, l broker.Lease) (context.Context, queue.TracedAttempt) {
	if t.detail != Full || !run.IsValid() {
		return ctx, nil
	}
	began := now()
	span := t.child(ctx, decideName(&l.Entry), trace.WithTimestamp(began),
		trace.WithAttributes(messageID(l.Entry.ID), conversation(l.Entry.Home.ID)))
	return trace.ContextWithSpan(ctx, span), &decision{tracer: t, span: span, began: began}
}

// decideName names a decide by its cause: its id is root~~cause~part.
func decideName(e *broker.Entry) string {
	const joint = string(task.Joint)
	_, rest, _ := strings.Cut(e.ID, joint+joint)
	cause, _, _ := strings.Cut(rest, joint)
	return "decide " + cause + " " + strings.TrimSuffix(e.Type, decideSuffix)
}

// PutOff implements [queue.TracedAttempt].
func (d *decision) PutOff(string) {}

// Settle implements [queue.TracedAttempt].
func (d *decision) Settle(s *broker.Settlement, err error) { d.fault = faultOf(*s, err) }

// Settled implements [queue.TracedAttempt].
func (d *decision) Settled(err error) {
	if err == nil {
		d.tracer.close(d.span, d.began, now(), d.fault)
	}
}
