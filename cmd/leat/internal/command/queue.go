package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/queue"
)

// queueCommand returns what can be done with queues.
func (a *app) queueCommand() *cobra.Command {
	return noun("queue", "Look at queues, pause them, remove them",
		a.queueListCommand(),
		a.queueInspectCommand(),
		a.queueHistoryCommand(),
		a.queuePauseCommand(),
		a.queueSwitchCommand("unpause", []string{"resume"}, "Have tasks of a paused queue begun again", [2]string{"is resumed", "was not paused"}, (*queue.Inspector).Resume),
		a.queueRemoveCommand(),
	)
}

// A queueNaming is how a command line names queues.
type queueNaming struct{ all bool }

func (n *queueNaming) flags(c *cobra.Command) {
	c.Flags().BoolVar(&n.all, "all-queues", false, "all queues that there are")
}

// names returns the queues that are named.
func (n *queueNaming) names(ctx context.Context, a *app, i *queue.Inspector, args []string) ([]string, error) {
	switch {
	case n.all && len(args) > 0:
		return nil, usage(errors.New("--all-queues contradicts the names of queues"))
	case n.all:
		ctx, cancel := a.within(ctx)
		defer cancel()
		return i.Queues(ctx)
	}
	return a.names("queue", args)
}

func (a *app) queuePauseCommand() *cobra.Command {
	var why string
	c := a.queueSwitchCommand("pause", nil, "Have no task of a queue begun until it is resumed", [2]string{"is paused", "was paused already"},
		func(i *queue.Inspector, ctx context.Context, name string) (bool, error) {
			return i.PauseBy(ctx, name, by(), why)
		})
	c.Example += "\nleat queue pause mail --why 'the relay is moved'"
	c.Flags().StringVar(&why, "why", "", "why, for others to see")
	return c
}

// queueSwitchCommand returns the command that pauses queues, or resumes them. What is said
// depends on whether that was new.
func (a *app) queueSwitchCommand(verb string, aliases []string, short string, said [2]string, do func(*queue.Inspector, context.Context, string) (bool, error)) *cobra.Command {
	var n queueNaming
	c := &cobra.Command{
		Use:               verb + " QUEUE...",
		Aliases:           aliases,
		Short:             short,
		Example:           fmt.Sprintf("leat queue %[1]s mail\nleat queue %[1]s --all-queues", verb),
		ValidArgsFunction: a.completeQueues,
		RunE: func(c *cobra.Command, args []string) error {
			i, err := a.inspector(c.Context())
			if err != nil {
				return err
			}
			names, err := n.names(c.Context(), a, i, args)
			if err != nil {
				return err
			}
			return a.eachTelling(names, func(name string) (string, error) {
				ctx, cancel := a.within(c.Context())
				defer cancel()
				fresh, err := do(i, ctx, name)
				if !fresh {
					return fmt.Sprintf("queue %s %s", name, said[1]), err
				}
				return fmt.Sprintf("queue %s %s", name, said[0]), err
			})
		},
	}
	n.flags(c)
	return c
}

func (a *app) queueHistoryCommand() *cobra.Command {
	var n queueNaming
	var days int
	c := &cobra.Command{
		Use:               "history QUEUE...",
		Short:             "Show how many tasks of a queue were processed and failed on the last days",
		Example:           "leat queue history mail -x 30\nleat queue history --all-queues -o jsonl",
		ValidArgsFunction: a.completeQueues,
		RunE:              func(c *cobra.Command, args []string) error { return a.queueHistory(c.Context(), n, days, args) },
	}
	n.flags(c)
	c.Flags().IntVarP(&days, "days", "x", 10, "how many days, today (UTC) first")
	return c
}

func (a *app) queueRemoveCommand() *cobra.Command {
	var force, yes bool
	c := &cobra.Command{
		Use:     "rm QUEUE...",
		Aliases: []string{"remove", "delete"},
		Short:   "Remove a queue with its figures, and with --force the tasks and runs in it",
		Long: "Remove queues with their figures. A queue that holds tasks or runs is left as it is,\n" +
			"but with --force: they are deleted then, if the answer is yes, or --yes was said.",
		Example:           "leat queue rm mail\nleat queue rm mail --force --yes",
		ValidArgsFunction: a.completeQueues,
		RunE: func(c *cobra.Command, args []string) error {
			return a.removeQueues(c.Context(), args, force, yes)
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "also if there are tasks or runs in it, which are deleted")
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

func (a *app) removeQueues(ctx context.Context, args []string, force, yes bool) error {
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	names, err := a.names("queue", args)
	if err != nil {
		return err
	}
	if force && !yes {
		if err := a.confirmRemoval(ctx, i, names); err != nil {
			return err
		}
	}
	return a.each(names, "queue %s is removed", func(name string) error {
		err := i.RemoveQueue(ctx, name, force)
		if errors.Is(err, queue.ErrQueueNotEmpty) && !force {
			return fmt.Errorf("%w; --force deletes what is in it", err)
		}
		return err
	})
}

// confirmRemoval asks whether the tasks of queues may be deleted, if there are any.
func (a *app) confirmRemoval(ctx context.Context, i *queue.Inspector, names []string) error {
	ctx, cancel := a.within(ctx)
	defer cancel()
	infos, _, err := i.Survey(ctx)
	if err != nil {
		return err
	}
	sum := 0
	var sample []string
	for _, info := range infos {
		if slices.Contains(names, info.Queue) && info.Size() > 0 {
			sum += info.Size()
			sample = append(sample, fmt.Sprintf("%s: %d tasks, %d of them active", info.Queue, info.Size(), info.Active))
		}
	}
	if sum == 0 {
		return nil
	}
	return output.Confirm(&a.Printer, a.in, output.Question{
		Do: "delete", What: fmt.Sprintf("%d tasks of %s", sum, strings.Join(names, ", ")), Sample: sample,
	})
}

// sayBroken says which queues cannot be read, and returns an error if there are any.
func (a *app) sayBroken(broken map[string]error) error {
	if len(broken) == 0 {
		return nil
	}
	for _, name := range sortedKeys(broken) {
		if err := a.Say("leat: queue %s is broken: %v", name, broken[name]); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w, %w", errPartly, errSaid)
}
