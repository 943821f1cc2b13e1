package command

import (
	"context"
	"fmt"
	"os"
	"os/user"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/periodic"
)

// periodicCommand returns what can be done with periodic entries.
func (a *app) periodicCommand() *cobra.Command {
	verbs := []*cobra.Command{
		a.periodicListCommand(), a.periodicInspectCommand(), a.periodicNextCommand(), a.periodicHistoryCommand(),
		a.periodicRunCommand(), a.periodicPauseCommand(), a.periodicAddCommand(), a.periodicChangeCommand(), a.periodicBackfillCommand(),
	}
	for _, v := range entryVerbs() {
		verbs = append(verbs, a.entryVerbCommand(v))
	}
	c := noun("periodic", "Look at periodic entries, add, pause and run them, and make up for ticks", verbs...)
	c.Aliases = []string{"cron"}
	return c
}

// by returns who does something: the user, and on which machine.
func by() string {
	name, host := "", ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// entries opens the storage for somebody who looks after periodic entries.
func (a *app) entries(ctx context.Context) (*periodic.Inspector, error) {
	b, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	return periodic.NewInspector(b), nil
}

// An entryVerb is what can be done to entries, and needs nothing more to be said.
type entryVerb struct {
	name    string
	aliases []string
	short   string
	long    string
	done    string // a sentence about the entry that is named
	do      func(i *periodic.Inspector, ctx context.Context, name, by string) error
}

func entryVerbs() []entryVerb {
	return []entryVerb{
		{
			name: "resume", aliases: []string{"unpause"}, short: "Have entries that are paused tick again", done: "entry %s ticks again",
			long: "What would have ticked meanwhile is not made up for: \"leat periodic backfill\" does that.",
			do:   (*periodic.Inspector).Resume,
		}, {
			name: "remove", aliases: []string{"rm", "delete"}, short: "Remove entries that are stored, or that nobody runs any more", done: "entry %s is removed",
			long: "One that a program brings along and runs is refused: it is removed there. Tasks of the\nentry that are enqueued stay.",
			do:   (*periodic.Inspector).Remove,
		},
	}
}

func (a *app) entryVerbCommand(v entryVerb) *cobra.Command {
	return &cobra.Command{
		Use:     v.name + " ENTRY...",
		Aliases: v.aliases,
		Short:   v.short,
		Long:    v.short + ".\n\n" + v.long,
		Example: fmt.Sprintf("  leat periodic %[1]s report\n  leat periodic %[1]s report cleanup", v.name),
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachEntry(c.Context(), args, func(i *periodic.Inspector, ctx context.Context, name string) (string, error) {
				return fmt.Sprintf(v.done, name), v.do(i, ctx, name, by())
			})
		},
	}
}

// eachEntry does something to each entry that the command line names.
func (a *app) eachEntry(ctx context.Context, args []string, do func(i *periodic.Inspector, ctx context.Context, name string) (done string, err error)) error {
	names, err := a.names("entry", args)
	if err != nil {
		return err
	}
	i, err := a.entries(ctx)
	if err != nil {
		return err
	}
	return a.eachTelling(names, func(name string) (string, error) { return do(i, ctx, name) })
}

func (a *app) periodicPauseCommand() *cobra.Command {
	var why string
	c := &cobra.Command{
		Use:   "pause ENTRY...",
		Short: "Have entries tick no more until they are resumed",
		Long: `Have entries tick no more until they are resumed. Runs that are asked for, and backfills,
go on.`,
		Example: "  leat periodic pause report --why 'the warehouse is moved'",
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachEntry(c.Context(), args, func(i *periodic.Inspector, ctx context.Context, name string) (string, error) {
				return fmt.Sprintf("entry %s is paused", name), i.Pause(ctx, name, by(), why)
			})
		},
	}
	c.Flags().StringVar(&why, "why", "", "why, for others to see")
	return c
}

func (a *app) periodicRunCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run ENTRY...",
		Short: "Have a task of entries enqueued now",
		Long: `Have a task of entries enqueued now, whether they are paused or not, and subject to their
overlap. A scheduler that runs the entry does it, within seconds.`,
		Example: "  leat periodic run report",
		RunE: func(c *cobra.Command, args []string) error {
			return a.eachEntry(c.Context(), args, func(i *periodic.Inspector, ctx context.Context, name string) (string, error) {
				_, id, err := i.RunNow(ctx, name, by())
				return fmt.Sprintf("entry %s runs soon, as task %s", name, id), err
			})
		},
	}
}
