package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A runVerb is what can be done to runs, and needs nothing more to be said.
type runVerb struct {
	name  string
	short string
	long  string
	done  string // a sentence about the run that is named
	do    func(h workflow.Handle, ctx context.Context) error
}

func runVerbs() []runVerb {
	return []runVerb{
		{
			name: "cancel", short: "Cancel runs", done: "run %s is being cancelled",
			long: "Nothing of the run begins any more, what runs is asked to end and waited for, and what\ncan be undone is. \"leat workflow wait\" waits for the end.",
			do:   workflow.Handle.Cancel,
		}, {
			name: "pause", short: "Have nothing new of runs begin", done: "run %s is paused",
			long: "What runs goes on, and is recorded. Times and the deadline go on, too.",
			do:   workflow.Handle.Pause,
		}, {
			name: "resume", short: "Have runs go on that are paused or stuck", done: "run %s goes on",
			long: "A run that is stuck goes on being closed or undone.",
			do:   workflow.Handle.Resume,
		},
	}
}

func (a *app) runVerbCommand(n *runNaming, v runVerb) *cobra.Command {
	return &cobra.Command{
		Use:     v.name + " RUN...",
		Short:   v.short,
		Long:    v.short + ".\n\n" + v.long + "\n\n" + runNamingHelp,
		Example: fmt.Sprintf("  leat workflow %[1]s order-17\n  leat workflow %[1]s orders/order-17 orders/order-18", v.name),
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachRun(c.Context(), n, args, v.done, v.do)
		},
	}
}

// eachRun does something to each run that the command line names.
func (a *app) eachRun(ctx context.Context, n *runNaming, args []string, done string, do func(h workflow.Handle, ctx context.Context) error) error {
	names, err := a.names("run", args)
	if err != nil {
		return err
	}
	return a.each(names, done, func(name string) error {
		return a.inRun(ctx, n, name, func(h workflow.Handle) error { return do(h, ctx) })
	})
}

func (a *app) workflowRetryCommand(n *runNaming) *cobra.Command {
	var from string
	var all bool
	c := &cobra.Command{
		Use:   "retry RUN...",
		Short: "Have runs that were not done run again",
		Long: `Have runs that were not done run again: the steps that failed or were cancelled, and all
that they kept from running. What is done stays done, and the deadline counts anew.

With --from, a run that has ended, done or not, runs again from a step on, whatever that
has come to; with --all from its beginning.

` + runNamingHelp,
		Example: "  leat workflow retry order-17\n  leat workflow retry order-17 --from charge",
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachRun(c.Context(), n, args, "run %s runs again", func(h workflow.Handle, ctx context.Context) error {
				switch {
				case all:
					return h.RetryAll(ctx)
				case from != "":
					return h.RetryFrom(ctx, from)
				}
				return h.Retry(ctx)
			})
		},
	}
	c.Flags().StringVar(&from, "from", "", "the step from which on it runs again")
	c.Flags().BoolVar(&all, "all", false, "every step runs again, whatever it has come to")
	c.MarkFlagsMutuallyExclusive("from", "all")
	return c
}

func (a *app) workflowRemoveCommand(n *runNaming) *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:     "rm RUN...",
		Aliases: []string{"remove", "delete"},
		Short:   "Forget runs that have ended, or are stuck",
		Long:    "Forget runs that have ended, or are stuck: their results and history are gone. A run that\ngoes on is refused: cancel it.\n\n" + runNamingHelp,
		Example: "  leat workflow rm order-17 --yes",
		RunE: func(c *cobra.Command, args []string) error {
			names, err := a.names("run", args)
			if err != nil {
				return err
			}
			if !yes {
				what := "run " + strings.Join(names, ", ")
				if len(names) > 3 {
					what = fmt.Sprintf("%d runs", len(names))
				}
				if err := output.Confirm(&a.Printer, a.in, output.Question{Do: "forget", What: what}); err != nil {
					return err
				}
			}
			return a.eachRun(c.Context(), n, names, "run %s is being deleted", workflow.Handle.Delete)
		},
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return c
}

func (a *app) workflowSkipCommand(n *runNaming) *cobra.Command {
	var text string
	c := &cobra.Command{
		Use:   "skip RUN STEP",
		Short: "Have a step count as done, with an output",
		Long: `Have a step that failed count as done with an output, and the run go on; or, of a run
that goes on, end a step that is to run, or runs.

` + jsonHelp("--value") + "\n\n" + runNamingHelp,
		Example: "  leat workflow skip order-17 charge --value '{\"receipt\":\"by hand\"}'",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			value, err := a.value("--value", text)
			if err != nil {
				return err
			}
			done := "step " + args[1] + " of run %s is skipped"
			return a.eachRun(c.Context(), n, args[:1], done, func(h workflow.Handle, ctx context.Context) error {
				return h.Skip(ctx, args[1], value)
			})
		},
	}
	c.Flags().StringVar(&text, "value", "null", "the step's output, JSON or the bytes of a step that gives bytes: the text, @FILE, or - for the standard input")
	return c
}

func (a *app) workflowSignalCommand(n *runNaming) *cobra.Command {
	var text, id string
	c := &cobra.Command{
		Use:   "signal RUN NAME",
		Short: "Send a run a signal that it waits for, or will wait for",
		Long: `Send a run a signal that it waits for, or will wait for. A signal that is sent twice with
one --id is taken once.

` + jsonHelp("--payload") + "\n\n" + runNamingHelp,
		Example: "  leat workflow signal order-17 approval --payload '{\"by\":\"ada\"}'\n  leat workflow signal order-17 approval --payload @approval.json --id approval-17",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if err := task.CheckName("signal", args[1]); err != nil {
				return err
			}
			payload, err := a.jsonValue("--payload", text)
			if err != nil {
				return err
			}
			var opts []workflow.SendOption
			if id != "" {
				opts = append(opts, workflow.SignalID(id))
			}
			return a.eachRun(c.Context(), n, args[:1], "signal "+args[1]+" is sent to run %s", func(h workflow.Handle, ctx context.Context) error {
				return workflow.NewSignal[json.RawMessage](args[1]).Send(ctx, h, payload, opts...)
			})
		},
	}
	c.Flags().StringVarP(&text, "payload", "l", "null", "what the signal carries, as JSON: the text, @FILE, or - for the standard input")
	c.Flags().StringVar(&id, "id", "", "the signal's id")
	return c
}

// jsonHelp says how the value of a flag is given that is JSON.
func jsonHelp(flag string) string {
	return flag + " is the text itself, @FILE for what is in a file, or - for the standard input."
}

// value returns what the value of a flag stands for: itself, or what is in @FILE, or the
// standard input.
func (a *app) value(flag, text string) ([]byte, error) {
	file, named := strings.CutPrefix(text, "@")
	switch {
	case text == "-":
		return io.ReadAll(a.in)
	case named:
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		return b, nil
	}
	return []byte(text), nil
}

// jsonValue is value where that must be JSON.
func (a *app) jsonValue(flag, text string) (json.RawMessage, error) {
	b, err := a.value(flag, text)
	if err == nil && !json.Valid(b) {
		err = task.Invalid(flag, string(b[:min(len(b), 80)]), "is no JSON")
	}
	return b, err
}
