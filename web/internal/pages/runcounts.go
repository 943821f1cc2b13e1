package pages

import (
	"context"
	"slices"

	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/web/internal/storage"
	"github.com/leatwork/leat/workflow"
)

// runStates returns the states of runs, with how many there are in each.
func (p *Pages) runStates(ctx context.Context, asked query.Query[workflow.Summary]) (states []stateCount, err error) {
	counts, err := p.Storage.RunCounts(ctx)
	if err != nil {
		return nil, err
	}
	only := asked.Only("state")
	for _, s := range storage.RunStates {
		one := stateCount{State: string(s), Current: slices.Equal(only, []string{string(s)})}
		if counts != nil {
			one.Count = quantity.Count(counts[s])
			if counts[s] >= storage.MostRunsCounted {
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
