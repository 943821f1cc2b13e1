package dag_test

import (
	"context"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

type (
	item struct {
		SKU   string
		Count int
	}
	order struct{ Items []item }
	hold  struct{ Cents int }
	bill  struct {
		Order order
		Holds []hold
	}
)

func (o order) items() []item { return o.Items }

func newBill(o order, h []hold) bill { return bill{o, h} }

func reserve(_ context.Context, i item) (hold, error) { return hold{100 * i.Count}, nil }

func charge(_ context.Context, b bill) (string, error) { return "receipt", nil }

// A step for each item of an order, and one that gets the order and what all of
// them returned.
func ExampleJoin2() {
	var (
		reserveStep = workflow.NewStep("reserve", reserve, task.Queue("stock"))
		chargeStep  = workflow.NewStep("charge", charge)
	)
	shop := dag.New("shop", func(g *dag.Graph, in dag.Val[order]) dag.Val[string] {
		holds := dag.Map(g, reserveStep, dag.Pick(g, in, order.items), dag.Parallel(10))
		return dag.Do(g, chargeStep, dag.Join2(g, in, holds, newBill))
	}, workflow.Retention(workflow.DefaultRetention*7))
	mux := task.NewMux()
	workflow.Register(mux, shop)
	// Output:
}

// A step that is used twice gets a name of its own the second time, and options
// that go before those of its definition.
func ExampleAs() {
	notify := workflow.NewStep("notify", func(_ context.Context, text string) (string, error) { return text, nil })
	_ = dag.New("twice", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] {
		first := dag.Do(g, notify, in)
		return dag.Do(g, notify, first, dag.As("notify-again"), dag.With(task.MaxRetry(0)))
	})
	// Output:
}
