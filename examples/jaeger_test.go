//go:build soak

package examples

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/leatwork/leat/internal/freeport"
	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/internal/tracetest"
	"github.com/leatwork/leat/internal/tracetree"
)

var (
	jaegerProgram = flag.String("jaeger.program", "", "Jaeger's all-in-one, as scripts/jaeger builds it")
	jaegerFigures = flag.String("jaeger.figures", "", "the file to write what Jaeger says to; empty: none")
)

// Jaeger has one trace of a run that went through three processes, which looks as what was
// sent, and warns of nothing.
func TestJaegerHasOneTraceOfARunAndWarnsOfNothing(t *testing.T) {
	var reports []jaegerReport
	for _, place := range []struct{ name, url string }{
		{"a SQLite file", "sqlite:tracing.db"},
		{"Redis", redistest.Start(t, redistest.Options{}).URL()},
	} {
		t.Run("on "+place.name, func(t *testing.T) {
			j := startJaeger(t)
			got := startWith(t, j.env(), "tracing", "-broker", place.url).end(t)
			if got.code != 0 {
				t.Fatalf("exit status %d: %s", got.code, got.stderr)
			}
			orders := j.traces(t, "orders")
			if len(orders) != 1 {
				t.Fatalf("Jaeger has %d traces in which the service orders has spans, want 1", len(orders))
			}
			all := append(orders, j.traces(t, "shop")...)
			var spans []tracetree.Span
			for _, trace := range all {
				for _, w := range trace.warnings() {
					t.Errorf("Jaeger warns: %s", w)
				}
				spans = append(spans, trace.converted()...)
			}
			tracetest.Golden(t, orderTree, orderPrinter.Print(spans))
			reports = append(reports, jaegerReport{place.name, len(all), len(orders[0].Spans), len(orders[0].warnings()), j.dependencies(t)})
		})
	}
	if *jaegerFigures != "" && !t.Failed() {
		writeJaegerFigures(t, reports)
	}
}

// A jaeger is a Jaeger that a test has started, with its storage in memory.
type jaeger struct{ otlp, query string }

// startJaeger starts one that ends with t, and waits until it answers.
func startJaeger(t *testing.T) *jaeger {
	t.Helper()
	if *jaegerProgram == "" {
		t.Fatal("run scripts/jaeger, which builds Jaeger and says where it is")
	}
	j := &jaeger{otlp: freeport.Address(t), query: freeport.Address(t)}
	ctx, stop := context.WithCancel(t.Context())
	c := exec.CommandContext(ctx, *jaegerProgram,
		"--collector.otlp.grpc.host-port", j.otlp, "--query.http-server.host-port", j.query,
		"--collector.otlp.http.host-port", freeport.Address(t), "--query.grpc-server.host-port", freeport.Address(t),
		"--collector.grpc-server.host-port", freeport.Address(t), "--collector.http-server.host-port", freeport.Address(t),
		"--admin.http.host-port", freeport.Address(t))
	c.Env = append(os.Environ(), "SPAN_STORAGE_TYPE=memory", "OTEL_TRACES_SAMPLER=always_off") // it traces itself, too
	var said output
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = c.Wait() // it was killed
	})
	for deadline := time.Now().Add(30 * time.Second); j.ask("/api/services", new(any)) != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("Jaeger does not answer; it said\n%s", said.String())
		}
	}
	return j
}

// env is by what a process exports its spans to j.
func (j *jaeger) env() []string {
	return []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + j.otlp}
}

// ask reads what Jaeger answers to a query.
func (j *jaeger) ask(path string, data any) error {
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + j.query + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(&struct{ Data any }{data})
}

// traces returns all traces in which a service has spans.
func (j *jaeger) traces(t *testing.T, service string) (traces []jaegerTrace) {
	t.Helper()
	if err := j.ask("/api/traces?limit=1000&lookback=1h&service="+url.QueryEscape(service), &traces); err != nil {
		t.Fatal(err)
	}
	return traces
}

