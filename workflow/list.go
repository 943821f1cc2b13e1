package workflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A RunsRequest asks for runs. Its zero value asks for the first hundred of those
// that are kept beside the queue [task.DefaultQueue], the newest first.
type RunsRequest struct {
	Queue      string            // beside which they are kept
	Workflow   string            // "": of any
	State      State             // "": in any
	Attributes map[string]string // those that they were given, all of them
	From, To   time.Time         // started at or after From, and before To; zero: no bound
	Oldest     bool              // the oldest first
	After      string            // the Next of the page before
	Limit      int               // 0: 100; at most 1000
}

// A RunsPage is some of the runs that were asked for. There may be fewer than Limit
// although there are more.
type RunsPage struct {
	Runs []Summary
	Next string // "" on the last page
}

// A Summary is a run in a list.
type Summary struct {
	Handle

	Workflow   string
	State      State
	Started    time.Time
	Ended      time.Time // zero as long as it has not
	Failure    *StepError
	Attributes map[string]string
}

// Runs returns a page of the runs that r asks for, runs within runs among them.
func Runs(ctx context.Context, c *queue.Client, r RunsRequest) (RunsPage, error) {
	found, err := c.Broker().Homes(ctx, r.homes())
	if err != nil {
		return RunsPage{}, fmt.Errorf("list runs: %w", err)
	}
	page := RunsPage{Next: found.Next}
	for _, f := range found.Homes {
		h := Handle{ID: f.Home.ID, home: f.Home, broker: c.Broker(), audience: callers{c}}
		s, err := h.summary(ctx)
		if errors.Is(err, ErrRunNotFound) {
			continue // it has gone meanwhile
		}
		if err != nil {
			return page, fmt.Errorf("list runs: %w", err)
		}
		page.Runs = append(page.Runs, s)
	}
	return page, nil
}

// CountRuns returns how many runs r asks for, whatever its Limit, and most if there are
// that many or more. It takes one trip for each thousand of them, more if they are few of
// many.
func CountRuns(ctx context.Context, c *queue.Client, r RunsRequest, most int) (count int, err error) {
	for r.Limit = broker.MaxParts; count < most; {
		page, err := c.Broker().Homes(ctx, r.homes())
		if err != nil {
			return 0, fmt.Errorf("count runs: %w", err)
		}
		count += len(page.Homes)
		if r.After = page.Next; page.Next == "" {
			break
		}
	}
	return min(count, most), nil
}

// homes returns the request for the homes of the runs that r asks for.
func (r RunsRequest) homes() broker.HomesRequest {
	req := broker.HomesRequest{Queue: r.Queue, From: r.From, To: r.To, Newest: !r.Oldest, After: r.After, Limit: r.Limit}
	if req.Queue == "" {
		req.Queue = task.DefaultQueue
	}
	if req.Limit == 0 {
		req.Limit = 100
	}
	for _, k := range slices.Sorted(maps.Keys(r.Attributes)) { // which are rarer than states
		req.Terms = append(req.Terms, attributeTerm(k, r.Attributes[k]))
	}
	if r.State != "" {
		req.Terms = append(req.Terms, stateTerm(r.State))
	}
	if r.Workflow != "" {
		req.Terms = append(req.Terms, workflowTerm(r.Workflow))
	}
	return req
}

func (h Handle) summary(ctx context.Context) (Summary, error) {
	c, _, err := h.control(ctx)
	return Summary{Handle: h, Workflow: c.Workflow, State: c.State, Started: c.Started, Ended: c.Ended, Failure: c.Failure, Attributes: c.Attributes}, err
}
