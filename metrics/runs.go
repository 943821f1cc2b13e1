package metrics

import (
	"context"
	"maps"
	"slices"

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
	queues := s.cfg.runQueues()
	for _, name := range slices.Sorted(maps.Keys(queues)) {
		if err := s.runsOf(ctx, name, queues[name]); ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// runQueues returns the names of the workflows, and the queues that runs of each are in:
// several versions of one may be given, and several that have one name.
func (c Config) runQueues() map[string][]string {
	queues := make(map[string][]string)
	for _, w := range c.Workflows {
		p := w.Spec().Plan
		if !slices.Contains(queues[p.Name], p.Queue) {
			queues[p.Name] = append(queues[p.Name], p.Queue)
		}
	}
	return queues
}

// runsOf tells how many runs of the workflow of that name go on in queues. If one of these
// cannot be read, none of it is told, which would be too little.
func (s *scrape) runsOf(ctx context.Context, name string, queues []string) error {
	c := queue.NewClient(s.cfg.Broker)
	count := make(map[workflow.State]int)
	for _, q := range queues {
		for _, state := range openStates {
			n, err := workflow.CountRuns(ctx, c, workflow.RunsRequest{Queue: q, Workflow: name, State: state}, mostRuns)
			if err != nil {
				s.failed("runs", q, err)
				return err
			}
			count[state] = min(count[state]+n, mostRuns)
		}
	}
	for _, state := range openStates {
		s.gauge(runsDesc, float64(count[state]), name, string(state))
	}
	return nil
}
