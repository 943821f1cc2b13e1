package command

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func (a *app) periodicHistoryCommand() *cobra.Command {
	var page, size int
	c := &cobra.Command{
		Use:   "history ENTRY...",
		Short: "Show what was enqueued by entries, and decided of their ticks",
		Long: `Show what was enqueued by entries, the latest first, and what else was decided of their
ticks or done to them, and why. Of an entry of asynq it is known what was enqueued.`,
		Example: "  leat periodic history report\n  leat periodic history report --page 2 --size 100 -o json",
		RunE: func(c *cobra.Command, args []string) error {
			if page < 1 || size < 1 {
				return task.Invalid("--page and --size", []int{page, size}, "must be 1 or more")
			}
			names, err := a.names("entry", args)
			if err != nil {
				return err
			}
			b, err := a.open(c.Context())
			if err != nil {
				return err
			}
			var shown []view.Tick
			for _, name := range names {
				ticks, err := historyOf(c.Context(), b, name)
				if err != nil {
					return err
				}
				from := min((page-1)*size, len(ticks))
				shown = append(shown, ticks[from:min(from+size, len(ticks))]...)
			}
			return output.List(&a.Printer, tickTable(), shown)
		},
	}
	c.Flags().IntVar(&page, "page", 1, "which page")
	c.Flags().IntVar(&size, "size", 30, "how long a page is")
	return c
}

// historyOf returns what is known of an entry's ticks, the latest first: what was decided
// lately, and of former ticks what was enqueued. An entry of which nothing is known is
// not found.
func historyOf(ctx context.Context, b broker.Broker, name string) ([]view.Tick, error) {
	events, missing := periodic.NewInspector(b).History(ctx, name)
	if missing != nil && !errors.Is(missing, periodic.ErrEntryNotFound) {
		return nil, missing
	}
	enqueued, err := b.Ticks(ctx, name, broker.MaxTicks)
	if err != nil {
		return nil, err
	}
	if missing != nil && len(enqueued) == 0 && !isScheduled(ctx, b, name) {
		return nil, missing
	}
	return view.TicksOf(events, enqueued), nil
}

// isScheduled reports whether a scheduler, one of asynq maybe, tells of an entry.
func isScheduled(ctx context.Context, b broker.Broker, name string) bool {
	schedulers, err := b.Schedulers(ctx, time.Now())
	return err == nil && slices.ContainsFunc(schedulers, func(s broker.Scheduler) bool {
		return slices.ContainsFunc(s.Entries, func(e broker.PeriodicEntry) bool { return e.ID == name })
	})
}

func tickTable() output.Table[view.Tick] {
	type tick = view.Tick
	return output.Table[tick]{
		ID: func(t tick) string { return t.ID }, Empty: "Nothing was enqueued.",
		Columns: []output.Column[tick]{
			{Name: "TaskID", Cell: func(t tick) string { return cmp.Or(plain.Name(t.ID), "-") }},
			{Name: "EnqueuedAt", Cell: func(t tick) string { return quantity.Time(t.At) }},
			{Name: "Tick", Cell: func(t tick) string { return cmp.Or(quantity.Time(t.Tick), "-") }},
			{Name: "What", Cell: func(t tick) string { return t.What }},
			{Name: "Why", Cell: func(t tick) string { return plain.Name(t.Why) }, Loose: true},
			{Name: "By", Cell: func(t tick) string { return plain.Name(t.By) }, Loose: true, Wide: true},
			{Name: "Queue", Cell: func(t tick) string { return t.Queue }, Wide: true},
		},
	}
}
