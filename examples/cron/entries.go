package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// entries are what every replica registers.
var entries = []periodic.Entry{
	{Name: "second", Schedule: "* * * * * *", Type: "second"},
	{
		Name:     "nightly",
		Schedule: "0 2 * * *",
		Zone:     "Europe/Berlin",
		Type:     workflow.StartType(Nightly.Name()), // a tick starts a run
		Payload:  periodic.JSON(nightOf),             // and this is its input
		Overlap:  periodic.SkipOverlap,               // unless the one of the night before still runs
	},
}

// A Night is what the nightly run is about.
type Night struct{ Day string }

// nightOf is made from the time that the tick has by the schedule, however late it is.
func nightOf(t periodic.Tick) Night {
	return Night{t.Time.AddDate(0, 0, -1).Format("Monday 2 January")}
}

// A Till is what one shop has taken on a day.
type Till struct {
	Shop  string
	Cents int
}

var (
	Shops = workflow.NewStep("shops", func(_ context.Context, n Night) ([]Till, error) {
		return []Till{{Shop: "Hill Street"}, {Shop: "Mill Lane"}, {Shop: "Old Weir"}}, nil
	})
	Count = workflow.NewStep("count", func(_ context.Context, t Till) (Till, error) {
		t.Cents = 100 * len(t.Shop) // a real one would ask the shop
		return t, nil
	})
	Report = workflow.NewStep("report", func(_ context.Context, text string) (workflow.None, error) {
		fmt.Println(" ", text)
		nights.note(time.Time{})
		return workflow.None{}, nil
	})

	Nightly = dag.New("nightly", func(g *dag.Graph, night dag.Val[Night]) dag.Val[workflow.None] {
		tills := dag.Map(g, Count, dag.Do(g, Shops, night))
		return dag.Do(g, Report, dag.Join2(g, night, tills, newReport))
	})
)

func newReport(n Night, tills []Till) string {
	var shops []string
	sum := 0
	for _, t := range tills {
		shops, sum = append(shops, t.Shop), sum+t.Cents
	}
	return fmt.Sprintf("%s: %d.%02d from %s", n.Day, sum/100, sum%100, strings.Join(shops, ", "))
}

// handle prints the ticks of each second that a replica runs.
func handle(replica string) task.HandlerFunc {
	return func(_ context.Context, t *task.Task) error {
		tick, _ := periodic.TickOf(t)
		fmt.Printf("  %s  %s\n", tick.Time.Local().Format(time.TimeOnly), replica)
		ticks.note(tick.Time)
		return nil
	}
}
