package storage

import (
	"context"
	"time"

	"github.com/leatwork/leat/workflow"
)

const (
	countEvery  = 5 * time.Second
	countBeside = 24 // queues
)

// MostRunsCounted is up to how many runs in a state are counted beside each queue.
const MostRunsCounted = 1000

// RunStates are the states of runs in the order in which they are shown.
var RunStates = [...]workflow.State{
	workflow.Running, workflow.Paused, workflow.Closing, workflow.Undoing, workflow.Stuck,
	workflow.Done, workflow.Failed, workflow.Cancelled, workflow.TimedOut,
}

// RunCounts returns how many runs are in each state, or nil if they lie beside too many
// queues to be counted. That takes many trips: what was counted serves some seconds,
// whatever changes. What it returns is shared and must not be changed.
func (s *Storage) RunCounts(ctx context.Context) (map[workflow.State]int, error) {
	return s.runs.get(ctx)
}

func (s *Storage) countRuns(ctx context.Context) (map[workflow.State]int, error) {
	queues, err := s.Inspector.Queues(ctx)
	if err != nil || len(queues) > countBeside {
		return nil, err
	}
	counts := make(map[workflow.State]int)
	for _, name := range queues {
		for _, state := range RunStates {
			n, err := workflow.CountRuns(ctx, s.Client, workflow.RunsRequest{Queue: name, State: state}, MostRunsCounted)
			if err != nil {
				return nil, err
			}
			counts[state] += n
		}
	}
	return counts, nil
}
