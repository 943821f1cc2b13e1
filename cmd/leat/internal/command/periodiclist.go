package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

func (a *app) periodicListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "ls [QUERY]",
		Aliases: []string{"list"},
		Short:   "List the periodic entries",
		Long: `List the periodic entries: those that schedulers of Leat run or that are stored, and those
that schedulers of asynq tell of, which have the source "asynq". A query takes some of
those that are Leat's.`,
		Example: "  leat periodic ls\n  leat periodic ls paused:yes\n  leat periodic ls late:yes -o id",
		RunE: func(c *cobra.Command, args []string) error {
			return a.listEntries(c.Context(), strings.Join(args, " "))
		},
	}
}

// listEntries lists the entries that a query takes, in order of their schedules. Those
// whose record cannot be read are told of, and the rest is listed.
func (a *app) listEntries(ctx context.Context, text string) error {
	q, err := query.Entries.Parse(text)
	if err != nil {
		return err
	}
	b, err := a.open(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := a.within(ctx)
	defer cancel()
	infos, broken, err := periodic.NewInspector(b).Survey(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	schedulers, err := b.Schedulers(ctx, now)
	if err != nil {
		return err
	}
	shown := slices.DeleteFunc(view.EntriesOf(infos, schedulers), func(e view.Entry) bool {
		i := slices.IndexFunc(infos, func(i periodic.Info) bool { return i.Name == e.Name })
		return !q.Empty() && (i < 0 || !q.Match(now, infos[i]))
	})
	slices.SortStableFunc(shown, func(e, f view.Entry) int { return cmp.Compare(e.Schedule, f.Schedule) })
	if err := output.List(&a.Printer, entryTable(now), shown); err != nil {
		return err
	}
	var faults []error
	for name, why := range broken {
		faults = append(faults, fmt.Errorf("entry %s: %w", name, why))
	}
	return errors.Join(faults...)
}

func entryTable(now time.Time) output.Table[view.Entry] {
	type entry = view.Entry
	return output.Table[entry]{
		ID: func(e entry) string { return e.Name }, Empty: "No periodic entries.",
		Columns: []output.Column[entry]{
			{Name: "EntryID", Cell: func(e entry) string { return plain.Name(e.Name) }},
			{Name: "Spec", Cell: func(e entry) string { return plain.Name(e.Schedule) }},
			{Name: "Zone", Cell: func(e entry) string { return e.Zone }, Wide: true},
			{Name: "Type", Cell: func(e entry) string { return plain.Name(e.Type) }},
			{Name: "Payload", Cell: payloadOfEntry, Loose: true},
			{Name: "Options", Cell: func(e entry) string { return plain.Name(strings.Join(e.Options, ", ")) }, Loose: true},
			{Name: "Next", Cell: func(e entry) string { return cmp.Or(until(now, e.Next), "-") }},
			{Name: "Prev", Cell: func(e entry) string { return ago(now, e.Prev) }},
			{Name: "State", Cell: stateOfEntry, State: true},
			{Name: "Source", Cell: func(e entry) string { return e.Source }},
			{Name: "Overlap", Cell: func(e entry) string { return e.Overlap }, Wide: true},
			{Name: "Missed", Cell: func(e entry) string { return e.Missed }, Wide: true},
			{Name: "Run by", Cell: func(e entry) string { return strings.Join(e.RunBy, " ") }, Wide: true},
		},
	}
}

// payloadOfEntry returns what its tasks carry, or where that comes from.
func payloadOfEntry(e view.Entry) string {
	switch {
	case e.Template != "":
		return plain.Line([]byte(e.Template))
	case e.Function:
		return "(made by the program)"
	case e.Payload != nil:
		return plain.Line(e.Payload)
	}
	return plain.Line(e.PayloadBase64)
}

// stateOfEntry returns a word for how an entry stands.
func stateOfEntry(e view.Entry) string {
	switch {
	case e.Paused != nil:
		return "paused"
	case e.Late:
		return "late"
	}
	return "run"
}

// moments writes a time, and how far away it is.
func moments(t time.Time, away string) string {
	if t.IsZero() {
		return "-"
	}
	return quantity.Time(t) + " (" + away + ")"
}

// ago writes how long ago a time was.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return max(now.Sub(t), 0).Round(time.Second).String() + " ago"
}

func (a *app) periodicInspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "inspect ENTRY...",
		Aliases: []string{"show"},
		Short:   "Show all that is known of entries",
		Example: "  leat periodic inspect report\n  leat periodic inspect report -o json",
		RunE: func(c *cobra.Command, args []string) error {
			names, err := a.names("entry", args)
			if err != nil {
				return err
			}
			i, err := a.entries(c.Context())
			if err != nil {
				return err
			}
			var shown []view.Entry
			for _, name := range names {
				info, err := i.Get(c.Context(), name)
				if err != nil {
					return err
				}
				shown = append(shown, view.EntryOf(info))
			}
			if len(shown) > 1 && !a.Format.ForPeople() {
				return output.List(&a.Printer, entryTable(time.Now()), shown)
			}
			for _, e := range shown {
				if err := output.One(&a.Printer, entryRecord(time.Now()), e); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func entryRecord(now time.Time) output.Record[view.Entry] {
	type entry = view.Entry
	seconds := func(s float64) string {
		if s == 0 {
			return ""
		}
		return quantity.Seconds(s)
	}
	return output.Record[entry]{
		ID: func(e entry) string { return e.Name },
		Fields: []output.Field[entry]{
			{Name: "EntryID", Text: func(e entry) string { return plain.Name(e.Name) }},
			{Name: "State", Text: stateOfEntry},
			{Name: "Paused", Text: func(e entry) string { return pauseText(e.Paused) }},
			{Name: "Source", Text: func(e entry) string { return e.Source }},
			{Name: "Spec", Text: func(e entry) string { return plain.Name(e.Schedule) }},
			{Name: "Zone", Text: func(e entry) string { return e.Zone }},
			{Name: "Next", Text: func(e entry) string { return moments(e.Next, until(now, e.Next)) }},
			{Name: "Prev", Text: func(e entry) string { return moments(e.Prev, ago(now, e.Prev)) }},
			{Name: "Type", Text: func(e entry) string { return plain.Name(e.Type) }},
			{Name: "Queue", Text: func(e entry) string { return e.Queue }},
			{Name: "Payload", Text: payloadOfEntry},
			{Name: "Options", Text: func(e entry) string { return plain.Name(strings.Join(e.Options, ", ")) }},
			{Name: "Overlap", Text: func(e entry) string { return e.Overlap }},
			{Name: "Missed", Text: func(e entry) string { return e.Missed }},
			{Name: "Window", Text: func(e entry) string { return seconds(e.WindowSeconds) }},
			{Name: "Jitter", Text: func(e entry) string { return seconds(e.JitterSeconds) }},
			{Name: "Start", Text: func(e entry) string { return quantity.Time(e.Start) }},
			{Name: "End", Text: func(e entry) string { return quantity.Time(e.End) }},
			{Name: "Known since", Text: func(e entry) string { return quantity.Time(e.KnownAt) }},
			{Name: "Run by", Text: func(e entry) string { return strings.Join(e.RunBy, " ") }},
			{Name: "Open", Text: func(e entry) string { return plain.Name(strings.Join(e.Open, ", ")) }},
		},
	}
}

func (a *app) periodicNextCommand() *cobra.Command {
	var n int
	c := &cobra.Command{
		Use:     "next ENTRY",
		Short:   "Say when an entry ticks next",
		Long:    "Say when an entry ticks next by its schedule, whether it is paused or not. Jitter comes on top.",
		Example: "  leat periodic next report --count 30",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if n < 1 || n > 1000 {
				return task.Invalid("--count", n, "must be from 1 to 1000")
			}
			i, err := a.entries(c.Context())
			if err != nil {
				return err
			}
			info, err := i.Get(c.Context(), args[0])
			if err != nil {
				return err
			}
			now := time.Now()
			ticks, err := info.Upcoming(now, n)
			if err != nil {
				return err
			}
			zone, err := time.LoadLocation(cmp.Or(info.Zone, "UTC"))
			if err != nil {
				return err
			}
			return output.List(&a.Printer, upcomingTable(now, zone), ticks)
		},
	}
	c.Flags().IntVar(&n, "count", 10, "how many ticks")
	return c
}

func upcomingTable(now time.Time, zone *time.Location) output.Table[time.Time] {
	return output.Table[time.Time]{
		ID: func(t time.Time) string { return t.UTC().Format(time.RFC3339) }, Empty: "It ticks no more.",
		Columns: []output.Column[time.Time]{
			{Name: "Tick", Cell: quantity.Time},
			{Name: "There", Cell: func(t time.Time) string { return t.In(zone).Format("Mon " + time.DateTime + " MST") }},
			{Name: "In", Cell: func(t time.Time) string { return until(now, t) }},
		},
	}
}
