package stock

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// flowQueue is the queue of the runs and of their steps.
const flowQueue = "flows"

// An order is the input of the small workflow. How the step goes that its number ends
// with says what becomes of the run.
type order struct {
	Number   string   `json:"number"`
	Customer int      `json:"customer"`
	Lines    []string `json:"lines"`
	Goes     string   `json:"goes"` // "": to its end; the name of a step: is at that; "declined": fails
}

// at has a step take as long as the program runs, if the order is to be found at it.
func (o order) at(ctx context.Context, step string) error {
	if o.Goes != step {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// approval is what the order's run waits for.
type approval struct {
	By string `json:"by"`
}

var (
	approved = workflow.NewSignal[approval]("approved")

	check   = step("check", func(ctx context.Context, o order) (order, error) { return o, o.at(ctx, "check") })
	price   = step("price", func(ctx context.Context, o order) (int, error) { return 100 * len(o.Lines), o.at(ctx, "price") })
	reserve = step("reserve", func(_ context.Context, o order) ([]string, error) { return o.Lines, nil })
	pack    = step("pack", func(_ context.Context, line string) (string, error) { return "parcel of " + line, nil })
	debit   = step("debit", func(ctx context.Context, o order) (string, error) {
		if o.Goes == "declined" {
			return "", fmt.Errorf("card declined: insufficient funds: %w", task.SkipRetry)
		}
		return "receipt-" + o.Number, o.at(ctx, "debit")
	})
	ship = step("ship", func(_ context.Context, parcels []string) (string, error) {
		return fmt.Sprintf("%d parcels are on their way", len(parcels)), nil
	})
)

// step returns a step that is run in the runs' queue and not tried often.
func step[In, Out any](name string, f func(context.Context, In) (Out, error)) workflow.Step[In, Out] {
	return workflow.NewStep(name, f, task.Queue(flowQueue), task.MaxRetry(1), task.NoTimeout())
}

// orders is a workflow of a few steps, with a map, a wait and a join.
var orders = dag.New("order", func(g *dag.Graph, in dag.Val[order]) dag.Val[string] {
	checked := dag.Do(g, check, in)
	amount := dag.Do(g, price, checked)
	lines := dag.Do(g, reserve, checked)
	parcels := dag.Map(g, pack, lines)
	who := dag.Await(g, approved, 48*time.Hour, dag.As("approval"), dag.After(amount))
	paid := dag.Do(g, debit, checked, dag.After(who))
	return dag.Do(g, ship, parcels, dag.After(paid))
}, workflow.Queue(flowQueue))

// quick is the order's workflow without a wait, and with one step after the other, so that
// its history is always the same.
var quick = dag.New("reorder", func(g *dag.Graph, in dag.Val[order]) dag.Val[string] {
	checked := dag.Do(g, check, in)
	amount := dag.Do(g, price, checked)
	parcels := dag.Map(g, pack, dag.Do(g, reserve, checked, dag.After(amount)))
	paid := dag.Do(g, debit, checked, dag.After(parcels))
	return dag.Do(g, ship, parcels, dag.After(paid))
}, workflow.Queue(flowQueue))
