package tracing

import (
	"cmp"
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// Send implements [queue.Tracer]: there is a span for each queue that entries go to, which
// ends when they are stored, and is not exported if none is.
func (t *Tracer) Send(ctx context.Context, entries []*broker.Entry) (sent func(outcomes []error)) {
	if a := attemptOf(ctx); a != nil {
		a.sends.Store(true)
	}
	var few [1]sending
	sends := few[:0]
	for i, e := range entries {
		from, parent := t.callerOf(ctx, e)
		s := find(sends, e.Queue, parent)
		if s == nil {
			sends = append(sends, t.newSending(from, parent, e))
			s = &sends[len(sends)-1]
		}
		s.places = append(s.places, i)
		s.add(e)
	}
	recorded := false
	for i := range sends {
		recorded = recorded || sends[i].span.IsRecording()
	}
	if !recorded {
		return nil
	}
	return func(outcomes []error) {
		for i := range sends {
			sends[i].sent(entries, outcomes)
		}
	}
}

// A sending is what goes to one queue from one caller.
type sending struct {
	tracer *Tracer
	ctx    context.Context
	queue  string
	parent trace.SpanContext
	places []int // among all that is sent
	began  time.Time
	link   linker
	span   trace.Span
	apart  []apart

	why   string            // for what the entry waits that came last
	fresh map[string]string // and what headers it got
}

// An apart is an entry that has a trace of its own.
type apart struct {
	entry *broker.Entry
	root  trace.SpanContext
}

func find(sends []sending, queue string, parent trace.SpanContext) *sending {
	for i := range sends {
		if sends[i].queue == queue && sends[i].parent.Equal(parent) {
			return &sends[i]
		}
	}
	return nil
}

// callerOf returns the context in which e is sent, and the span of it: if ctx is in none,
// that which the headers of e name, if they do.
func (t *Tracer) callerOf(ctx context.Context, e *broker.Entry) (context.Context, trace.SpanContext) {
	parent := trace.SpanContextFromContext(ctx)
	if !parent.IsValid() && len(e.Headers) > 0 {
		if from, named := t.extract(ctx, e.Headers); named.IsValid() {
			return from, named
		}
	}
	return ctx, parent
}

// newSending starts the span. If its parent is not sampled, none is made.
func (t *Tracer) newSending(ctx context.Context, parent trace.SpanContext, e *broker.Entry) sending {
	s := sending{tracer: t, queue: e.Queue, parent: parent, began: now()}
	if a := attemptOf(ctx); a != nil { // which may have begun later, by this clock
		s.began = latest(s.began, a.began)
	}
	s.ctx, s.span, s.link.sc = ctx, noop.Span{}, parent
	if !parent.IsValid() || parent.IsSampled() {
		l := t.labels.get(e.Queue, e.Type)
		s.span = t.child(ctx, l.send, append(l.sending[:len(l.sending):len(l.sending)], trace.WithTimestamp(s.began))...)
		s.link = linker{span: s.span, sc: s.span.SpanContext(), root: !parent.IsValid()}
	}
	return s
}

// add gives e the headers by which it is known where it comes from.
func (s *sending) add(e *broker.Entry) {
	switch why := s.waitsFor(e); {
	case !s.link.sc.IsValid(): // nothing makes spans, and nobody has called with one
	case s.tracer.covers && e.DueAt.Sub(s.began) > s.tracer.delay:
		root := s.rootOf(e)
		s.apart = append(s.apart, apart{e, root})
		e.Headers = s.tracer.inject(s.ctx, root, history{start: s.began, why: why, origin: s.link.sc, own: true}, e.Headers)
	default:
		if s.fresh == nil || s.why != why {
			s.why, s.fresh = why, s.tracer.fresh(s.ctx, s.link.sc, history{start: s.began, why: why})
		}
		e.Headers = s.tracer.renew(e.Headers, s.fresh)
	}
}

// waitsFor says why e is not run at once, "" if it is.
func (s *sending) waitsFor(e *broker.Entry) string {
	switch {
	case e.DueAt.After(s.began):
		return waitScheduled
	case e.Group != "":
		return waitGroup
	default:
		return ""
	}
}

// rootOf returns the cover of an entry that has a trace of its own.
func (s *sending) rootOf(e *broker.Entry) trace.SpanContext {
	id := deriveTrace(s.link.sc.TraceID().String(), s.link.sc.SpanID().String(), e.Queue, e.ID)
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: deriveSpan(id, kindTask), TraceFlags: s.link.sc.TraceFlags(), Remote: true,
	})
}

// sent ends the span if some of entries were stored, or may have been, that go to its queue.
func (s *sending) sent(entries []*broker.Entry, outcomes []error) {
	var stored []*broker.Entry
	var unsure error
	for _, i := range s.places {
		if i < len(outcomes) && (outcomes[i] == nil || is(outcomes[i], queue.ErrUnknown)) {
			stored, unsure = append(stored, entries[i]), cmp.Or(unsure, outcomes[i])
		}
	}
	if len(stored) == 0 || !s.span.IsRecording() {
		return
	}
	if len(stored) > 1 {
		s.span.SetAttributes(messageCount(len(stored)))
	} else {
		s.span.SetAttributes(messageID(stored[0].ID))
	}
	for _, a := range s.apart {
		if slices.Contains(stored, a.entry) {
			s.link.link(a.root)
		}
	}
	s.link.close()
	f := fault{}
	if unsure != nil {
		f = fault{errorKind(unsure), unsure}
	}
	s.tracer.close(s.span, s.began, now(), f)
}
