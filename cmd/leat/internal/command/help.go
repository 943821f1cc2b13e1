package command

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/leatwork/leat/cmd/leat/internal/connect"
	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/nearest"
)

// setHelp has root tell of its commands in our way, and of topics.
func (a *app) setHelp(root *cobra.Command) {
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		_, _ = io.WriteString(a.Out, helpText(c)) // cobra leaves no way to return it
	})
	root.SetUsageFunc(func(c *cobra.Command) error {
		_, err := io.WriteString(a.Err, helpText(c))
		return err
	})
	root.SetHelpCommand(a.helpCommand(root))
	root.InitDefaultHelpCmd()
}

func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:         "help [COMMAND... | TOPIC]",
		Short:       "Tell of a command, or of a topic: " + strings.Join(topicNames(), ", "),
		Example:     "leat help queue rm\nleat help connection",
		GroupID:     groups[len(groups)-1].title,
		Annotations: map[string]string{noSettings: ""},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			c, _, err := root.Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			names := commandNames(c)
			if c == root {
				names = append(names, topicNames()...)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.help(root, args) },
	}
}

// help tells of the command or the topic that args name.
func (a *app) help(root *cobra.Command, args []string) error {
	if len(args) == 1 {
		for _, t := range topics() {
			if t.name == args[0] {
				_, err := io.WriteString(a.Out, t.text())
				return err
			}
		}
	}
	c := root
	for _, name := range args {
		i := slices.IndexFunc(c.Commands(), func(c *cobra.Command) bool { return c.Name() == name || c.HasAlias(name) })
		if i < 0 {
			if near := nearest.Of(name, topicNames()); c == root && near != "" {
				return usage(fmt.Errorf("there is no command and no topic %q; is %q meant?", name, near))
			}
			return unknownCommand(c, name)
		}
		c = c.Commands()[i]
	}
	_, err := io.WriteString(a.Out, helpText(c))
	return err
}

func commandNames(c *cobra.Command) []string {
	var names []string
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			names = append(names, below.Name())
		}
	}
	return names
}

// helpText returns what is to be known of a command.
func helpText(c *cobra.Command) string {
	var b strings.Builder
	section := func(title, text string) {
		if text = strings.TrimRight(text, "\n "); text != "" {
			fmt.Fprintf(&b, "\n%s\n%s\n", title, indented(text))
		}
	}
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	fmt.Fprintln(&b, strings.TrimSpace(about))
	use := c.UseLine()
	if c.HasAvailableSubCommands() {
		use = c.CommandPath() + " COMMAND [flags]"
	}
	section("Usage", use)
	if len(c.Aliases) > 0 {
		section("Aliases", strings.Join(c.Aliases, ", "))
	}
	for _, g := range c.Groups() {
		section(g.Title, commandList(c, g.ID))
	}
	title := "Commands"
	if len(c.Groups()) > 0 {
		title = "Others"
	}
	section(title, commandList(c, ""))
	section("Flags", flagList(c.LocalNonPersistentFlags()))
	section("Examples", c.Example)
	if !c.HasParent() {
		section("Flags of every command", flagList(c.PersistentFlags()))
		section("Topics", strings.Join(topicNames(), ", ")+"; see leat help TOPIC")
	} else {
		section("Flags of every command", "see leat --help, and of the storage leat help connection")
	}
	return b.String()
}

func flagList(flags *pflag.FlagSet) string {
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" { // who reads this knows
			shown.AddFlag(f)
		}
	})
	return dedented(shown.FlagUsagesWrapped(100))
}

// dedented takes the two spaces away with which flags begin.
func dedented(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// commandList lists the commands of c in a group.
func commandList(c *cobra.Command, group string) string {
	var rows [][2]string
	width := 0
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() && below.GroupID == group {
			name := strings.Join(append([]string{below.Name()}, below.Aliases...), ", ")
			rows = append(rows, [2]string{name, below.Short})
			width = max(width, len(name))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%-*s  %s\n", width, row[0], row[1])
	}
	return b.String()
}

// A topic is something to be known that is not about one command.
type topic struct {
	name string
	text func() string
}

func topics() []topic {
	return []topic{
		{"connection", connectionText},
		{"query", queryText},
		{"output", func() string { return outputText }},
		{"exit-codes", func() string { return exitText }},
	}
}

func topicNames() []string {
	var names []string
	for _, t := range topics() {
		names = append(names, t.name)
	}
	return names
}

// connectionText is about the settings, in a table of them.
func connectionText() string {
	var b strings.Builder
	p := &output.Printer{Out: &b, Format: output.Narrow}
	if err := output.List(p, settingsTable, connect.Table()); err != nil {
		return err.Error() // of a buffer: there is none
	}
	return connectionHead + "\n" + b.String() + connectionTail
}

var settingsTable = output.Table[connect.Setting]{Columns: []output.Column[connect.Setting]{
	{Name: "Setting", Cell: func(s connect.Setting) string { return s.Key }},
	{Name: "Flag", Cell: func(s connect.Setting) string { return s.Flags() }},
	{Name: "Environment", Cell: connect.Setting.Env},
	{Name: "Default", Cell: func(s connect.Setting) string { return shortened(s.Default) }},
	{Name: "What it is", Cell: func(s connect.Setting) string { return s.Help }},
}}

// shortened returns of a list its first word.
func shortened(list string) string {
	first, _, more := strings.Cut(list, ",")
	if more {
		return first + ",…"
	}
	return first
}
