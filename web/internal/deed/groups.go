package deed

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/web/access"
	"github.com/leatwork/leat/web/internal/problem"
)

// ErrGroupNotFound is matched if nothing waits in a group: there is none.
var ErrGroupNotFound = problem.Kind(http.StatusNotFound, "group not found")

var groupDeeds = []Deed{
	{
		Kind: Group, Name: "run", Label: "Run now", Role: access.Operator, Several: true,
		Help: "All tasks that wait in the group go to the back of their queue, to be run one by one.",
		do:   movingGroup(broker.Run, "are now pending"),
	}, {
		Kind: Group, Name: "archive", Label: "Archive", Role: access.Operator, Several: true,
		Help: "All tasks that wait in the group are kept to be looked at, and not run any more unless somebody has them run.",
		do:   movingGroup(broker.Archive, "are archived"),
	}, {
		Kind: Group, Name: "delete", Label: "Delete", Role: access.Admin, Several: true, Final: true, Instead: "archive",
		Help:  "All tasks that wait in the group are gone, as if they had never been enqueued.",
		do:    movingGroup(broker.Delete, "are deleted"),
		count: func(ctx context.Context, c call) (int, error) { return c.groupSize(ctx) },
		weigh: func(s Sample) int { return s.size },
	},
}

// movingGroup returns what does something to all tasks of a group.
func movingGroup(do broker.Act, done string) func(context.Context, call) (Outcome, error) {
	return func(ctx context.Context, c call) (Outcome, error) {
		r, err := c.Storage.Inspector.Bulk(ctx, queue.BulkRequest{Queue: c.t.Queue, State: task.Aggregating, Group: c.t.ID, Do: do, Progress: func(int) bool {
			return c.goesOn == nil || c.goesOn()
		}})
		switch {
		case err != nil && r.Done > 0:
			err = problem.Behind(fmt.Sprintf("%d tasks %s, and then", r.Done, done), err)
		case errors.Is(err, queue.ErrQueueNotFound), err == nil && r.Done+r.Skipped == 0:
			err = fmt.Errorf("%w: %s", ErrGroupNotFound, c.t)
		case err == nil && r.Stopped:
			err = errStopped
		}
		return Outcome{Text: fmt.Sprintf("%d tasks of group %s %s", r.Done, c.t, done)}, err
	}
}

// groupSize returns how many tasks wait in the group.
func (c call) groupSize(ctx context.Context) (int, error) {
	groups, err := c.Storage.Groups(ctx, c.t.Queue)
	if err != nil {
		return 0, err
	}
	for _, g := range groups {
		if g.Name == c.t.ID && g.Size > 0 {
			return g.Size, nil
		}
	}
	return 0, fmt.Errorf("%w: %s", ErrGroupNotFound, c.t)
}
