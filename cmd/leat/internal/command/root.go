package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leatwork/leat/internal/nearest"
)

// root returns the tree of commands.
func (a *app) root() *cobra.Command {
	root := noun("leat", "Look after tasks, workflows and periodic entries")
	root.Long = "Leat keeps tasks, workflows and periodic entries in Redis or in a file of SQLite.\nThis program looks after them: it shows, enqueues, runs, cancels and deletes."
	root.Example = "leat stats\nleat queue ls\nleat help connection"
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if withoutSettings(c) {
			return nil
		}
		return a.begin(c)
	}
	root.SetFlagErrorFunc(flagError)
	root.SetGlobalNormalizationFunc(dashes)
	flags := root.PersistentFlags()
	a.Flags(flags)
	flags.BoolVar(&a.json, "json", false, "short for --output json")
	root.AddCommand(
		a.queueCommand(),
		a.groupCommand(),
		a.serverCommand(),
		a.statsCommand(),
		a.taskCommand(),
		a.resultCommand(),
		a.waitCommand(),
		a.tailCommand(),
		a.topCommand(),
		a.dashCommand(),
		a.webCommand(),
		a.benchCommand(),
		a.workflowCommand(),
		a.periodicCommand(),
		a.doctorCommand(),
		a.configCommand(),
		a.completionCommand(),
		a.versionCommand(),
	)
	a.showVersion(root)
	a.putInGroups(root)
	a.setHelp(root)
	a.completeFlags(root)
	completeQueries(root)
	a.noteBegin(root)
	return root
}

// dashes has - and _ be the same in the names of flags.
func dashes(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
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

// noSettings marks a command that needs none, and works also where they are faulty.
const noSettings = "without settings"

func withoutSettings(c *cobra.Command) bool {
	_, marked := c.Annotations[noSettings]
	return marked || c.HasSubCommands() || c.Name() == "leat" || c.Name() == cobra.ShellCompRequestCmd || c.Name() == cobra.ShellCompNoDescRequestCmd
}

// noun returns a command that has others and does nothing by itself but tell of them.
func noun(use, short string, verbs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ArbitraryArgs, // or else a wrong verb is told of by cobra
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(c, args[0])
			}
			return c.Help()
		},
	}
	c.AddCommand(verbs...)
	return c
}

// unknownCommand says that c has no command of that name, and which may be meant.
func unknownCommand(c *cobra.Command, name string) error {
	text := fmt.Sprintf("unknown command %q for %q", name, c.CommandPath())
	var known []string
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			known = append(append(known, below.Name()), below.Aliases...)
		}
	}
	if near := nearest.Of(name, known); near != "" {
		text += fmt.Sprintf("; is %q meant?", near)
	}
	return usage(fmt.Errorf("%s; see %q", text, c.CommandPath()+" --help"))
}

// flagError says what is wrong with a flag, and which may be meant by an unknown one.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		var known []string
		c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
		if near := nearest.Of(unknown.GetSpecifiedName(), known); near != "" {
			err = fmt.Errorf("%w; is --%s meant?", err, near)
		}
	}
	return usage(fmt.Errorf("%w; see %q", err, c.CommandPath()+" --help"))
}

// groups are the headings of help below which commands are, in order.
var groups = []struct {
	title string
	names []string
}{
	{"Tasks", []string{"task", "queue", "group", "result", "wait", "tail"}},
	{"Workflows and periodic entries", []string{"workflow", "periodic"}},
	{"All together", []string{"stats", "server", "top", "dash", "web", "doctor", "bench"}},
	{"This program", []string{"config", "completion", "help", "version"}},
}

// putInGroups has help list commands below headings.
func (a *app) putInGroups(root *cobra.Command) {
	for _, g := range groups {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, c := range root.Commands() {
			if slices.Contains(g.names, c.Name()) {
				c.GroupID = g.title
			}
		}
	}
}
