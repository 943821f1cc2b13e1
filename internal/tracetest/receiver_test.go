package tracetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/internal/tracetree"
)

func TestAReceiverHasWhatWasExported(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	r, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(r.address), otlptracegrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	p := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"))))
	tracer, began := p.Tracer(""), time.Now().Truncate(0)
	_, other := tracer.Start(ctx, "other", trace.WithSpanKind(trace.SpanKindServer))
	other.End()
	with, root := tracer.Start(ctx, "root", trace.WithTimestamp(began))
	_, child := tracer.Start(with, "child", trace.WithTimestamp(began.Add(time.Millisecond)), trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithLinks(trace.Link{SpanContext: other.SpanContext()}),
		trace.WithAttributes(attribute.String("s", "text"), attribute.Int("i", 7), attribute.Bool("b", true), attribute.Float64("f", 1.5)))
	child.AddEvent("ready")
	child.SetStatus(codes.Error, "no")
	child.End(trace.WithTimestamp(began.Add(2 * time.Millisecond)))
	root.End()
	if err := p.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}

	spans, err := r.Await(ctx, func(s []tracetree.Span) bool { return len(s) == 3 })
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(spans, func(s tracetree.Span) bool { return s.Name == "child" })
	want := tracetree.Span{
		Ref:    tracetree.Ref{Trace: root.SpanContext().TraceID().String(), ID: child.SpanContext().SpanID().String()},
		Parent: root.SpanContext().SpanID().String(),
		Name:   "child", Kind: "consumer", Service: "shop",
		Began: began.Add(time.Millisecond), Ended: began.Add(2 * time.Millisecond),
		Attributes: map[string]string{"s": "text", "i": "7", "b": "true", "f": "1.5"},
		Events:     []string{"ready"},
		Links:      []tracetree.Ref{{Trace: other.SpanContext().TraceID().String(), ID: other.SpanContext().SpanID().String()}},
		Failed:     true, Says: "no",
	}
	if diff := cmp.Diff(want, spans[i]); diff != "" {
		t.Errorf("it was received as (-want +got)\n%s", diff)
	}
	if faults := tracetree.Check(spans); faults != nil {
		t.Errorf("Check() = %q, want nothing", faults)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	r, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := r.Await(ctx, func([]tracetree.Span) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("Await() = %v, want that its context has ended", err)
	}
}

func TestEnvNamesTheReceiver(t *testing.T) {
	r, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	env := r.Env("shop")
	for _, want := range []string{"OTEL_SERVICE_NAME=shop", "OTEL_EXPORTER_OTLP_ENDPOINT=http://" + r.address} {
		if !slices.Contains(env, want) {
			t.Errorf("Env() = %q, want %q in it", strings.Join(env, " "), want)
		}
	}
}
