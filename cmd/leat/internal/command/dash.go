package command

import (
	"context"
	"errors"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/dash"
	"github.com/leatwork/leat/cmd/leat/internal/output"
)

// dashCommand returns the dashboard.
func (a *app) dashCommand() *cobra.Command {
	o := dash.Options{}
	c := &cobra.Command{
		Use:   "dash",
		Short: "Look at everything on a screen that keeps itself up to date",
		Long: `Look at queues, tasks, servers, groups, periodic entries and runs on a screen that
keeps itself up to date, and do something about them. ? tells the keys; the letters in
upper case change something, and ask before they do.`,
		Example: `  leat dash
  leat dash --queue mail --refresh 500ms`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.dash(c.Context(), o) },
	}
	c.Flags().DurationVar(&o.Refresh, "refresh", dash.DefaultRefresh, "how often what is shown is read anew, at least "+dash.MinRefresh.String())
	c.Flags().StringVarP(&o.Queue, "queue", "q", "", "the queue to begin with")
	return c
}

// dash shows the dashboard, where there is a terminal.
func (a *app) dash(ctx context.Context, o dash.Options) (err error) {
	if !output.IsTerminal(a.in) || !output.IsTerminal(a.Out) {
		return usage(errors.New("dash needs a terminal; see \"leat stats --help\" for what can be piped"))
	}
	if err := o.Check(); err != nil {
		return err
	}
	if o.Broker, err = a.open(ctx); err != nil {
		return err
	}
	if o.Address, err = a.URL(); err != nil {
		return err
	}
	o.Timeout, o.NoColor, o.By = a.Timeout(), !a.Color, who()
	return dash.Run(ctx, o, a.in, a.Out)
}

// who says who does something, as far as this machine knows.
func who() string {
	name := "leat"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
