package tracing_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/tracing"
)

func TestTheHeaderIsReadAsItWasWritten(t *testing.T) {
	for _, text := range []string{
		"",
		"s=d8n7ve2dc0",
		"s=d8n7ve2dc0;n=3;p=00f067aa0ba902b7;e=d8n7ve2dc1;w=retry",
		"w=no handler;c=4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7;o=1;g=2",
	} {
		if got := tracing.ReadHistory(text); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
	}
}

func TestAHeaderThatMakesNoSenseSaysNothing(t *testing.T) {
	for _, text := range []string{
		"x", ";;;", "=", "s=-5", "s=!", "s=zzzzzzzzzzzzzzzzzz", "n=-1", "n=99999999999", "p=xyz", "p=00", "c=-", "c=1-2", "o=2",
		"w=" + strings.Repeat("\x00", 99), "g=1.5",
	} {
		if got := tracing.ReadHistory(text); got != "" {
			t.Errorf("%q is read as %q, want nothing", text, got)
		}
	}
	if got := tracing.ReadHistory("w=a;w=" + strings.Repeat("b", 99)); len(got) > 40 {
		t.Errorf("a long word is kept: %q", got)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add("s=d8n7ve2dc0;n=3;p=00f067aa0ba902b7;e=d8n7ve2dc1;w=retry;c=4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7;o=1;g=2")
	f.Fuzz(func(t *testing.T, text string) {
		once := tracing.ReadHistory(text)
		if twice := tracing.ReadHistory(once); twice != once {
			t.Errorf("%q is read as %q, and that as %q", text, once, twice)
		}
		if len(once) > 256 {
			t.Errorf("%q is %d bytes long", once, len(once))
		}
	})
}

func TestHeadersOfOthersStayAndAreNotTouched(t *testing.T) {
	s := newSite(t)
	p := s.process("shop", sdktrace.AlwaysSample(), tracing.Config{})
	old := map[string]string{"tenant": "x", "traceparent": "00-11111111111111111111111111111111-2222222222222222-01", "leat-trace": "s=1;o=1"}
	e := newEntry("a")
	e.Headers = old
	p.send(context.Background(), e)
	if len(old) != 3 || old["leat-trace"] != "s=1;o=1" {
		t.Errorf("the caller's headers became %v", old)
	}
	if e.Headers["tenant"] != "x" {
		t.Errorf("headers are %v, want those of the caller among them", e.Headers)
	}
	if sent := s.spans()[0]; !strings.Contains(e.Headers["traceparent"], sent.ID) || sent.Trace != strings.Repeat("1", 32) || sent.Parent != strings.Repeat("2", 16) {
		t.Errorf("headers %v and span %+v do not carry on what the headers said", e.Headers, sent)
	}
}

// TestHeadersAreBounded has a caller with large headers of its own and large baggage.
func TestHeadersAreBounded(t *testing.T) {
	full := func(n, size int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprintf("h%02d", i)] = strings.Repeat("v", size)
		}
		return m
	}
	member := func(size int) context.Context {
		m, err := baggage.NewMember("user", strings.Repeat("u", size))
		if err != nil {
			t.Fatal(err)
		}
		b, err := baggage.New(m)
		if err != nil {
			t.Fatal(err)
		}
		return baggage.ContextWithBaggage(context.Background(), b)
	}
	p := newSite(t).process("shop", sdktrace.AlwaysSample(), tracing.Config{})
	for _, c := range []struct {
		name    string
		ctx     context.Context
		headers map[string]string
		want    string // what is added
	}{
		{"small baggage", member(100), nil, "baggage leat-trace traceparent"},
		{"large baggage", member(1025), nil, "leat-trace traceparent"},
		{"room for all", member(100), full(61, 1), "baggage leat-trace traceparent"},
		{"room for two", member(100), full(62, 1), "leat-trace traceparent"},
		{"room for one", member(100), full(63, 1), ""},
		{"few bytes left", member(1000), full(2, 32<<10-200), "leat-trace traceparent"},
		{"no bytes left", member(100), full(2, 32<<10-4), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEntry("a")
			e.Headers = c.headers
			p.send(c.ctx, e)
			var added []string
			for _, key := range []string{"baggage", "leat-trace", "traceparent"} {
				if e.Headers[key] != "" {
					added = append(added, key)
				}
			}
			if got := strings.Join(added, " "); got != c.want {
				t.Errorf("added %q, want %q", got, c.want)
			}
			if err := (broker.Change{Enqueue: []broker.Entry{e.Entry}}).Check(); err != nil {
				t.Errorf("the entry is refused: %v", err)
			}
			p.lease(e).settle(retry(0), errDeclined)
			if err := (broker.Change{Enqueue: []broker.Entry{e.Entry}}).Check(); err != nil {
				t.Errorf("the entry is refused once it is retried: %v", err)
			}
		})
	}
}

func TestBaggageReachesTheHandler(t *testing.T) {
	s := newSite(t)
	shop := s.process("shop", sdktrace.AlwaysSample(), tracing.Config{})
	one := s.process("one", sdktrace.AlwaysSample(), tracing.Config{})
	m, _ := baggage.NewMember("user", "ann")
	b, _ := baggage.New(m)
	e := newEntry("a")
	shop.send(baggage.ContextWithBaggage(context.Background(), b), e)
	for range 2 {
		u := one.lease(e)
		if got := baggage.FromContext(u.ctx).Member("user").Value(); got != "ann" {
			t.Errorf("the handler's baggage has user %q, want ann", got)
		}
		u.settle(retry(0), errDeclined)
	}
}

func TestALongTraceStateIsLeftOut(t *testing.T) {
	p := newSite(t).process("shop", sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
	for _, n := range []int{1, 31} {
		state := trace.TraceState{}
		for i := range n {
			var err error
			if state, err = state.Insert(fmt.Sprintf("vendor%d", i), strings.Repeat("x", 40)); err != nil {
				t.Fatal(err)
			}
		}
		e := newEntry("a")
		p.send(trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state,
		})), e)
		if got := len(e.Headers["tracestate"]) > 0; got != (n == 1) {
			t.Errorf("of %d bytes of trace state, it is kept: %v", len(state.String()), got)
		}
	}
}
