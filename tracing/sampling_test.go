package tracing_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/leatwork/leat/internal/tracetest"
	"github.com/leatwork/leat/internal/tracetree"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/tracing"
)

// TestATraceIsWholeOrAbsent has processes whose samplers do not agree. The one that begins a
// trace decides.
func TestATraceIsWholeOrAbsent(t *testing.T) {
	for _, producer := range []bool{true, false} {
		t.Run(fmt.Sprintf("the producer traces: %v", producer), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				shop := s.process("shop", sdktrace.TraceIDRatioBased(0.5), tracing.Config{})
				one := s.process("one", sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.5)), tracing.Config{})
				two := s.process("two", sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)), tracing.Config{})
				for i := range 200 {
					e := newEntry(fmt.Sprint("e", i))
					if i%2 == 0 {
						e.DueAt = time.Now().Add(time.Hour)
					}
					if producer {
						shop.send(context.Background(), e)
					}
					one.lease(e).work(time.Second).settle(retry(time.Second), errDeclined)
					two.lease(e).work(time.Second).die()
					two.lease(e).work(time.Second).settle(archived(), errDeclined)
					two.lease(e).work(time.Second).settle(done(), nil)
				}
				s.check()
				if n := tasksOf(s.spans()); n < 2*60 || n > 2*140 {
					t.Errorf("%d of 400 covers were exported, want about half", n)
				}
			})
		})
	}
}

func tasksOf(spans []tracetree.Span) (n int) {
	for _, s := range spans {
		if s.Name == "task mail" {
			n++
		}
	}
	return n
}

func TestWhatIsNotSampledGoesOnUnderItsTrace(t *testing.T) {
	s := newSite(t)
	shop := s.process("shop", sdktrace.NeverSample(), tracing.Config{})
	one := s.process("one", sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
	ctx, _ := shop.span(context.Background(), "GET /order")
	e, soon := newEntry("a"), newEntry("b")
	shop.send(ctx, e, soon)
	if e.Headers["traceparent"] == "" || e.Headers["leat-trace"] != "" {
		t.Errorf("headers are %v, want a traceparent alone", e.Headers)
	}
	u := one.lease(e)
	if got, want := traceparent(u.ctx), traceparent(ctx); got["traceparent"] != want["traceparent"] {
		t.Errorf("the handler is in %v, want the caller's %v", got, want)
	}
	then := newEntry("c")
	one.send(u.work(time.Millisecond).ctx, then)
	u.settle(retry(0), errDeclined)
	one.lease(e).settle(done(), nil)
	one.lease(then).settle(done(), nil)
	if got := s.spans(); len(got) > 0 {
		t.Errorf("exported\n%s", printer.Print(got))
	}
}

// TestAnUntracedTaskIsDecidedOnce has a task that came without headers, which is not sampled.
func TestAnUntracedTaskIsDecidedOnce(t *testing.T) {
	s := newSite(t)
	one := s.process("one", sdktrace.ParentBased(sdktrace.NeverSample()), tracing.Config{})
	two := s.process("two", sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
	e := newEntry("a")
	one.lease(e).work(time.Millisecond).settle(retry(0), errDeclined)
	two.lease(e).work(time.Millisecond).settle(done(), nil)
	if got := s.spans(); len(got) > 0 {
		t.Errorf("exported\n%s", printer.Print(got))
	}
}

// TestWithoutOptions has a provider that was made without them, in every process or in
// some: nothing hangs in the air.
func TestWithoutOptions(t *testing.T) {
	for _, name := range []string{"all", "the producer", "the workers"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				start := func(process string, without bool) *process {
					if without {
						return s.start(process, tracing.Config{}, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())))
					}
					return s.process(process, sdktrace.ParentBased(sdktrace.AlwaysSample()), tracing.Config{})
				}
				shop := start("shop", name != "the workers")
				one, two := start("one", name != "the producer"), start("two", name != "the producer")
				e, later, bare := newEntry("a"), newEntry("b"), newEntry("c")
				later.DueAt = time.Now().Add(time.Hour)
				ctx, request := shop.span(context.Background(), "GET /order")
				shop.send(ctx, e, later)
				request.End()
				for _, e := range []*entry{e, bare, later} {
					one.lease(e).work(time.Second).settle(retry(time.Minute), errDeclined)
					two.lease(e).work(time.Second).settle(retry(time.Minute), queue.ErrTimeout)
					one.lease(e).work(time.Second).settle(done(), nil)
				}
				for _, fault := range tracetree.Check(s.spans()) {
					t.Log(fault) // of times, which is the price
				}
				seen := map[tracetree.Ref]bool{}
				for _, span := range s.spans() {
					seen[span.Ref] = true
				}
				for _, span := range s.spans() {
					if span.Parent != "" && !seen[tracetree.Ref{Trace: span.Trace, ID: span.Parent}] {
						t.Errorf("the parent of %q is not there", span.Name)
					}
				}
				tracetest.Golden(t, goldenFile("without options in "+name), printer.Print(s.spans()))
			})
		})
	}
}
