package deed

import (
	"context"

	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// RetryDeeds are the deeds that have a run that has ended run again: what has failed, from
// a step on, and all of it.
var RetryDeeds = []string{"retry", "retry-from", "retry-all"}

// PreviewRetry returns what one of [RetryDeeds] would run of a run; step is that of
// "retry-from", and "" otherwise. It has the errors that the deed has, and changes nothing.
func PreviewRetry(ctx context.Context, h workflow.Handle, name, step string) (workflow.RetryPreview, error) {
	switch {
	case name == "retry-from" && step == "":
		return workflow.RetryPreview{}, task.Invalid("step", step, "is needed")
	case name != "retry-from" && step != "":
		return workflow.RetryPreview{}, task.Invalid("step", step, "is only for retry-from")
	case name == "retry-all":
		return h.PreviewRetryAll(ctx)
	}
	return h.PreviewRetry(ctx, step)
}
