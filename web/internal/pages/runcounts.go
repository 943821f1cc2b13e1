package pages

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/workflow"
)

// runsCounted are how many runs there are by state, counted once in a while for all.
type runsCounted struct {
	mu     sync.Mutex
	at     time.Time
	counts map[workflow.State]int
}

const (
	countEvery  = 5 * time.Second
	countAtMost = 1000 // runs in a state, beside a queue
	countBeside = 24   // queues
)

// countedStates are the states of runs in the order in which they are shown.
var countedStates = []workflow.State{
	workflow.Running, workflow.Paused, workflow.Closing, workflow.Undoing, workflow.Stuck,
	workflow.Done, workflow.Failed, workflow.Cancelled, workflow.TimedOut,
}

// runStates returns the states of runs, with how many there are in each.
func (p *Pages) runStates(ctx context.Context, asked query.Query[workflow.Summary]) (states []stateCount, err error) {
	counts, err := p.countRuns(ctx)
	if err != nil {
		return nil, err
	}
	only := asked.Only("state")
	for _, s := range countedStates {
		one := stateCount{State: string(s), Current: slices.Equal(only, []string{string(s)})}
		if counts != nil {
			one.Count = quantity.Count(counts[s])
			if counts[s] >= countAtMost {
				one.Count += "+"
			}
		}
		if one.URL, err = p.url("/runs", "q", query.Term("state", string(s))); err != nil {
			return nil, err
		}
		if one.Current {
			one.URL = p.Root + "/runs"
		}
		states = append(states, one)
	}
	return states, nil
}

// countRuns returns how many runs are in each state, or nil if they lie beside too many
// queues to be counted.
func (p *Pages) countRuns(ctx context.Context) (map[workflow.State]int, error) {
	c := &p.runsCounted
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := p.Storage.Now(); now.Sub(c.at) < countEvery && !c.at.IsZero() {
		return c.counts, nil
	}
	queues, err := p.Storage.Inspector.Queues(ctx)
	if err != nil {
		return nil, err
	}
	counts := make(map[workflow.State]int)
	if len(queues) > countBeside {
		queues, counts = nil, nil
	}
	for _, name := range queues {
		for _, s := range countedStates {
			n, err := workflow.CountRuns(ctx, p.Storage.Client, workflow.RunsRequest{Queue: name, State: s}, countAtMost)
			if err != nil {
				return nil, err
			}
			counts[s] += n
		}
	}
	c.at, c.counts = p.Storage.Now(), counts
	return counts, nil
}
