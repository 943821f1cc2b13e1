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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) //nolint:forbidigo // the program begins here
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal is not waited with
	a := &app{in: in, environ: os.Environ(), Printer: output.Printer{Out: out, Err: err, Format: output.Narrow}}
	root := a.root()
	root.SetArgs(singleDash(args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(err)
	failure := root.ExecuteContext(ctx)
	if closed := a.close(); failure == nil {
		failure = closed
	}
	if !a.begun && exitCode(failure) == exitError {
		failure = usage(failure)
	}
	if failure != nil && !errors.Is(failure, errSaid) {
		a.complain(failure)
	}
	return exitCode(failure)
}

// An app is one call of the program.
type app struct {
	output.Printer
	connect.Settings

	in      io.Reader
	environ []string
	json    bool // --json
	begun   bool // the command line has been understood
	broker  broker.Broker
}

// begin reads the settings, and settles how output is written. A flag that c has of its
// own gets what is said elsewhere of the setting of its name.
func (a *app) begin(c *cobra.Command) error {
	if aliased := c.Flags(); aliased.Lookup("redis-url") != nil {
		a.Aliases = aliased
	}
	if err := a.Load(a.environ); err != nil {
		return err
	}
	for _, s := range connect.Table() {
		if f := c.Flags().Lookup(s.Key); s.Elsewhere && f != nil && !f.Changed && a.Said(s.Key) {
			if err := f.Value.Set(a.Value(s.Key)); err != nil {
				return usage(fmt.Errorf("%s: %w", s.Key, err))
			}
		}
	}
	form := a.Value("output")
	if a.json {
		if c.Flags().Changed("output") && form != string(output.JSON) {
			return usage(fmt.Errorf("--json contradicts --output %s", form))
		}
		form = string(output.JSON)
	}
	var err error
	if a.Format, err = output.ParseFormat(form); err != nil {
		return err
	}
	a.Quiet = a.Truth("quiet")
	if f, ok := a.Out.(*os.File); ok && output.IsTerminal(f) {
		a.Color = a.env("NO_COLOR") == "" && !a.Truth("no_color")
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			a.Width = width
		}
	}
	for _, path := range a.OpenFiles() {
		if err := a.Note("leat: everybody on this machine can read %s, which holds a secret", path); err != nil {
			return err
		}
	}
	return nil
}

// env returns a variable of the environment.
func (a *app) env(name string) string { return connect.Variable(a.environ, name) }

// open opens the storage, once. A file of SQLite has to be there.
func (a *app) open(ctx context.Context) (broker.Broker, error) { return a.opened(ctx, false) }

// create opens the storage for a command that puts something into it, for which a file
// of SQLite is made.
func (a *app) create(ctx context.Context) (broker.Broker, error) { return a.opened(ctx, true) }

func (a *app) opened(ctx context.Context, create bool) (broker.Broker, error) {
	if a.broker != nil {
		return a.broker, nil
	}
	ctx, cancel := a.within(ctx)
	defer cancel()
	b, err := a.Open(ctx, create)
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

// within returns a context for one call to the storage, which ends after --timeout.
func (a *app) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.Timeout())
}

func (a *app) close() error {
	if a.broker == nil {
		return nil
	}
	return a.broker.Close()
}
