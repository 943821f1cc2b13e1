package aggregate

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/internal/aside"
	"github.com/leatwork/leat/internal/gather"
	"github.com/leatwork/leat/task"
)

// each has the handler say what becomes of each member, and returns how they are settled,
// each by itself.
func (b *batch) each(ctx context.Context, members []*member) ([]gather.Part, error) {
	tasks, items := make([]*task.Task, len(members)), make([]any, len(members))
	for i, m := range members {
		tasks[i], items[i] = m.task, m.item
	}
	errs, err := aside.Call(ctx, returnGrace, func() ([]error, error) {
		return b.handled.handler.each(ctx, b.leased.Group, tasks, items), nil
	})
	if err == nil && errs != nil && len(errs) != len(members) {
		err = fmt.Errorf("handler of group %s returned %d outcomes for %d tasks: %w", b.leased.Group, len(errs), len(members), task.SkipRetry)
	}
	parts := make([]gather.Part, len(members))
	for i, m := range members {
		switch {
		case err != nil:
			m.err = err
		case errs != nil:
			m.err = errs[i]
		}
		m.decide(ctx)
		parts[i] = m
	}
	return parts, err
}
