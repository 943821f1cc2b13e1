package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// groupCommand returns what can be done with groups.
func (a *app) groupCommand() *cobra.Command {
	var of string
	list := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the groups of a queue in which tasks wait; without --queue, of all queues",
		Example: "leat group ls -q mail\nleat group ls -o json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return a.listGroups(c.Context(), of) },
	}
	inspect := &cobra.Command{
		Use:     "inspect GROUP...",
		Short:   "Show how much waits in groups, and for how long",
		Example: "leat group inspect -q mail digest\nleat group inspect mail/digest",
		RunE:    func(c *cobra.Command, args []string) error { return a.inspectGroups(c.Context(), of, args) },
	}
	for _, c := range []*cobra.Command{list, inspect} {
		c.Flags().StringVarP(&of, "queue", "q", "", "the queue of the groups")
	}
	return noun("group", "Look at groups, in which tasks wait to be folded into one", append([]*cobra.Command{list, inspect}, a.groupBulkCommands()...)...)
}

var groupTable = output.Table[view.Group]{
	ID:    func(g view.Group) string { return g.Queue + "/" + g.Group },
	Empty: "No groups.",
	Columns: []output.Column[view.Group]{
		{Name: "Queue", Cell: func(g view.Group) string { return plain.Name(g.Queue) }},
		{Name: "Group", Cell: func(g view.Group) string { return plain.Name(g.Group) }},
		{Name: "Size", Cell: func(g view.Group) string { return count(g.Size) }},
		{Name: "Folding", Cell: func(g view.Group) string { return count(g.Frozen) }, Wide: true},
		{Name: "Oldest", Cell: func(g view.Group) string { return quantity.Time(g.OldestAt) }},
		{Name: "Newest", Cell: func(g view.Group) string { return quantity.Time(g.NewestAt) }},
	},
}

var groupRecord = output.Record[view.Group]{
	ID: groupTable.ID,
	Fields: []output.Field[view.Group]{
		{Name: "Queue", Text: groupTable.Columns[0].Cell},
		{Name: "Group", Text: groupTable.Columns[1].Cell},
		{Name: "Size", Text: groupTable.Columns[2].Cell},
		{Name: "Folding", Text: groupTable.Columns[3].Cell},
		{Name: "Oldest", Text: groupTable.Columns[4].Cell},
		{Name: "Newest", Text: groupTable.Columns[5].Cell},
	},
}

func (a *app) listGroups(ctx context.Context, of string) error {
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := a.within(ctx)
	defer cancel()
	queues := []string{of}
	if of == "" {
		if queues, err = i.Queues(ctx); err != nil {
			return err
		}
	}
	var shown []view.Group
	broken := map[string]error{}
	for _, name := range queues {
		groups, err := i.Groups(ctx, name)
		if err != nil && of != "" {
			return err
		}
		if err != nil {
			broken[name] = err
		}
		for _, g := range groups {
			shown = append(shown, view.GroupOf(name, g))
		}
	}
	t := groupTable
	if of != "" {
		t.ID = func(g view.Group) string { return g.Group }
	}
	return errors.Join(output.List(&a.Printer, t, shown), a.sayBroken(broken))
}

func (a *app) inspectGroups(ctx context.Context, of string, args []string) error {
	names, err := a.names("group", args)
	if err != nil {
		return err
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	return showEach(a, names, len(args) == 1 && args[0] != "-", groupRecord, func(name string) (view.Group, error) {
		return a.group(ctx, i, of, name)
	})
}

// group returns the group that name is, in the queue of, or as "queue/group".
func (a *app) group(ctx context.Context, i *queue.Inspector, of, name string) (view.Group, error) {
	queueName, group := of, name
	if before, after, slash := strings.Cut(name, "/"); slash && of == "" {
		queueName, group = before, after
	}
	if queueName == "" {
		return view.Group{}, usage(fmt.Errorf("group %s: say its queue, by --queue or as QUEUE/GROUP", name))
	}
	ctx, cancel := a.within(ctx)
	defer cancel()
	groups, err := i.Groups(ctx, queueName)
	if err != nil {
		return view.Group{}, err
	}
	return groupIn(queueName, group, groups)
}

func groupIn(queue, name string, groups []broker.Group) (view.Group, error) {
	for _, g := range groups {
		if g.Name == name {
			return view.GroupOf(queue, g), nil
		}
	}
	return view.Group{}, coded{fmt.Errorf("queue %s has no group %s", queue, name), fs.ErrNotExist}
}
