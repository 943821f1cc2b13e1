package examples

import (
	"slices"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/tracetest"
	"github.com/leatwork/leat/internal/tracetree"
)

// orderPrinter writes what is the same in every run of the example.
var orderPrinter = tracetree.Printer{
	Attributes: []string{
		"messaging.batch.message_count", "leat.wait.reason", "leat.task.attempt", "leat.outcome", "leat.run.state",
		"leat.join.count", "leat.trigger", "error.type",
	},
	Services: []string{"POST", "start", "workflow", "step", "wait", "process", "send", "book"},
	Fold:     true,
}

const orderTree = "tracing/testdata/order.txt"

// An order that goes through three processes is one trace, wherever it is kept, and the
// lines of the log name its spans.
func TestTracing(t *testing.T) {
	for name, url := range map[string]string{
		"on a file of its own": "",
		"on sqlite":            "sqlite:tracing.db",
		"on redis":             redistest.Start(t, redistest.Options{}).URL(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := tracetest.Listen()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			got := startWith(t, r.Env("nobody"), "tracing", "-broker", url).end(t)
			if want := "order 1 is on its way in parcel P-1\n"; got.stdout != want || got.code != 0 {
				t.Fatalf("it prints %q and ends with %d, want %q and 0; it said\n%s", got.stdout, got.code, want, got.stderr)
			}
			spans := r.Spans()
			for _, fault := range tracetree.Check(spans) {
				t.Error(fault)
			}
			tracetest.Golden(t, orderTree, orderPrinter.Print(spans))
			for _, said := range []string{"the order is read", "put aside", "a parcel is on its way"} {
				if !saidIn(spans, got.stderr, said) {
					t.Errorf("no line says %q and names an attempt:\n%s", said, got.stderr)
				}
			}
		})
	}
}

// saidIn reports whether a line of the log says so and names an attempt, or a span below.
func saidIn(spans []tracetree.Span, log, said string) bool {
	for line := range strings.Lines(log) {
		_, id, _ := strings.Cut(strings.TrimSpace(line), "span_id=")
		if strings.Contains(line, said) && slices.ContainsFunc(spans, func(s tracetree.Span) bool {
			return s.ID == id && strings.Contains(line, "trace_id="+s.Trace) && s.Kind != "internal"
		}) {
			return true
		}
	}
	return false
}

// What exports to nobody ends all the same, and soon.
func TestTracingWithoutACollector(t *testing.T) {
	t.Parallel()
	got := startWith(t, []string{"OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + freeport.Address(t)}, "tracing").end(t)
	if !strings.Contains(got.stdout, "P-1") {
		t.Errorf("it prints %q and says\n%s\nwant that the order is on its way", got.stdout, got.stderr)
	}
}
