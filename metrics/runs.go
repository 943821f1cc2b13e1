package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/workflow"
)

// mostRuns is how many runs are counted in one state.
const mostRuns = 10_000

var (
	runsDesc   = prometheus.NewDesc("leat_runs", "Runs that have not ended, by workflow and state; 10000 if there are more.", []string{"workflow", "state"}, nil)
	openStates = []workflow.State{workflow.Running, workflow.Paused, workflow.Closing, workflow.Undoing, workflow.Stuck}
)

// runs tells how many runs of each workflow go on.
func (s *scrape) runs(ctx context.Context) error {
	c := queue.NewClient(s.cfg.Broker)
	for _, w := range s.cfg.Workflows {
		p := w.Spec().Plan
		for _, state := range openStates {
			n, err := workflow.CountRuns(ctx, c, workflow.RunsRequest{Queue: p.Queue, Workflow: p.Name, State: state}, mostRuns)
			if err != nil {
				return err
			}
			s.gauge(runsDesc, float64(n), p.Name, string(state))
		}
	}
	return nil
}
