package pages

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/internal/outline"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A comparedShown is what is shown of a run beside another of the same workflow.
type comparedShown struct {
	With  string // id of the other; "": of none
	Fault string // why it is not compared with that
	Run   *view.Run
	Steps []comparedStep
	Left  int // how many steps more took another time
	Leave string
}

// A comparedStep is how long a step took in both runs.
type comparedStep struct {
	Name        string
	Here, There time.Duration
}

// Difference is how much longer it took here.
func (s comparedStep) Difference() time.Duration { return s.Here - s.There }

// More is that in seconds, as a number to be shown.
func (s comparedStep) More() string {
	sign := "+"
	if s.Difference() < 0 {
		sign = "−"
	}
	return sign + outline.Short(s.Difference().Abs())
}

const mostCompared = 10 // steps in the table

// compare looks at the run that a run is to be compared with, which is kept beside the same
// queue.
func (p *Pages) compare(ctx context.Context, s *runShown) (*comparedShown, error) {
	if !s.compares {
		return &comparedShown{}, nil
	}
	with := s.with
	shown := &comparedShown{With: with}
	shown.Leave = s.look("with", "")
	if with == "" {
		shown.Fault = fmt.Sprintf("no other run of %s beside queue %s is done", s.Run.Workflow, s.Run.Queue)
		return shown, nil
	}
	if with == s.Run.ID {
		shown.Fault = "a run is not compared with itself"
		return shown, nil
	}
	other, err := workflow.OpenRun(p.Storage.Client, s.Run.Queue, with).Tree(ctx, 0)
	_, invalid := errors.AsType[*task.InvalidError](err) // no run has such an id
	switch {
	case invalid, errors.Is(err, workflow.ErrRunNotFound):
		shown.Fault = fmt.Sprintf("there is no run %s beside queue %s", with, s.Run.Queue)
		return shown, nil
	case err != nil:
		return nil, err
	case other.Workflow != s.Run.Workflow:
		shown.Fault = fmt.Sprintf("run %s is of workflow %s, not %s", with, other.Workflow, s.Run.Workflow)
		return shown, nil
	}
	run := view.RunOf(other, s.now)
	shown.Run = &run
	shown.Steps = differences(s.Run, run, s.now)
	shown.Steps, shown.Left = firstOf(shown.Steps, mostCompared)
	return shown, nil
}

// lastDone returns the id of the last other run of the workflow that was done; "": there is
// none.
func (p *Pages) lastDone(ctx context.Context, s *runShown) (string, error) {
	page, err := workflow.Runs(ctx, p.Storage.Client, workflow.RunsRequest{Queue: s.Run.Queue, Workflow: s.Run.Workflow, State: workflow.Done, Limit: 2})
	for _, other := range page.Runs {
		if other.ID != s.Run.ID {
			return other.ID, err
		}
	}
	return "", err
}

// differences returns the steps that took another time in another run, the largest
// difference first. Those that have not run in both are left out.
func differences(here, there view.Run, now time.Time) (all []comparedStep) {
	for _, step := range here.Steps {
		other, ok := there.Find(step.Name)
		if !ok {
			continue
		}
		own, others := outline.RowOf(here, step, now), outline.RowOf(there, other, now)
		haveRun := !own.Work.From.IsZero() && !others.Work.From.IsZero()
		if haveRun && own.Took != others.Took {
			all = append(all, comparedStep{step.Name, own.Took, others.Took})
		}
	}
	slices.SortStableFunc(all, func(a, b comparedStep) int { return cmp.Compare(b.Difference().Abs(), a.Difference().Abs()) })
	return all
}
