package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// Main carries out the command that args name, and returns the program's exit code.
func Main(args []string, in io.Reader, out, err io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{in: in, getenv: os.Getenv, Printer: output.Printer{Out: out, Err: err}}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(err)
	failure := root.ExecuteContext(ctx)
	if closed := a.close(); failure == nil {
		failure = closed
	}
	if !a.begun {
		failure = usage(failure)
	}
	if failure != nil && !errors.Is(failure, errSaid) {
		_ = a.Say("leat: %v", failure) // where it cannot be said, the code remains
	}
	return exitCode(failure)
}

// An app is one call of the program.
type app struct {
	output.Printer
	connect.Settings

	in     io.Reader
	getenv func(string) string
	format string // --output
	json   bool   // --json
	begun  bool   // the command line has been understood
	broker broker.Broker
}

// root returns the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               "leat",
		Short:             "Look after tasks, workflows and periodic entries",
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.begin() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	flags := root.PersistentFlags()
	a.Settings.Flags(flags)
	flags.StringVarP(&a.format, "output", "o", string(output.Narrow), "how it is written: "+output.Names())
	flags.BoolVar(&a.json, "json", false, "short for --output json")
	root.AddCommand(a.queueCommand(), a.taskCommand(), a.workflowCommand(), a.benchCommand())
	a.noteBegin(root)
	return root
}

// noteBegin has every command below c note that it has begun: what goes wrong before, the
// command line is to blame for.
func (a *app) noteBegin(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			a.begun = true
			return run(c, args)
		}
	}
	for _, below := range c.Commands() {
		a.noteBegin(below)
	}
}

// begin settles how output is written.
func (a *app) begin() (err error) {
	if a.json {
		a.format = string(output.JSON)
	}
	if a.Format, err = output.ParseFormat(a.format); err != nil {
		return err
	}
	if f, ok := a.Out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		a.Color = a.getenv("NO_COLOR") == ""
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			a.Width = width
		}
	}
	return nil
}

// open opens the storage, once.
func (a *app) open(ctx context.Context) (broker.Broker, error) {
	if a.broker != nil {
		return a.broker, nil
	}
	b, err := a.Settings.Open(ctx, a.getenv)
	if err != nil {
		return nil, err
	}
	a.broker = b
	return b, nil
}

// inspector opens the storage for somebody who looks after queues.
func (a *app) inspector(ctx context.Context) (*queue.Inspector, error) {
	b, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return queue.NewInspector(b), nil
}

func (a *app) close() error {
	if a.broker == nil {
		return nil
	}
	return a.broker.Close()
}

// noun returns a command that has others and does nothing by itself but tell of them.
func noun(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   use,
		Short: short,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage(fmt.Errorf("unknown command %q for %q; see %q", args[0], c.CommandPath(), c.CommandPath()+" --help"))
			}
			return c.Help()
		},
	}
	c.AddCommand(verbs...)
	return c
}
