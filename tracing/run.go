package tracing

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
)

var _ workflow.Tracer = (*Tracer)(nil)

func startName(name string) string    { return "start " + name }
func workflowName(name string) string { return "workflow " + name }

// StartRun implements [workflow.Tracer]. The span of who starts the run is exported once
// it has begun, and that of the run itself by who ends it.
func (t *Tracer) StartRun(ctx context.Context, r workflow.TracedRun) (map[string]string, func(error)) {
	o := origin{start: now()}
	if r.Parent != nil && r.Epoch == 0 {
		if below, parent := t.extract(ctx, r.Parent.Headers); parent.IsValid() {
			return t.startWithin(below, r, parent, o), nil
		}
	}
	if r.Epoch > 0 || r.Headers != nil {
		_, o.prior = t.extract(ctx, r.Headers)
	}
	self, start := t.rootOf(ctx, &r, &o)
	if start == nil {
		return t.runHeaders(ctx, self, o), nil
	}
	return t.runHeaders(ctx, self, o), func(err error) {
		switch {
		case err == nil:
			t.close(start, o.start, now(), fault{})
		case errors.Is(err, queue.ErrUnknown):
			t.close(start, o.start, now(), fault{errorKind(err), err})
		}
	}
}

// rootOf returns the context of the root of a run that is about to begin, and the span of
// who starts it, nil if it has none.
func (t *Tracer) rootOf(ctx context.Context, r *workflow.TracedRun, o *origin) (self trace.SpanContext, start trace.Span) {
	caller := trace.SpanContextFromContext(ctx)
	options := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithTimestamp(o.start), trace.WithAttributes(runAttributes(r)...),
	}
	if !t.covers {
		start = t.child(ctx, startName(r.Workflow), options...)
		self = start.SpanContext()
		return self, recording(start)
	}
	if o.joined = (t.joined || r.ByTask) && r.Begins.Sub(o.start) <= t.delay; o.joined {
		start = t.child(ctx, startName(r.Workflow), options...)
		o.from = start.SpanContext()
		return rootIn(o.from, r), recording(start)
	}
	self = t.decide(ctx, ownRoot(r, o.prior), workflowName(r.Workflow), trace.WithAttributes(runAttributes(r)...))
	switch {
	case !self.IsSampled():
		return self, nil
	case caller.IsValid():
		start = t.child(ctx, startName(r.Workflow), options...)
	default: // nobody has decided anything: the run has
		alone := at(self, randomSpan()).WithTraceID(randomTrace())
		start = t.open(ctx, trace.SpanContext{}, alone, startName(r.Workflow), options...)
	}
	o.from = start.SpanContext()
	start.AddLink(trace.Link{SpanContext: self})
	return self, start
}

// recording returns the span if it is to be exported, or nil.
func recording(s trace.Span) trace.Span {
	if s.IsRecording() {
		return s
	}
	return nil
}

// startWithin returns the headers of a run that is a step of the run with the root parent:
// it hangs below the step, unless that run is too old.
func (t *Tracer) startWithin(ctx context.Context, r workflow.TracedRun, parent trace.SpanContext, o origin) map[string]string {
	if !t.covers {
		return t.runHeaders(ctx, parent, o)
	}
	o.from, o.joined = stepSpan(parent, r.ParentStep.ID, 0), true
	self := rootIn(parent, &r)
	if t.outlived(readOrigin(r.Parent.Headers[headerRun]), o.start) {
		o.joined = false
		self = ownRoot(&r, trace.SpanContext{}).WithTraceFlags(parent.TraceFlags()).WithTraceState(parent.TraceState())
	}
	return t.runHeaders(ctx, self, o)
}

// runHeaders returns the headers of a run with the root self.
func (t *Tracer) runHeaders(ctx context.Context, self trace.SpanContext, o origin) map[string]string {
	if !self.IsValid() {
		return nil
	}
	headers := t.inject(ctx, self, history{}, nil)
	if self.IsSampled() {
		headers[headerRun] = o.String()
	}
	return headers
}

// outlived reports whether a run is so old at a time that what begins in it has a trace of
// its own.
func (t *Tracer) outlived(o origin, at time.Time) bool {
	return t.covers && t.maxAge > 0 && !o.start.IsZero() && at.Sub(o.start) > t.maxAge
}

// EndRun implements [workflow.Tracer].
func (t *Tracer) EndRun(ctx context.Context, r workflow.TracedRun) {
	_, self := t.extract(ctx, r.Headers)
	if !self.IsSampled() {
		return
	}
	if a := attemptOf(ctx); a != nil {
		a.afterwards = append(a.afterwards, func() { t.exportRun(ctx, self, &r) })
		return
	}
	t.exportRun(ctx, self, &r)
}

// exportRun exports the root of a run that has ended, and if it is a step of another, the
// span that covers that.
func (t *Tracer) exportRun(ctx context.Context, self trace.SpanContext, r *workflow.TracedRun) {
	o, end := readOrigin(r.Headers[headerRun]), now().Add(shortest) // no earlier than the step that was the last
	root := record{
		self: self, name: workflowName(r.Workflow), kind: trace.SpanKindInternal,
		start: o.start, end: end, attributes: append(runAttributes(r), keyRunState.String(string(r.State))), fault: runFault(r),
		links: []trace.SpanContext{o.prior},
	}
	switch {
	case !t.covers:
		root.parent, root.self = self, at(self, randomSpan())
	case o.joined:
		root.parent = o.from
	default:
		root.start = latest(root.start, micros(r.Begins))
		root.links = append(root.links, o.from)
	}
	if root.start.IsZero() || !root.start.Before(end) {
		root.start = end.Add(-shortest)
	}
	if t.covers && r.Parent != nil && r.Epoch == 0 && o.from.IsValid() {
		step := r.ParentStep
		t.export(ctx, record{
			parent: rootIn(o.from, r.Parent), self: o.from, name: stepName(step.Name, step.Item), kind: trace.SpanKindInternal,
			start: root.start, end: end, attributes: stepAttributes(r.Parent, &step), fault: root.fault,
		})
	}
	t.export(ctx, root)
}

func runAttributes(r *workflow.TracedRun) []attribute.KeyValue {
	set := []attribute.KeyValue{keyWorkflow.String(r.Workflow), keyRun.String(r.ID), conversation(r.ID)}
	switch {
	case r.Entry != "":
		set = append(set, keyTrigger.String(triggerSchedule), keySchedule.String(r.Entry), keyScheduleTime.String(r.Tick))
	case r.Parent != nil:
		set = append(set, keyTrigger.String(triggerRun), keyParentRun.String(r.Parent.ID))
	}
	if r.Failed != "" {
		set = append(set, keyStep.String(r.Failed))
	}
	return set
}

// runFault returns why a run has failed.
func runFault(r *workflow.TracedRun) fault {
	switch r.State {
	case workflow.Done:
		return fault{}
	case workflow.Cancelled:
		return fault{kind: errorCancelled}
	case workflow.TimedOut:
		return fault{kind: errorTimeout}
	default:
		return fault{kind: string(r.State)}
	}
}
