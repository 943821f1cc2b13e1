package tracing

import (
	"crypto/sha256"

	"go.opentelemetry.io/otel/trace"
)

// Kinds of spans whose ids are derived, so that any process can name them, link to them
// and export them. The trace id goes into each: what is begun again in a trace of its
// own has other spans.
const (
	kindRoot    = "root"    // covers a run, or a batch
	kindTask    = "task"    // covers a task that is no run's, over all its attempts
	kindStep    = "step"    // covers a step of a run, over all its attempts
	kindWait    = "wait"    // until an attempt began
	kindProcess = "process" // one attempt
	kindSend    = "send"    // what was made ready by the commit of a step
	kindSignal  = "signal"  // a signal that a run has taken
)

// deriveTrace returns the trace id that belongs to parts.
func deriveTrace(parts ...string) (id trace.TraceID) {
	sum := digest([]byte("trace"), parts)
	copy(id[:], sum[:])
	if !id.IsValid() {
		id[len(id)-1] = 1
	}
	return id
}

// deriveSpan returns the id of the span in the trace t that belongs to kind and parts.
func deriveSpan(t trace.TraceID, kind string, parts ...string) (id trace.SpanID) {
	var room [160]byte
	sum := digest(append(append(room[:0], t[:]...), kind...), parts)
	copy(id[:], sum[:])
	if !id.IsValid() {
		id[len(id)-1] = 1
	}
	return id
}

func digest(b []byte, parts []string) [sha256.Size]byte {
	for _, p := range parts {
		b = append(append(b, 0), p...)
	}
	return sha256.Sum256(b)
}

// at returns the context of the span with id in the trace that sc is of, which has the
// decision whether that trace is sampled.
func at(sc trace.SpanContext, id trace.SpanID) trace.SpanContext {
	return sc.WithSpanID(id).WithRemote(true)
}
