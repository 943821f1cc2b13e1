package command

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

func (a *app) taskTransferCommand() *cobra.Command {
	var n taskNaming
	var to string
	c := &cobra.Command{
		Use:   "transfer [QUEUE/]ID... --to QUEUE",
		Short: "Put tasks that wait into another queue",
		Long: "Put tasks that wait into another queue. There each has the same id and waits for the same: to\n" +
			"be run, for its time, or in a group. The record of its attempts does not go with it. A task\n" +
			"that is unique in its queue, or belongs to a run, stays.\n\n" + taskNamingHelp,
		Example: "leat task transfer mail/4f1c --to mail-slow\nleat task ls --output id queue:mail type:digest | leat task transfer --to mail-slow",
		RunE: func(c *cobra.Command, args []string) error {
			if err := task.CheckName("--to", to); err != nil {
				return err
			}
			transfer := func(i *queue.Inspector, ctx context.Context, queue, id string) error {
				return i.Transfer(ctx, queue, id, to)
			}
			return a.eachTask(c.Context(), &n, args, "task %s is now in queue "+to, transfer)
		},
	}
	n.flags(c)
	c.Flags().StringVar(&to, "to", "", "the queue that they are to be in")
	_ = c.MarkFlagRequired("to") // there is such a flag
	return c
}
