package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue/broker"
)

// Send implements [queue.Tracer]: there is a span for each queue that entries go to, which
// ends when they are stored, and is not exported if none is.
func (t *Tracer) Send(ctx context.Context, entries []*broker.Entry) (sent func(outcomes []error)) {
	var few [1]sending
	sends := few[:0]
	for i, e := range entries {
		s := find(sends, e.Queue)
		if s == nil {
			sends = append(sends, t.newSending(ctx, e, i))
			s = &sends[len(sends)-1]
		}
		s.add(e)
	}
	recorded := false
	for i := range sends {
		recorded = recorded || sends[i].span.IsRecording()
	}
	if !recorded {
		return nil
	}
	return func(outcomes []error) { t.sent(sends, entries, outcomes) }
}

// A sending is what goes to one queue.
type sending struct {
	tracer *Tracer
	ctx    context.Context
	queue  string
	first  int // which of the entries is its first
	label  *label
	began  time.Time
	link   linker
	span   trace.Span
	sc     trace.SpanContext
}

func find(sends []sending, queue string) *sending {
	for i := range sends {
		if sends[i].queue == queue {
			return &sends[i]
		}
	}
	return nil
}

// newSending starts the span. If ctx is in none, it hangs below that which the headers of
// the entry name, if they do.
func (t *Tracer) newSending(ctx context.Context, e *broker.Entry, first int) sending {
	s := sending{tracer: t, queue: e.Queue, first: first, label: t.labels.get(e.Queue, e.Type), began: now()}
	if parent := trace.SpanContextFromContext(ctx); !parent.IsValid() && len(e.Headers) > 0 {
		if _, named := t.extract(ctx, e.Headers); named.IsValid() {
			ctx = trace.ContextWithRemoteSpanContext(ctx, named)
		}
	}
	_, s.span = t.tracer.Start(ctx, s.label.send, append(s.label.sending[:len(s.label.sending):len(s.label.sending)], trace.WithTimestamp(s.began))...)
	s.ctx, s.sc = ctx, s.span.SpanContext()
	s.link = linker{span: s.span, sc: s.sc, root: !trace.SpanContextFromContext(ctx).IsValid()}
	return s
}

// add gives e the headers by which it is known where it comes from.
func (s *sending) add(e *broker.Entry) {
	if !s.sc.IsValid() { // nothing makes spans, and nobody has called with one
		return
	}
	t, sc := s.tracer, s.sc
	h := history{start: s.began}
	switch {
	case e.DueAt.After(s.began):
		h.why = waitScheduled
	case e.Group != "":
		h.why = waitGroup
	}
	if t.covers && e.DueAt.Sub(s.began) > t.delay {
		id := deriveTrace(s.sc.TraceID().String(), s.sc.SpanID().String(), e.Queue, e.ID)
		h.origin, h.own = s.sc, true
		sc = trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: id, SpanID: deriveSpan(id, kindTask), TraceFlags: s.sc.TraceFlags(), Remote: true,
		})
		s.link.link(sc)
	}
	e.Headers = t.inject(s.ctx, sc, h, e.Headers)
}

// sent ends the spans of what was stored.
func (t *Tracer) sent(sends []sending, entries []*broker.Entry, outcomes []error) {
	for i := range sends {
		s := &sends[i]
		stored := 0
		for j := range entries {
			if j < len(outcomes) && outcomes[j] == nil && entries[j].Queue == s.queue {
				stored++
			}
		}
		if stored == 0 || !s.span.IsRecording() {
			continue
		}
		if stored > 1 {
			s.span.SetAttributes(messageCount(stored))
		} else {
			s.span.SetAttributes(messageID(entries[s.first].ID))
		}
		s.link.close()
		t.close(s.span, s.began, now(), fault{})
	}
}
