package command

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// completionTime is how long a shell waits for what the storage knows.
const completionTime = 500 * time.Millisecond

func (a *app) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:         "completion bash|zsh|fish|powershell",
		Short:       "Write what a shell needs to complete commands",
		Example:     "source <(leat completion bash)\nleat completion zsh >~/.zfunc/_leat\nleat completion fish >~/.config/fish/completions/leat.fish",
		Args:        cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs:   shells,
		Annotations: map[string]string{noSettings: ""},
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Out, true)
			case "zsh":
				return root.GenZshCompletion(a.Out)
			case "fish":
				return root.GenFishCompletion(a.Out, true)
			default:
				return root.GenPowerShellCompletionWithDesc(a.Out)
			}
		},
	}
}

// A completer returns what may stand where somebody has asked his shell.
type completer = func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// completeFlags has the flags of c and of all below it completed that mean the same
// everywhere. A flag that completes itself is left alone.
func (a *app) completeFlags(c *cobra.Command) {
	for name, complete := range map[string]completer{
		"output":  words(output.Formats()),
		"state":   words(task.States()),
		"queue":   a.completeQueues,
		"profile": a.completeProfiles,
	} {
		if c.Flags().Lookup(name) == nil && c.PersistentFlags().Lookup(name) == nil {
			continue
		}
		if _, has := c.GetFlagCompletionFunc(name); !has {
			_ = c.RegisterFlagCompletionFunc(name, complete) // fails without the flag, or twice
		}
	}
	for _, below := range c.Commands() {
		a.completeFlags(below)
	}
}

// completeQueries has the query completed of every command below root that takes one.
func completeQueries(root *cobra.Command) {
	for _, noun := range root.Commands() {
		complete := queries(query.Tasks)
		switch noun.Name() {
		case "queue":
			complete = queries(query.Queues)
		case "server":
			complete = queries(query.Servers)
		case "workflow":
			complete = queries(query.Runs)
		case "periodic":
			complete = queries(query.Entries)
		}
		for _, c := range append(noun.Commands(), noun) {
			if strings.Contains(c.Use, "[QUERY") && c.ValidArgsFunction == nil {
				c.ValidArgsFunction = complete
			}
		}
	}
}

// queries completes a term of a query: its field, or the value of one that has few.
func queries[T any](l *query.Language[T]) completer {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		var all []string
		for _, s := range query.Complete(l, begun, len(begun)) {
			all = append(all, cobra.CompletionWithDesc(begun[:s.From]+s.Text, s.Help))
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// words completes one of a few words.
func words[T any](of []T) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var all []string
		for _, w := range of {
			all = append(all, fmt.Sprint(w))
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeQueues names the queues that there are; none if that cannot be known at once.
func (a *app) completeQueues(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	ctx := c.Context()
	if ctx == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	found := make(chan []string, 1)
	go func() { found <- a.queueNames(ctx) }() // opening a storage takes no context
	select {
	case names := <-found:
		return names, cobra.ShellCompDirectiveNoFileComp
	case <-ctx.Done():
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

func (a *app) queueNames(ctx context.Context) []string {
	if a.Load(a.environ) != nil {
		return nil
	}
	b, err := a.Open(ctx, false)
	if err != nil {
		return nil
	}
	defer func() { _ = b.Close() }() // the program ends
	names, err := queue.NewInspector(b).Queues(ctx)
	if err != nil {
		return nil
	}
	return names
}

func (a *app) completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return a.ProfileNames(a.environ), cobra.ShellCompDirectiveNoFileComp
}
