package tracing

import (
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/workflow"
)

// headerRun is the header of a run, and of all its tasks, that says where the run comes
// from. One that is not sampled has none.
const headerRun = "leat-run"

// An origin is where a run comes from.
type origin struct {
	start  time.Time         // of the run's root
	from   trace.SpanContext // who has started it, or the step that it is
	joined bool              // the root hangs below that
	prior  trace.SpanContext // the root that it had before it began again
}

// String returns o as the header has it.
func (o origin) String() string {
	fields := []string{"s=" + writeTime(o.start)}
	if o.from.IsValid() {
		fields = append(fields, "c="+writeContext(o.from))
	}
	if o.joined {
		fields = append(fields, "j=1")
	}
	if o.prior.IsValid() {
		fields = append(fields, "p="+writeContext(o.prior))
	}
	return strings.Join(fields, ";")
}

// readOrigin reads what String has written, as far as it makes sense.
func readOrigin(text string) (o origin) {
	for field := range strings.SplitSeq(text, ";") {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "s":
			o.start = readTime(value)
		case "c":
			o.from = readContext(value)
		case "j":
			o.joined = value == "1"
		case "p":
			o.prior = readContext(value)
		}
	}
	return o
}

func writeContext(sc trace.SpanContext) string {
	return sc.TraceID().String() + "-" + sc.SpanID().String()
}

// readContext reads the name of a span that is sampled: of others nothing is kept.
func readContext(text string) trace.SpanContext {
	id, span, _ := strings.Cut(text, "-")
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: readTrace(id), SpanID: readSpan(span), TraceFlags: trace.FlagsSampled, Remote: true,
	})
}

// rootIn returns the context of the root of a run that is in the trace sc is of.
func rootIn(sc trace.SpanContext, r *workflow.TracedRun) trace.SpanContext {
	return at(sc, deriveSpan(sc.TraceID(), kindRoot, r.Root))
}

// ownRoot returns the context of the root of a run that has a trace of its own: another
// when it has begun again.
func ownRoot(r *workflow.TracedRun, prior trace.SpanContext) trace.SpanContext {
	parts := []string{"run", r.Queue, r.Root}
	if prior.IsValid() {
		parts = append(parts, prior.TraceID().String())
	}
	return rootIn(trace.NewSpanContext(trace.SpanContextConfig{TraceID: deriveTrace(parts...), Remote: true}), r)
}
