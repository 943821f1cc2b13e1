package stock

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// How large the large workflow is: its run has Regions runs within it, each of a few steps
// more than ledgersEach.
const (
	Regions     = 20
	ledgersEach = 22

	finished = 8 // regions that come to their end; the others stay at some ledger
)

// A ledger is one of a region.
type ledger struct {
	Region int `json:"region"`
	Number int `json:"number"`
}

// isAtWork reports whether it is one that never ends.
func (l ledger) isAtWork() bool { return l.Region >= finished && l.Number%7 == l.Region%7 }

var (
	open = step("open-books", func(_ context.Context, region int) ([]ledger, error) {
		all := make([]ledger, ledgersEach)
		for i := range all {
			all[i] = ledger{region, i}
		}
		return all, nil
	})
	closeLedger = step("close-ledger", func(ctx context.Context, l ledger) (int, error) {
		if l.isAtWork() {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return 100*l.Region + l.Number, nil
	})
	audit   = step("audit", func(_ context.Context, sum int) (int, error) { return sum, nil })
	archive = step("archive", func(_ context.Context, sum int) (string, error) { return fmt.Sprint("sum ", sum), nil })
	list    = step("list-regions", func(_ context.Context, year int) ([]int, error) {
		all := make([]int, Regions)
		for i := range all {
			all[i] = i
		}
		return all, nil
	})
	totals  = step("totals", func(_ context.Context, sums []string) (string, error) { return fmt.Sprint(len(sums), " regions"), nil })
	publish = step("publish", func(_ context.Context, s string) (string, error) { return s, nil })
)

// region closes the books of one region: a step for each of its ledgers.
var region = dag.New("region", func(g *dag.Graph, number dag.Val[int]) dag.Val[string] {
	books := dag.Do(g, open, number)
	sum := dag.Const(g, 0)
	for i := range ledgersEach {
		one := dag.Do(g, closeLedger, dag.Pick(g, books, func(all []ledger) ledger { return all[i] }), dag.As(fmt.Sprintf("ledger-%02d", i+1)))
		sum = dag.Join2(g, sum, one, func(a, b int) int { return a + b })
	}
	return dag.Do(g, archive, dag.Do(g, audit, sum))
}, workflow.Queue(flowQueue))

// yearEnd closes all books: a run for each region.
var yearEnd = dag.New("year-end", func(g *dag.Graph, year dag.Val[int]) dag.Val[string] {
	return dag.Do(g, publish, dag.Do(g, totals, dag.Map(g, region, dag.Do(g, list, year), dag.As("regions"))))
}, workflow.Queue(flowQueue))
