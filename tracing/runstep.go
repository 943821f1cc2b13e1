package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow"
)

func undoName(step string, item int) string { return "undo" + stepName(step, item)[len("step"):] }
func awaitName(signal string) string        { return "await signal " + signal }
func timerName(step string) string          { return "timer " + step }
func decisionName(cause, what string) string {
	return "decide " + cause + " " + what
}

// stepOf returns the name of the span that covers the step of a run that e is for, and
// what is said of it.
func stepOf(e *broker.Entry) (string, []attribute.KeyValue) {
	p, _ := workflow.PlaceOf(*e)
	s := workflow.TracedStep{Name: p.Step, Item: p.Item, Kind: workflow.KindStep}
	if p.Undo {
		s.Kind = workflow.KindUndo
	}
	return coverName(&s), stepAttributes(&workflow.TracedRun{ID: p.Run}, &s)
}

// coverName returns the name of the span that covers a step.
func coverName(s *workflow.TracedStep) string {
	switch s.Kind {
	case workflow.KindWait:
		return awaitName(s.Signal)
	case workflow.KindSleep:
		return timerName(s.Name)
	case workflow.KindUndo:
		return undoName(s.Name, s.Item)
	}
	return stepName(s.Name, s.Item)
}

func stepAttributes(r *workflow.TracedRun, s *workflow.TracedStep) []attribute.KeyValue {
	set := []attribute.KeyValue{keyRun.String(r.ID), keyStep.String(s.Name)}
	if s.Item >= 0 {
		set = append(set, keyItem.Int(s.Item))
	}
	return set
}

// EndStep implements [workflow.Tracer].
func (t *Tracer) EndStep(ctx context.Context, r workflow.TracedRun, s workflow.TracedStep) {
	if ctx, root := t.extract(ctx, r.Headers); root.IsSampled() {
		t.endStep(ctx, root, &r, &s)
	}
}

// endStep exports the cover of a step. One that was tried, as its headers say, has spans
// below it; nothing is known of one whose headers are gone.
func (t *Tracer) endStep(ctx context.Context, root trace.SpanContext, r *workflow.TracedRun, s *workflow.TracedStep, links ...trace.SpanContext) {
	began, waits := readOrigin(r.Headers[headerRun]).start, s.Kind == workflow.KindWait || s.Kind == workflow.KindSleep
	c := record{
		parent: root, self: stepSpan(root, s.ID, 0), name: coverName(s), kind: trace.SpanKindInternal, end: now(),
		attributes: append(stepAttributes(r, s), keyOutcome.String(s.State.String())), fault: stepFault(s), links: links,
	}
	h := readHistory(s.Headers[headerHistory])
	switch {
	case waits && s.Began.IsZero() && s.Ended.IsZero():
		c.start = c.end
	case waits && s.Began.IsZero(): // for no time; what has come of it is ready since some millisecond, too
		c.start = latest(micros(s.Ended.Truncate(time.Millisecond)), began)
	case waits:
		c.start = latest(micros(s.Began), began)
	case !t.covers, s.Headers != nil && h.start.IsZero():
		return // nothing hangs below it, or an attempt has ended it
	case h.own:
		_, c.self = t.extract(ctx, s.Headers)
		c.parent, c.start, c.links = trace.SpanContext{}, h.start, append(c.links, h.origin)
	case s.Headers != nil:
		c.self, c.start, c.end = stepSpan(root, s.ID, h.again), h.start, latest(c.end, h.ended)
	default:
		c.start = began
		c.attributes = append(c.attributes, keyStartUnknown.Bool(true))
	}
	c.start = earliest(c.start, c.end)
	if h.attempts > 0 {
		c.attributes = append(c.attributes, keyAttempt.Int(h.attempts))
	}
	t.export(ctx, c)
}

// stepFault returns why a step has failed of which no attempt tells.
func stepFault(s *workflow.TracedStep) fault {
	switch s.State {
	case workflow.StepDone, workflow.StepSkipped:
		return fault{}
	case workflow.StepCancelled:
		return fault{kind: errorCancelled}
	}
	if s.Kind == workflow.KindWait {
		return fault{kind: errorTimeout}
	}
	return fault{kind: s.State.String()}
}

// Inputs implements [workflow.Tracer].
func (t *Tracer) Inputs(ctx context.Context, r workflow.TracedRun, s workflow.TracedStep, from func() ([]workflow.TracedStep, int)) {
	a := attemptOf(ctx)
	if a == nil || !t.covers || !a.process.sc.IsSampled() {
		return
	}
	_, root := t.extract(ctx, r.Headers)
	if !root.IsValid() || root.TraceID() != a.process.sc.TraceID() {
		return
	}
	steps, count := from()
	a.linking.Lock()
	defer a.linking.Unlock()
	if count > 1 {
		a.process.span.SetAttributes(keyJoinCount.Int(count))
		a.process.dropped += count - len(steps)
	}
	for i := range steps {
		if count == 1 && steps[i].HandedOff {
			a.process.link(sendSpan(root, steps[i].ID, s.Queue))
		} else {
			a.process.link(stepSpan(root, steps[i].ID, 0))
		}
	}
	if count == 0 && r.Parent == nil {
		a.process.link(readOrigin(r.Headers[headerRun]).from)
	}
}

// sendSpan returns the context of the span by which the step with that id has handed tasks
// to a queue.
func sendSpan(root trace.SpanContext, id, queue string) trace.SpanContext {
	return at(root, deriveSpan(root.TraceID(), kindSend, id, queue))
}

// HandOff implements [workflow.Tracer]. It is part of the commit, and takes no time of its
// own.
func (t *Tracer) HandOff(ctx context.Context, _ workflow.TracedRun, s workflow.TracedStep, to []workflow.HandOff) {
	a := attemptOf(ctx)
	if a == nil || !a.process.sc.IsSampled() {
		return
	}
	for _, h := range to {
		set := sendAttributes(h.Queue)
		if h.Count > 1 {
			set = append(set, messageCount(h.Count))
		}
		t.export(ctx, record{
			parent: a.process.sc, self: sendSpan(a.process.sc, s.ID, h.Queue), name: sendName(h.Queue), kind: trace.SpanKindProducer,
			start: a.ended.Add(-shortest), end: a.ended, attributes: set,
		})
	}
}

// Decided implements [workflow.Tracer].
func (t *Tracer) Decided(ctx context.Context, r workflow.TracedRun, s workflow.TracedStep, cause string, began time.Time) {
	if t.detail != Full {
		return
	}
	ctx, root := t.extract(ctx, r.Headers)
	if !root.IsSampled() {
		return
	}
	what, set := r.Workflow, runAttributes(&r)
	if s.Name != "" {
		what, set = s.Name, stepAttributes(&r, &s)
	}
	end := now()
	t.export(ctx, record{
		parent: root, self: at(root, randomSpan()), name: decisionName(cause, what), kind: trace.SpanKindInternal,
		start: earliest(latest(micros(began), readOrigin(r.Headers[headerRun]).start), end), end: end, attributes: set,
	})
}
