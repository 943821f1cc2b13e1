// Order takes three orders through one workflow: one that is approved, one about which
// nobody says anything in time, and one whose card is charged and refunded, since it
// cannot be completed. It prints the workflow's picture, in the Mermaid language, and
// what happens.
//
//	go run ./examples/order                                  # in memory
//	go run ./examples/order -broker redis://localhost:6379/0
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

func main() {
	url := flag.String("broker", "memory:", "where tasks are kept: "+brokerurl.Forms)
	patience := flag.Duration("patience", time.Second, "how long an order waits to be approved")
	flag.Parse()
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := run(ctx, *url, newFlow(*patience)); err != nil {
		fmt.Fprintln(os.Stderr, "order:", err)
		os.Exit(1)
	}
}

// run starts a server in this process, and has it carry out the orders.
func run(ctx context.Context, url string, flow workflow.Workflow[Order, Receipt]) error {
	b, err := brokerurl.Open(url)
	if err != nil {
		return err
	}
	defer b.Close()
	mux := task.NewMux()
	workflow.Register(mux, flow)
	srv, err := queue.NewServer(b, queue.Config{Queues: map[string]int{"orders": 2, "stock": 1}})
	if err != nil {
		return err
	}
	if err := srv.Start(mux); err != nil {
		return err
	}
	fmt.Print(flow.Mermaid())
	err = takeOrders(ctx, queue.NewClient(b), flow)
	return errors.Join(err, srv.Shutdown(context.WithoutCancel(ctx)))
}

// takeOrders starts a run for each order, approves it or not, and prints how it ends.
func takeOrders(ctx context.Context, c *queue.Client, flow workflow.Workflow[Order, Receipt]) error {
	items := []Item{{"tea", 2}, {"cup", 4}}
	for _, o := range []struct {
		order    Order
		approved bool
	}{
		{Order{"approved", "ann@example.com", items}, true},
		{Order{"forgotten", "bob@example.com", items}, false},
		{Order{"undone", "", items}, true},
	} {
		fmt.Printf("\nOrder %s:\n", o.order.ID)
		run, err := flow.Start(ctx, c, o.order)
		if err == nil && o.approved { // whether the run waits for it already or not
			err = Approval.Send(ctx, run, Decision{OK: true, By: "Carol"})
		}
		if err != nil {
			return err
		}
		receipt, err := run.Result(ctx)
		switch {
		case err == nil:
			fmt.Printf("  %s: %s\n", receipt.OrderID, receipt.Says)
		case errors.Is(err, workflow.ErrRunFailed):
			fmt.Printf("  %v\n", err)
		default:
			return err
		}
	}
	return nil
}
