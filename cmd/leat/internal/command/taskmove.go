package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/queue"
)

// A taskVerb is what can be done to single tasks, and needs nothing more to be said.
type taskVerb struct {
	name    string
	aliases []string
	short   string
	long    string
	done    string // a sentence about the task that is named
	do      func(i *queue.Inspector, ctx context.Context, queue, id string) error
}

func taskVerbs() []taskVerb {
	return []taskVerb{
		{
			name: "cancel", short: "Cancel tasks, whether they wait or are running", done: "task %s is cancelled, or asked to end",
			long: "A task that waits is archived as cancelled. One that is running is asked to end, and is\narchived as cancelled unless its handler says that it is done. It is not retried.",
			do:   (*queue.Inspector).Cancel,
		}, {
			name: "delete", aliases: []string{"rm", "remove"}, short: "Delete tasks", done: "task %s is deleted",
			long: "A task that a worker is running cannot be deleted: cancel it.",
			do:   (*queue.Inspector).Delete,
		}, {
			name: "archive", short: "Archive tasks, to be looked at", done: "task %s is archived",
			long: "It is not run any more, unless somebody has it run. A task that a worker is running\ncannot be archived: cancel it.",
			do:   (*queue.Inspector).Archive,
		}, {
			name: "run", short: "Have tasks run now", done: "task %s is now pending",
			long: "Tasks that are scheduled, to be retried, archived, completed or in a group go to the\nback of their queue.",
			do:   (*queue.Inspector).Run,
		}, {
			name: "recover", short: "Have active tasks run again that have no worker any more", done: "task %s is now pending",
			long: "A server of the queue does so by itself, within seconds.",
			do:   (*queue.Inspector).Recover,
		}, {
			name: "drop", short: "Delete active tasks that have no worker any more", done: "task %s is dropped",
			long: "Only what no worker holds is dropped: one that is running is refused.",
			do:   (*queue.Inspector).Drop,
		},
	}
}

func (a *app) taskVerbCommand(v taskVerb) *cobra.Command {
	var n taskNaming
	c := &cobra.Command{
		Use:     v.name + " [QUEUE/]ID...",
		Aliases: v.aliases,
		Short:   v.short,
		Long:    v.short + ".\n\n" + v.long + "\n\n" + taskNamingHelp,
		Example: fmt.Sprintf("leat task %[1]s mail/4f1c\nleat task %[1]s --queue mail 4f1c 77ab\nleat task ls --output id state:retry | leat task %[1]s", v.name),
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachTask(c.Context(), &n, args, v.done, v.do)
		},
	}
	n.flags(c)
	return c
}

// taskNamingHelp says how tasks are named.
const taskNamingHelp = `A task is named as queue/id, or by its id alone: then it is looked for in --queue, or in
all queues, and must be in only one of them. Names are also read from the standard input,
one a line, for "-" or if none is given.`

// eachTask does something to each task that the command line names.
func (a *app) eachTask(ctx context.Context, n *taskNaming, args []string, done string, do func(i *queue.Inspector, ctx context.Context, queue, id string) error) error {
	names, err := n.names(a, args)
	if err != nil {
		return err
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	return a.eachTelling(names, func(name string) (string, error) {
		ref, err := n.find(ctx, i, name)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf(done, ref), do(i, ctx, ref.Queue, ref.ID)
	})
}
