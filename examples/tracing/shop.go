package main

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/tracing"
	"github.com/leatwork/leat/workflow"
)

// sell does what a web server would do in two requests: it takes an order, and when that has
// a price, the money.
func sell(ctx context.Context, b broker.Broker, tracer *tracing.Tracer) error {
	client := queue.NewClient(b)
	client.Tracer = tracer
	var run workflow.Run[string]
	order := Order{"1", []Item{{"tea", 450}, {"cup", 900}, {"pot", 2400}}}
	err := request(ctx, "POST /orders", func(ctx context.Context) (err error) {
		run, err = OrderFlow.Start(ctx, client, order)
		return err
	})
	if err != nil {
		return err
	}
	if err := priced(ctx, run); err != nil {
		return err
	}
	err = request(ctx, "POST /payments", func(ctx context.Context) error {
		return Paid.Send(ctx, run, Payment{By: "Ann"})
	})
	if err != nil {
		return err
	}
	parcel, err := run.Result(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("order %s is on its way in parcel %s\n", order.ID, parcel)
	return nil
}

// request does what a request does, in a span such as those that package otelhttp makes.
func request(ctx context.Context, name string, do func(context.Context) error) error {
	ctx, span := otel.Tracer("shop").Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	return do(ctx)
}

// priced waits until the customer knows what is to be paid.
func priced(ctx context.Context, run workflow.Run[string]) error {
	for {
		s, err := run.Status(ctx)
		if err != nil {
			return err
		}
		for _, step := range s.Steps {
			if step.Name == "price" && step.State == workflow.StepDone {
				return work(ctx, 60)
			}
		}
		if err := work(ctx, 10); err != nil {
			return err
		}
	}
}

// retryAtOnce has the second try come soon, so that nobody has to wait for it.
func retryAtOnce(int, error, *task.Task) time.Duration { return 50 * time.Millisecond }
