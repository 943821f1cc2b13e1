package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

type (
	Item struct {
		SKU string
		Qty int
	}
	Order struct {
		ID, Mail string
		Items    []Item
	}
	Hold  struct{ Cents int }
	Quote struct {
		Order Order
		Cents int
	}
	Decision struct {
		OK bool
		By string
	}
	Payment struct {
		Quote Quote
		TxID  string
	}
	Receipt struct{ OrderID, Says string }
)

func (o Order) Lines() []Item     { return o.Items }
func (d Decision) Approved() bool { return d.OK }

func newQuote(o Order, holds []Hold) Quote {
	q := Quote{Order: o}
	for _, h := range holds {
		q.Cents += h.Cents
	}
	return q
}

// say prints what happens.
func say(format string, args ...any) { fmt.Fprintf(out, format, args...) }

var out io.Writer = os.Stdout

// The steps are plain functions.
var (
	Validate = workflow.NewStep("validate", func(_ context.Context, o Order) (Order, error) {
		if len(o.Items) == 0 {
			return o, fmt.Errorf("order %s is empty: %w", o.ID, task.SkipRetry)
		}
		return o, nil
	})
	Reserve = workflow.NewStep("reserve", func(_ context.Context, i Item) (Hold, error) {
		say("  %d × %s are put aside\n", i.Qty, i.SKU)
		return Hold{Cents: 250 * i.Qty}, nil
	}, task.Queue("stock"), task.MaxRetry(5))
	Price = workflow.NewStep("price", func(_ context.Context, q Quote) (Quote, error) {
		say("  order %s costs %d cents; somebody must approve it\n", q.Order.ID, q.Cents)
		return q, nil
	})
	Charge = workflow.NewStep("charge", func(ctx context.Context, q Quote) (Payment, error) {
		say("  the card is charged %d cents\n", q.Cents)
		return Payment{Quote: q, TxID: "tx-" + q.Order.ID}, nil // a real one would hand on workflow.StepKey(ctx)
	}, task.Timeout(30*time.Second))
	Refund = workflow.NewStep("refund", func(_ context.Context, u workflow.Undo[Quote, Payment]) (workflow.None, error) {
		say("  %d cents are given back\n", u.Input.Cents)
		return workflow.None{}, nil
	})
	Notify = workflow.NewStep("notify", func(_ context.Context, p Payment) (Receipt, error) {
		if p.Quote.Order.Mail == "" {
			return Receipt{}, fmt.Errorf("%w: %w", errNoAddress, task.SkipRetry)
		}
		return Receipt{p.Quote.Order.ID, fmt.Sprintf("paid %d cents by %s", p.Quote.Cents, p.TxID)}, nil
	}, task.MaxRetry(3))
	Reject = workflow.NewStep("reject", func(_ context.Context, q Quote) (Receipt, error) {
		return Receipt{q.Order.ID, "not approved"}, nil
	})

	Approval = workflow.NewSignal[Decision]("approval")

	errNoAddress = errors.New("the order has no mail address")
)

// newFlow is the workflow of an order, for which somebody has so long to approve it.
func newFlow(patience time.Duration) workflow.Workflow[Order, Receipt] {
	return dag.New("order", func(g *dag.Graph, in dag.Val[Order]) dag.Val[Receipt] {
		valid := dag.Do(g, Validate, in)
		holds := dag.Map(g, Reserve, dag.Pick(g, valid, Order.Lines), dag.Parallel(10))
		quote := dag.Do(g, Price, dag.Join2(g, valid, holds, newQuote))
		verdict := dag.AwaitOr(g, Approval, patience, Decision{By: "nobody"}, dag.After(quote))
		return dag.If(g, dag.Pick(g, verdict, Decision.Approved),
			func(g *dag.Graph) dag.Val[Receipt] {
				return dag.Do(g, Notify, dag.Do(g, workflow.Reversible(Charge, Refund), quote))
			},
			func(g *dag.Graph) dag.Val[Receipt] { return dag.Do(g, Reject, quote) },
		)
	}, workflow.Queue("orders"), workflow.Deadline(48*time.Hour))
}
