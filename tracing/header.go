package tracing

import (
	"context"
	"encoding/hex"
	"maps"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue/broker"
)

// headerHistory is the header of an entry that says what a propagator does not.
const headerHistory = "leat-trace"

// How long values may be that come from elsewhere. Longer ones are left out whole.
const (
	maxBaggage    = 1 << 10
	maxTraceState = 512
)

// A history is what an entry keeps of its past, so that any process can go on with its
// spans. An entry that is not sampled has none, nor has one of a run or of another
// program before it was first settled.
type history struct {
	start    time.Time         // when it was enqueued; zero: not known
	attempts int               // that have ended
	prior    trace.SpanID      // the one before, if there was one
	ended    time.Time         // when the last of them ended
	why      string            // it waits since then
	origin   trace.SpanContext // who has made it, if its cover is a root
	own      bool              // the context that it came with is that of its own cover
	again    int               // how often it was begun again after it had ended, under the same parent
}

// String returns h as the header has it.
func (h history) String() string {
	var b strings.Builder
	put := func(key byte, value string) {
		if value == "" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(';')
		}
		b.WriteByte(key)
		b.WriteByte('=')
		b.WriteString(value)
	}
	put('s', writeTime(h.start))
	put('n', writeCount(h.attempts))
	if h.prior.IsValid() {
		put('p', h.prior.String())
	}
	put('e', writeTime(h.ended))
	put('w', h.why)
	if h.origin.IsValid() {
		put('c', writeContext(h.origin))
	}
	if h.own {
		put('o', "1")
	}
	put('g', writeCount(h.again))
	return b.String()
}

// readHistory reads what String has written. What makes no sense is left out: anybody may
// write headers.
func readHistory(text string) (h history) {
	for text != "" {
		var field string
		field, text, _ = strings.Cut(text, ";")
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "s":
			h.start = readTime(value)
		case "n":
			h.attempts = readCount(value)
		case "p":
			h.prior = readSpan(value)
		case "e":
			h.ended = readTime(value)
		case "w":
			h.why = word(value)
		case "c":
			h.origin = readContext(value)
		case "o":
			h.own = value == "1"
		case "g":
			h.again = readCount(value)
		}
	}
	return h
}

// word returns why an entry waits, as far as it can be a value of the header.
func word(why string) string {
	const longest = 32
	why = strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, why)
	return why[:min(len(why), longest)]
}

func writeTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMicro(), 36)
}

func readTime(s string) time.Time {
	n, err := strconv.ParseInt(s, 36, 64)
	if err != nil || n <= 0 || n > 1<<53 {
		return time.Time{}
	}
	return time.UnixMicro(n)
}

func writeCount(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func readCount(s string) int {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

func readSpan(s string) (id trace.SpanID) {
	if b, err := hex.DecodeString(s); err == nil && len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}

func readTrace(s string) (id trace.TraceID) {
	if b, err := hex.DecodeString(s); err == nil && len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}

// extract returns ctx with what headers say of the context in which they were made, and
// the span of it, which is not valid if they say nothing.
func (t *Tracer) extract(ctx context.Context, headers map[string]string) (context.Context, trace.SpanContext) {
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{})
	if len(headers) > 0 {
		ctx = t.read(ctx, headers)
	}
	return ctx, trace.SpanContextFromContext(ctx)
}

// inject returns a copy of headers that says that they were made in sc, which has the
// history h, and has the baggage of ctx. What headers have said of that before is gone.
func (t *Tracer) inject(ctx context.Context, sc trace.SpanContext, h history, headers map[string]string) map[string]string {
	return t.renew(headers, t.fresh(ctx, sc, h))
}

// fresh returns the headers that say so.
func (t *Tracer) fresh(ctx context.Context, sc trace.SpanContext, h history) map[string]string {
	fresh := make(map[string]string, 4)
	t.write(trace.ContextWithSpanContext(ctx, sc), fresh)
	if len(fresh["baggage"]) > maxBaggage {
		delete(fresh, "baggage")
	}
	if len(fresh["tracestate"]) > maxTraceState {
		delete(fresh, "tracestate")
	}
	if sc.IsSampled() {
		fresh[headerHistory] = h.String()
	}
	return fresh
}

// renew returns a copy of headers with fresh in place of what they have said of the span
// in which they were made. As much is left out as an entry has no room for.
func (t *Tracer) renew(headers, fresh map[string]string) map[string]string {
	kept := t.foreign(headers, len(fresh))
	for _, leave := range []string{"", "baggage", "tracestate"} {
		if leave != "" {
			fresh = maps.Clone(fresh)
			delete(fresh, leave)
		}
		if fits(kept, fresh) {
			maps.Copy(kept, fresh)
			break
		}
	}
	return kept
}

// foreign returns a copy of headers, with room for so many more, without those that say in
// which span they were made.
func (t *Tracer) foreign(headers map[string]string, room int) map[string]string {
	kept := make(map[string]string, len(headers)+room)
	maps.Copy(kept, headers)
	for _, field := range t.fields {
		delete(kept, field)
	}
	delete(kept, headerHistory)
	return kept
}

// note returns a copy of headers with another history, if there is room for it.
func note(headers map[string]string, h history) map[string]string {
	kept, fresh := maps.Clone(headers), map[string]string{headerHistory: h.String()}
	delete(kept, headerHistory)
	if !fits(kept, fresh) {
		return headers
	}
	maps.Copy(kept, fresh)
	return kept
}

// fits reports whether an entry may have the headers of both.
func fits(kept, fresh map[string]string) bool {
	size := 0
	for _, headers := range []map[string]string{kept, fresh} {
		for key, value := range headers {
			size += len(key) + len(value)
		}
	}
	return len(kept)+len(fresh) <= broker.MaxHeaders && size <= broker.MaxHeaderBytes
}
