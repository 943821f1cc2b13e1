package command

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

func (a *app) resultCommand() *cobra.Command {
	var n taskNaming
	var inHex bool
	c := &cobra.Command{
		Use:   "result [QUEUE/]ID...",
		Short: "Write what tasks have written as their results",
		Long: "Write what tasks have written as their results, byte by byte. On a terminal, what is no text\n" +
			"is shown as hex. A task that is not done is an error, which says how it stands.\n\n" + taskNamingHelp,
		Example: "leat result reports/4f1c > report.pdf\nleat result reports/4f1c --hex\nleat result reports/4f1c -o json",
		RunE:    func(c *cobra.Command, args []string) error { return a.results(c.Context(), &n, args, inHex) },
	}
	n.flags(c)
	c.Flags().BoolVar(&inHex, "hex", false, "as a dump in hex")
	return c
}

func (a *app) results(ctx context.Context, n *taskNaming, args []string, inHex bool) error {
	names, err := n.names(a, args)
	if err != nil {
		return err
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	return a.tryEach(names, func(name string) error {
		ctx, cancel := a.within(ctx)
		defer cancel()
		ref, err := n.find(ctx, i, name)
		if err != nil {
			return err
		}
		info, err := i.Get(ctx, ref.Queue, ref.ID)
		if err != nil {
			return err
		}
		if info.State != task.Completed {
			return fmt.Errorf("task %s is not done: %s", ref, standing(info))
		}
		return a.writeResult(info, inHex)
	})
}

// standing says how a task stands that is not done.
func standing(info *task.Info) string {
	if info.State == task.Archived {
		return (&queue.FailedError{Info: info}).Error()
	}
	return "it is " + info.State.String()
}

// writeResult writes the result of a task: the bytes themselves, unless a person looks at
// them, whom they might harm.
func (a *app) writeResult(info *task.Info, inHex bool) error {
	switch {
	case inHex:
		return a.Print("%s", strings.TrimRight(hex.Dump(info.Result), "\n"))
	case !a.Format.ForPeople():
		return output.One(&a.Printer, taskRecord(), view.TaskOf(info))
	case output.IsTerminal(a.Out):
		return a.Print("%s", plain.Text(info.Result))
	default:
		_, err := a.Out.Write(info.Result)
		return err
	}
}
