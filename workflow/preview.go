package workflow

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/workflow/internal/plan"
)

// A RetryPreview is what a retry of a run would do, as the run stands.
type RetryPreview struct {
	// Again are the steps that would run again, or for the first time, in the order in which
	// the workflow declares them. What decides about them may yet have them skipped.
	Again []string
	// Partly are those of Again of which what is done stays done: the items of maps, and the
	// rounds of loops.
	Partly []string
	// Kept are the steps that would not run: what they have come to counts as it is.
	Kept []string
}

// PreviewRetry returns what [Handle.Retry] would do, or if step is not "" what
// [Handle.RetryFrom] would; with the errors that these have. It changes nothing.
func (h Handle) PreviewRetry(ctx context.Context, step string) (RetryPreview, error) {
	return h.preview(ctx, step != "", func(s *resets, v *values) error {
		if step == "" {
			return nil
		}
		n := v.Node(step)
		if n == nil || n.Kind == plan.End {
			return fmt.Errorf("%w: %s", ErrStepNotFound, step)
		}
		s.from(n)
		return nil
	})
}

// PreviewRetryAll returns what [Handle.RetryAll] would do, as PreviewRetry does.
func (h Handle) PreviewRetryAll(ctx context.Context) (RetryPreview, error) {
	return h.preview(ctx, true, func(s *resets, _ *values) error {
		s.all()
		return nil
	})
}

// preview returns what a retry would do that resets what choose does and what has failed;
// done is whether it is one of runs that are done, too.
func (h Handle) preview(ctx context.Context, done bool, choose func(*resets, *values) error) (RetryPreview, error) {
	p, err := h.previewRetry(ctx, done, choose)
	if err != nil {
		return p, fmt.Errorf("preview retry of run %s: %w", h.ID, err)
	}
	return p, nil
}

func (h Handle) previewRetry(ctx context.Context, done bool, choose func(*resets, *values) error) (p RetryPreview, err error) {
	v, err := h.values(ctx)
	if err != nil {
		return p, err
	}
	if c := v.control; !c.State.Ended() || c.Undone || c.State == Done && !done {
		return p, h.refuse("retry", c)
	}
	s := newResets(v.Plan)
	if err := choose(s, v); err != nil {
		return p, err
	}
	if err := s.failed(ctx, v); err != nil {
		return p, err
	}
	for _, n := range v.settlingSteps() {
		state, _, err := v.outcome(ctx, n)
		switch {
		case err != nil:
			return p, err
		case !s.steps[n.Name] && state != StepWaiting:
			p.Kept = append(p.Kept, n.Name)
			continue
		case !s.items[n.Name] && (n.Kind == plan.Map || n.Kind == plan.Loop):
			p.Partly = append(p.Partly, n.Name)
		}
		p.Again = append(p.Again, n.Name)
	}
	return p, nil
}