// dependencies returns which service calls which, as Jaeger sees it.
func (j *jaeger) dependencies(t *testing.T) (edges []string) {
	t.Helper()
	var data []struct {
		Parent, Child string
		CallCount     int
	}
	if err := j.ask(fmt.Sprintf("/api/dependencies?lookback=3600000&endTs=%d", time.Now().UnixMilli()), &data); err != nil {
		t.Fatal(err)
	}
	for _, d := range data {
		edges = append(edges, fmt.Sprintf("%s → %s (%d)", d.Parent, d.Child, d.CallCount))
	}
	return edges
}

// A jaegerTrace is a trace in Jaeger's own form.
type jaegerTrace struct {
	Spans     []jaegerSpan
	Processes map[string]struct{ ServiceName string }
	Warnings  []string
}

type jaegerSpan struct {
	TraceID, SpanID, OperationName, ProcessID string
	References                                []struct{ RefType, TraceID, SpanID string }
	StartTime, Duration                       int64 // microseconds
	Tags                                      []struct {
		Key   string
		Value any
	}
	Warnings []string
}

// warnings is all that Jaeger has to say of a trace.
func (trace jaegerTrace) warnings() []string {
	all := trace.Warnings
	for _, s := range trace.Spans {
		for _, w := range s.Warnings {
			all = append(all, s.OperationName+": "+w)
		}
	}
	return all
}

func (trace jaegerTrace) converted() (spans []tracetree.Span) {
	for _, s := range trace.Spans {
		to := tracetree.Span{
			Ref: tracetree.Ref{Trace: s.TraceID, ID: s.SpanID}, Name: s.OperationName, Service: trace.Processes[s.ProcessID].ServiceName,
			Began: time.UnixMicro(s.StartTime), Ended: time.UnixMicro(s.StartTime + s.Duration), Attributes: map[string]string{},
		}
		for _, tag := range s.Tags {
			to.Attributes[tag.Key] = fmt.Sprint(tag.Value)
		}
		to.Kind, to.Failed, to.Says = to.Attributes["span.kind"], to.Attributes["error"] == "true", to.Attributes["otel.status_description"]
		for _, r := range s.References {
			if r.RefType == "CHILD_OF" {
				to.Parent = r.SpanID
			} else {
				to.Links = append(to.Links, tracetree.Ref{Trace: r.TraceID, ID: r.SpanID})
			}
		}
		spans = append(spans, to)
	}
	return spans
}

// A jaegerReport is what was found on one broker.
type jaegerReport struct {
	Place           string
	Traces          int // of the shop and the run
	Spans, Warnings int // of the run's
	Edges           []string
}

var jaegerPage = template.Must(template.New("").Funcs(template.FuncMap{"join": strings.Join}).Parse(`# What Jaeger says

The order of [examples/tracing](../examples/tracing) went through three processes, which sent their spans by OTLP
over gRPC to Jaeger 1.76.0, built from its Go module and run with its storage in memory. This is what
Jaeger's API answered. ` + "`make jaeger`" + ` builds it, which takes some minutes once, and writes this page.

| kept in | traces | of them with the run | spans in it | warnings | who calls whom (times) |
|---|---|---|---|---|---|
{{range .Reports}}| {{.Place}} | {{.Traces}} | 1 | {{.Spans}} | {{.Warnings}} | {{join .Edges ", "}} |
{{end}}
The traces as they were read back, without times and ids: below each span those that hang from it, after → what it
links to, and as one with their number what looks the same.

` + "```" + `
{{.Tree}}` + "```" + `
`))

func writeJaegerFigures(t *testing.T, reports []jaegerReport) {
	t.Helper()
	tree, err := os.ReadFile(orderTree)
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	if err := jaegerPage.Execute(&page, map[string]any{"Reports": reports, "Tree": string(tree)}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*jaegerFigures, []byte(page.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
