package command_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

func init() {
	fillings["flows"] = fillFlows
	fillings["server"] = fillServer
}

// An order is the input of a run of orders.
type order struct {
	ID    string
	Fails bool // its first charge does
	Asks  bool // it waits for the signal approval
}

// orders returns a workflow that does what an order says: see [fillFlows].
func orders() workflow.Workflow[order, string] {
	var mu sync.Mutex
	charged := map[string]bool{}
	pack := workflow.NewStep("pack", func(_ context.Context, o order) (order, error) { return o, nil })
	charge := workflow.NewStep("charge", func(ctx context.Context, o order) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		id := workflow.RunIDFrom(ctx)
		if before := charged[id]; o.Fails && !before {
			charged[id] = true
			return "", errors.New("card declined")
		}
		return "receipt of " + o.ID, nil
	}, task.MaxRetry(0))
	approval := workflow.NewSignal[struct{ By string }]("approval")
	return dag.New("order", func(g *dag.Graph, in dag.Val[order]) dag.Val[string] {
		packed := dag.Do(g, pack, in)
		asks := dag.Pick(g, packed, func(o order) bool { return o.Asks })
		approved := dag.If(g, asks, func(g *dag.Graph) dag.Val[order] {
			return dag.Join2(g, packed, dag.Await(g, approval, 0), func(o order, by struct{ By string }) order {
				return order{ID: o.ID + " by " + by.By, Fails: o.Fails}
			})
		}, func(*dag.Graph) dag.Val[order] { return packed })
		return dag.Do(g, charge, approved)
	}, workflow.Queue("orders"))
}

// fillServer has a server serve the workflow order until the test ends.
func fillServer(ctx context.Context, b broker.Broker) error {
	mux := task.NewMux()
	workflow.Register(mux, orders())
	return serve(ctx, b, mux)
}

// serve has a server serve the queue orders until the test ends.
func serve(ctx context.Context, b broker.Broker, mux *task.Mux) error {
	s, err := queue.NewServer(b, queue.Config{Queues: map[string]int{"orders": 1}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = s.Shutdown(ctx) }) // what it leaves undone, nobody needs
	return s.Start(mux)
}

// fillFlows starts a run that is done, one that has failed and one that waits for the
// signal approval, on a server that goes on.
func fillFlows(ctx context.Context, b broker.Broker) error {
	if err := fillServer(ctx, b); err != nil {
		return err
	}
	c, flow := queue.NewClient(b), orders()
	for _, o := range []order{{ID: "good"}, {ID: "bad", Fails: true}, {ID: "asks", Asks: true}} {
		run, err := flow.Start(ctx, c, o, workflow.RunID(o.ID), workflow.Attribute("customer", "ada"))
		if err != nil {
			return err
		}
		if o.Asks {
			continue
		}
		if err := run.Wait(ctx); err != nil && !errors.Is(err, workflow.ErrRunFailed) {
			return err
		}
	}
	return nil
}
