package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/hibiken/asynq"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
)

// What a process of a relay is told besides its side and its Redis.
const (
	postName  = "LEAT_PEERS_POST"       // set in such processes alone
	postFails = "LEAT_PEERS_POST_FAILS" // its handler fails
)

// w3c is how both sides hand a context on: what users of asynq write by hand.
var w3c = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})

// next is where a task is handed on to, by the name of the process.
var next = map[string]struct{ task, queue string }{
	"shop":   {"charge", "orders"},
	"orders": {"ship", "shipping"},
}

// relayWork is how long a task of a relay takes: longer than what has enqueued it, or a
// viewer would take the clocks for wrong.
const relayWork = 200 * time.Millisecond

// errAtFirst is what a handler returns that is told to fail.
var errAtFirst = errors.New("not now")

// A desk is what a process of a relay works with.
type desk struct {
	name   string
	url    string
	fails  bool
	tracer trace.Tracer
	hand   func(context.Context) error // hands on, if there is anybody
}

// relayTasks is the work of a process of a relay: the shop hands on, and the others do so
// for each task of their queue, until nobody holds their standard input any more.
func relayTasks(name, side, url string) (err error) {
	ctx := context.Background()
	exporter, err := otlptracegrpc.New(ctx)
	if err != nil {
		return err
	}
	provider := sdktrace.NewTracerProvider(append(tracing.ProviderOptions(nil), sdktrace.WithBatcher(exporter))...)
	defer func() {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		err = errors.Join(err, provider.Shutdown(ctx))
	}()
	d := &desk{name: name, url: url, fails: os.Getenv(postFails) != "", tracer: provider.Tracer("the user's")}
	serve := d.serveLeat(provider)
	if side == peer.name {
		serve = d.serveAsynq()
	}
	if name != "shop" {
		return serve(func() error {
			_, err := io.Copy(io.Discard, os.Stdin)
			return err
		})
	}
	return serve(func() error {
		member, err := baggage.NewMember("tenant", "acme")
		if err != nil {
			return err
		}
		bag, err := baggage.New(member)
		if err != nil {
			return err
		}
		ctx, span := d.tracer.Start(baggage.ContextWithBaggage(ctx, bag), "POST /orders", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		return d.hand(ctx)
	})
}

// work is what the user's handler does.
func (d *desk) work(ctx context.Context) error {
	tenant := baggage.FromContext(ctx).Member("tenant").Value()
	_, span := d.tracer.Start(ctx, "work of "+d.name, trace.WithAttributes(attribute.String("tenant", tenant)))
	time.Sleep(relayWork)
	span.End()
	if d.fails {
		return errAtFirst
	}
	if _, ok := next[d.name]; ok {
		return d.hand(ctx)
	}
	return nil
}

// serveLeat returns what runs as long as a function does, with a client and, except in
// the shop, a server of Leat.
func (d *desk) serveLeat(provider trace.TracerProvider) func(func() error) error {
	return func(meanwhile func() error) error {
		b, err := redisbroker.Open(d.url, &redisbroker.Options{Logger: quiet})
		if err != nil {
			return err
		}
		defer b.Close()
		tracer, err := tracing.New(tracing.Config{TracerProvider: provider, Propagator: w3c, Logger: quiet})
		if err != nil {
			return err
		}
		client := queue.NewClient(b)
		client.Tracer = tracer
		d.hand = func(ctx context.Context) error {
			_, err := client.Enqueue(ctx, task.New(next[d.name].task, nil), task.Queue(next[d.name].queue))
			return err
		}
		if d.name == "shop" {
			return meanwhile()
		}
		cfg := leatConfig(d.name)
		cfg.Tracer, cfg.Client = tracer, client
		srv, err := queue.NewServer(b, cfg)
		if err != nil {
			return err
		}
		if err := srv.Start(task.HandlerFunc(func(ctx context.Context, _ *task.Task) error { return d.work(ctx) })); err != nil {
			return err
		}
		return errors.Join(meanwhile(), srv.Shutdown(context.Background()))
	}
}

// serveAsynq returns what runs as long as a function does, with a client and, except in
// the shop, a server of asynq, and spans as its users make them.
func (d *desk) serveAsynq() func(func() error) error {
	return func(meanwhile func() error) error {
		opt, err := asynq.ParseRedisURI(d.url)
		if err != nil {
			return err
		}
		client := asynq.NewClient(opt)
		defer client.Close()
		d.hand = func(ctx context.Context) error {
			ctx, span := d.tracer.Start(ctx, "enqueue "+next[d.name].task, trace.WithSpanKind(trace.SpanKindProducer))
			defer span.End()
			headers := propagation.MapCarrier{}
			w3c.Inject(ctx, headers)
			_, err := client.Enqueue(asynq.NewTaskWithHeaders(next[d.name].task, nil, headers), asynq.Queue(next[d.name].queue))
			return err
		}
		if d.name == "shop" {
			return meanwhile()
		}
		cfg := asynqConfig(d.name)
		cfg.RetryDelayFunc = func(int, error, *asynq.Task) time.Duration { return time.Minute }
		srv := asynq.NewServer(opt, cfg)
		if err := srv.Start(asynq.HandlerFunc(d.processAsynq)); err != nil {
			return err
		}
		defer srv.Shutdown()
		return meanwhile()
	}
}

// processAsynq is a handler of asynq's that traces what it does.
func (d *desk) processAsynq(ctx context.Context, t *asynq.Task) (err error) {
	ctx = w3c.Extract(ctx, propagation.MapCarrier(t.Headers()))
	ctx, span := d.tracer.Start(ctx, "run "+t.Type(), trace.WithSpanKind(trace.SpanKindConsumer))
	defer span.End()
	if err := d.work(ctx); err != nil {
		return fmt.Errorf("run %s: %w", t.Type(), err)
	}
	return nil
}
