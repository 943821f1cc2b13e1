package main

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

type (
	Item struct {
		SKU   string
		Cents int
	}
	Order struct {
		ID    string
		Items []Item
	}
	Hold    struct{ Cents int }
	Bill    struct{ Cents int }
	Payment struct{ By string }
	Parcel  struct{ Number string }
)

func (o Order) Lines() []Item { return o.Items }

func newBill(_ Order, holds []Hold) (b Bill) {
	for _, h := range holds {
		b.Cents += h.Cents
	}
	return b
}

// The steps of an order. Those in the queue "inventory" are carried out by another process.
var (
	Validate = workflow.NewStep("validate", func(ctx context.Context, o Order) (Order, error) {
		slog.InfoContext(ctx, "the order is read", "order", o.ID)
		return o, work(ctx, 20)
	})
	Reserve = workflow.NewStep("reserve", func(ctx context.Context, i Item) (Hold, error) {
		if n, _ := task.GetRetryCount(ctx); i.SKU == "pot" && n == 0 {
			return Hold{}, cmp.Or[error](work(ctx, 10), shelfBusy{}) // which is better at the second try
		}
		slog.InfoContext(ctx, "put aside", "sku", i.SKU)
		return Hold{i.Cents}, work(ctx, 30)
	}, task.Queue("inventory"), task.MaxRetry(3))
	Price = workflow.NewStep("price", func(ctx context.Context, b Bill) (Bill, error) {
		slog.InfoContext(ctx, "the order has a price", "cents", b.Cents)
		return b, work(ctx, 15)
	})
	Ship = workflow.NewStep("ship", func(ctx context.Context, _ Payment) (Parcel, error) {
		ctx, span := otel.Tracer("inventory").Start(ctx, "book carrier", trace.WithSpanKind(trace.SpanKindClient))
		defer span.End() // a span of yours hangs below the attempt, whichever process that is in
		slog.InfoContext(ctx, "a parcel is on its way")
		return Parcel{"P-1"}, work(ctx, 40)
	}, task.Queue("inventory"))
	Confirm = workflow.NewStep("confirm", func(ctx context.Context, p Parcel) (string, error) {
		slog.InfoContext(ctx, "the customer is told", "parcel", p.Number)
		return p.Number, work(ctx, 10)
	})

	Paid = workflow.NewSignal[Payment]("paid")
)

// shelfBusy is why something cannot be taken from its shelf now.
type shelfBusy struct{}

func (shelfBusy) Error() string { return "the shelf is being counted" }

// work takes some milliseconds.
func work(ctx context.Context, ms time.Duration) error {
	select {
	case <-time.After(ms * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// OrderFlow is the workflow of an order.
var OrderFlow = dag.New("order", func(g *dag.Graph, in dag.Val[Order]) dag.Val[string] {
	valid := dag.Do(g, Validate, in)
	holds := dag.Map(g, Reserve, dag.Pick(g, valid, Order.Lines))
	bill := dag.Do(g, Price, dag.Join2(g, valid, holds, newBill))
	paid := dag.Await(g, Paid, time.Hour, dag.After(bill))
	return dag.Do(g, Confirm, dag.Do(g, Ship, paid))
}, workflow.Queue("orders"))
