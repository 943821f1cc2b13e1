package command

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// groupBulkCommands returns what can be done to all that waits in groups.
func (a *app) groupBulkCommands() (all []*cobra.Command) {
	for _, v := range bulkVerbs() {
		if v.do.From(task.Aggregating) {
			all = append(all, a.groupBulkCommand(v))
		}
	}
	return all
}

func (a *app) groupBulkCommand(v bulkVerb) *cobra.Command {
	b := &bulk{app: a, bulkVerb: v}
	var of string
	c := &cobra.Command{
		Use:   v.do.String() + " GROUP...",
		Short: title(v.do.String()) + " all tasks that wait in groups",
		Long: title(v.do.String()) + " all tasks that wait in groups. It says first how many they are, shows some, and asks.\n" +
			"If one of the groups is not there, nothing is done.",
		Example: fmt.Sprintf("leat group %[1]s mail/digest\nleat group %[1]s -q mail digest weekly --dry-run", v.do),
		RunE: func(c *cobra.Command, args []string) error {
			names, err := a.names("group", args)
			if err != nil {
				return err
			}
			return b.runGroups(c.Context(), of, names)
		},
	}
	if v.do == broker.Delete {
		c.Aliases = []string{"rm", "remove"}
	}
	c.Flags().StringVarP(&of, "queue", "q", "", "the queue of the groups")
	b.flags(c)
	return c
}

// runGroups does it to all tasks of the groups that are named.
func (b *bulk) runGroups(ctx context.Context, of string, names []string) error {
	i, err := b.inspector(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		g, err := b.group(ctx, i, of, name)
		if err != nil {
			return err
		}
		b.places = append(b.places, query.Place{Queue: g.Queue, State: task.Aggregating, Group: g.Group, Size: g.Size})
	}
	b.search = &query.Search{Inspector: i}
	return b.carryOut(ctx, i, func(ctx context.Context) error { return b.lookAtGroups(ctx, i) })
}

// lookAtGroups keeps some of the tasks to be shown.
func (b *bulk) lookAtGroups(ctx context.Context, i *queue.Inspector) error {
	b.found = b.sizes()
	for _, p := range b.places {
		page, err := i.List(ctx, queue.ListQuery{Queue: p.Queue, State: p.State, Group: p.Group, Limit: samples})
		if err != nil {
			return err
		}
		for _, t := range page.Tasks[:min(len(page.Tasks), samples-len(b.Sample))] {
			b.Sample = append(b.Sample, sampleOf(t))
		}
	}
	return nil
}
