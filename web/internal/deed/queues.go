package deed

import (
	"context"
	"errors"
	"fmt"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/web/access"
)

var queueDeeds = []Deed{
	{
		Kind: Queue, Name: "pause", Label: "Pause", Role: access.Operator, Several: true,
		Help:   "No server takes tasks from the queue until it is resumed.",
		States: []string{Going},
		Params: []Param{{Name: "why", Label: "Why", Form: Text, Help: "Others see it."}},
		do: func(ctx context.Context, c call) (Outcome, error) {
			fresh, err := c.Storage.Inspector.PauseBy(ctx, c.t.Queue, c.by(), c.text("why"))
			return switched(fresh, c.t, "is paused", "was paused already"), err
		},
	}, {
		Kind: Queue, Name: "resume", Label: "Resume", Role: access.Operator, Several: true,
		Help:   "Servers take tasks from the queue again.",
		States: []string{Paused},
		do: func(ctx context.Context, c call) (Outcome, error) {
			fresh, err := c.Storage.Inspector.Resume(ctx, c.t.Queue)
			return switched(fresh, c.t, "goes on", "was not paused"), err
		},
	}, {
		Kind: Queue, Name: "remove", Label: "Remove", Role: access.Admin, Final: true, Several: true,
		Help: "The queue is removed with its figures. One that holds tasks or runs is left as it is, unless they are to be deleted with it.",
		Params: []Param{
			{Name: "force", Label: "Delete what is in it", Form: Truth, Help: "Also if there are tasks or runs in it, which are deleted."},
		},
		do: func(ctx context.Context, c call) (Outcome, error) {
			err := c.Storage.Inspector.RemoveQueue(ctx, c.t.Queue, c.truth("force"))
			return Outcome{Text: "queue " + c.t.String() + " is removed"}, err
		},
		count: func(ctx context.Context, c call) (int, error) {
			if !c.truth("force") {
				return 1, nil
			}
			info, err := c.Storage.Inspector.QueueInfo(ctx, c.t.Queue)
			if errors.Is(err, queue.ErrQueueNotFound) {
				return 1, nil // to remove it says so
			} else if err != nil {
				return 0, err
			}
			return max(info.Size(), 1), nil
		},
	},
}

func switched(fresh bool, t Target, now, before string) Outcome {
	if !fresh {
		now = before
	}
	return Outcome{Text: fmt.Sprintf("queue %s %s", t, now)}
}
