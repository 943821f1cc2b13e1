package tracing

import (
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue/broker"
)

// A cover is the span of an entry from when it was enqueued until its end. All attempts
// hang below it. Whoever ends the entry exports it.
type cover struct {
	name   string
	parent trace.SpanContext // not valid: it is a root
	self   trace.SpanContext
	origin trace.SpanContext // who has made the entry
	start  time.Time
	step   bool // it is that of a step of a run
	run    []attribute.KeyValue
}

// coverOf returns the cover of an entry that has come with the context from and the
// history h.
func (t *Tracer) coverOf(l *broker.Lease, from trace.SpanContext, h history) cover {
	e := &l.Entry
	c := cover{name: taskName(e.Type), start: h.start}
	switch {
	case isRun(e):
		c.step = true
		c.name, c.run = stepOf(e)
		c.parent, c.self = from, stepSpan(from, e.ID, h.again)
		if h.own {
			c.parent, c.self, c.origin = trace.SpanContext{}, from, h.origin
		}
	case h.own:
		c.self, c.origin = from, h.origin
	default:
		c.parent, c.origin = from, from
		c.self = at(from, deriveSpan(from.TraceID(), kindTask, from.SpanID().String(), e.Queue, e.ID))
	}
	return c
}

// stepSpan returns the context of the span that covers a step of the run whose root is
// given, by the id that the step's entry has. again is how often it was begun again by
// hand.
func stepSpan(root trace.SpanContext, id string, again int) trace.SpanContext {
	if again > 0 {
		return at(root, deriveSpan(root.TraceID(), kindStep, id, strconv.Itoa(again)))
	}
	return at(root, deriveSpan(root.TraceID(), kindStep, id))
}

// again returns the context of the cover that the entry has if it is begun again after
// its end: a root.
func (c cover) again() trace.SpanContext {
	id := deriveTrace(c.self.TraceID().String(), c.self.SpanID().String())
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: id, SpanID: deriveSpan(id, kindTask), TraceFlags: c.self.TraceFlags(), Remote: true,
	})
}

// nearest returns what an attempt hangs below if there are no covers.
func (c cover) nearest() trace.SpanContext {
	if c.parent.IsValid() {
		return c.parent
	}
	return c.origin
}

// record returns the cover as it is exported once the entry has ended.
func (c cover) record(e *broker.Entry, end time.Time, how string, f fault, attempts int) record {
	set := append([]attribute.KeyValue{messageID(e.ID), keyTaskType.String(e.Type), keyOutcome.String(how), keyAttempt.Int(attempts)}, c.run...)
	r := record{
		parent: c.parent, self: c.self, name: c.name, kind: trace.SpanKindInternal,
		start: c.start, end: end, attributes: set, fault: f,
	}
	if !c.parent.IsValid() {
		r.links = []trace.SpanContext{c.origin}
	}
	return r
}
