package command

import (
	"context"

	"github.com/spf13/cobra"
)

// queueCommand returns what can be done with queues.
func (a *app) queueCommand() *cobra.Command {
	return noun("queue", "Look at queues, pause them, remove them",
		&cobra.Command{
			Use:               "pause QUEUE...",
			Short:             "Have no task of a queue begun until it is resumed",
			Example:           "leat queue pause mail",
			Args:              cobra.MinimumNArgs(1),
			ValidArgsFunction: a.completeQueues,
			RunE:              func(c *cobra.Command, args []string) error { return a.pauseQueues(c.Context(), args) },
		},
	)
}

func (a *app) pauseQueues(ctx context.Context, queues []string) error {
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	return a.each(queues, "queue %s is paused", func(queue string) error {
		_, err := i.Pause(ctx, queue)
		return err
	})
}
