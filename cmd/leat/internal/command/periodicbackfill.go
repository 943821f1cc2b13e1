package command

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/periodic"
)

func (a *app) periodicBackfillCommand() *cobra.Command {
	var from, to string
	var b periodic.Backfill
	c := &cobra.Command{
		Use:   "backfill ENTRY --from TIME --to TIME",
		Short: "Run the ticks of a time that has passed",
		Long: `Have the ticks of an entry enqueued from one time to another, which both have passed, the
oldest first. Ticks that are known to have been run are left out, unless --force. A
scheduler that runs the entry does it.`,
		Example: `  leat periodic backfill report --from 2026-11-01 --to 2026-11-30
  leat periodic backfill report --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z --cap 4 --force
  leat periodic backfill ls report
  leat periodic backfill end report 9f2c`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			b.By = by()
			if b.From, err = parseTime("--from", from); err != nil {
				return err
			}
			if b.To, err = parseTime("--to", to); err != nil {
				return err
			}
			return a.eachEntry(c.Context(), args, func(i *periodic.Inspector, ctx context.Context, name string) (string, error) {
				id, err := i.Backfill(ctx, name, b)
				return fmt.Sprintf("backfill %s of entry %s begins soon", id, name), err
			})
		},
	}
	c.PersistentPreRunE = func(c *cobra.Command, _ []string) error { return a.begin(c) } // although it has commands below it
	c.Flags().StringVar(&from, "from", "", "no tick is before it: 2026-11-01T00:00:00Z, or a day")
	c.Flags().StringVar(&to, "to", "", "and none after it")
	c.Flags().IntVar(&b.Cap, "cap", 1, "how many of the tasks are open at once")
	c.Flags().BoolVarP(&b.Force, "force", "f", false, "also ticks that have been run")
	_ = c.MarkFlagRequired("from") // they are there
	_ = c.MarkFlagRequired("to")
	c.AddCommand(
		&cobra.Command{
			Use:     "ls ENTRY",
			Aliases: []string{"list"},
			Short:   "List the backfills of an entry: those under way, and the last ones that have ended",
			Example: "  leat periodic backfill ls report",
			Args:    cobra.ExactArgs(1),
			RunE:    func(c *cobra.Command, args []string) error { return a.listBackfills(c.Context(), args[0]) },
		},
		&cobra.Command{
			Use:     "end ENTRY BACKFILL...",
			Short:   "Have nothing more of backfills enqueued",
			Long:    "Have nothing more of backfills enqueued. Their tasks that are open go on.",
			Example: "  leat periodic backfill end report 9f2c",
			Args:    cobra.MinimumNArgs(2),
			RunE:    func(c *cobra.Command, args []string) error { return a.endBackfills(c.Context(), args[0], args[1:]) },
		},
	)
	return c
}

func (a *app) listBackfills(ctx context.Context, name string) error {
	i, err := a.entries(ctx)
	if err != nil {
		return err
	}
	info, err := i.Get(ctx, name)
	if err != nil {
		return err
	}
	return output.List(&a.Printer, backfillTable(), view.EntryOf(info).Backfills)
}

func (a *app) endBackfills(ctx context.Context, entry string, ids []string) error {
	i, err := a.entries(ctx)
	if err != nil {
		return err
	}
	return a.each(ids, "nothing more of backfill %s is enqueued", func(id string) error {
		return i.EndBackfill(ctx, entry, id, by())
	})
}

func backfillTable() output.Table[view.Backfill] {
	type backfill = view.Backfill
	return output.Table[backfill]{
		ID: func(b backfill) string { return b.ID }, Empty: "No backfills.",
		Columns: []output.Column[backfill]{
			{Name: "ID", Cell: func(b backfill) string { return b.ID }},
			{Name: "From", Cell: func(b backfill) string { return quantity.Time(b.From) }},
			{Name: "To", Cell: func(b backfill) string { return quantity.Time(b.To) }},
			{Name: "Cap", Cell: func(b backfill) string { return fmt.Sprint(b.Cap) }},
			{Name: "Enqueued", Cell: func(b backfill) string { return fmt.Sprint(b.Enqueued) }},
			{Name: "Skipped", Cell: func(b backfill) string { return fmt.Sprint(b.Skipped) }},
			{Name: "Ended", Cell: func(b backfill) string { return cmp.Or(quantity.Time(b.EndedAt), "-") }},
			{Name: "By", Cell: func(b backfill) string { return b.By }},
			{Name: "Begun", Cell: func(b backfill) string { return quantity.Time(b.BegunAt) }, Wide: true},
			{Name: "Force", Cell: func(b backfill) string { return fmt.Sprint(b.Force) }, Wide: true},
			{Name: "Done until", Cell: func(b backfill) string { return quantity.Time(b.DoneTo) }, Wide: true},
		},
	}
}
