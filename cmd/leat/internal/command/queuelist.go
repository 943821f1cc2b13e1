package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func count(n int) string { return strconv.Itoa(n) }

func queueState(q view.Queue) string {
	if q.Paused {
		return "paused"
	}
	return "run"
}

// pauseText says who has paused something, when and why, as far as that is known.
func pauseText(p *view.Pause) string {
	if p == nil {
		return ""
	}
	text := quantity.Time(p.At)
	if p.By != "" {
		text += " by " + p.By
	}
	if p.Why != "" {
		text += ": " + p.Why
	}
	return plain.Name(text)
}

func memory(q view.Queue) string {
	if q.MemoryBytes == nil {
		return q.MemoryError
	}
	return quantity.Bytes(*q.MemoryBytes)
}

// queueTable shows queues; where are those that a cluster has.
func queueTable(where map[string]broker.QueuePlace) output.Table[view.Queue] {
	type q = view.Queue
	t := output.Table[q]{
		ID:    func(v q) string { return v.Queue },
		Empty: "No queues.",
		Columns: []output.Column[q]{
			{Name: "Queue", Cell: func(v q) string { return v.Queue }},
			{Name: "State", Cell: queueState, State: true},
			{Name: "Size", Cell: func(v q) string { return count(v.Size) }},
			{Name: "Active", Cell: func(v q) string { return count(v.Active) }},
			{Name: "Pending", Cell: func(v q) string { return count(v.Pending) }},
			{Name: "Aggregating", Cell: func(v q) string { return count(v.Aggregating) }},
			{Name: "Scheduled", Cell: func(v q) string { return count(v.Scheduled) }},
			{Name: "Retry", Cell: func(v q) string { return count(v.Retry) }},
			{Name: "Archived", Cell: func(v q) string { return count(v.Archived) }},
			{Name: "Completed", Cell: func(v q) string { return count(v.Completed) }},
			{Name: "Latency", Cell: func(v q) string { return quantity.Seconds(v.LatencySeconds) }},
			{Name: "Memory", Cell: memory, Wide: true},
			{Name: "Processed", Cell: func(v q) string { return count(v.Processed) }},
			{Name: "Failed", Cell: func(v q) string { return count(v.Failed) }},
			{Name: "Error Rate", Cell: func(v q) string { return quantity.Percent(v.ErrorRate) }},
			{Name: "Paused", Wide: true, Cell: func(v q) string { return pauseText(v.Pause) }},
		},
	}
	if where != nil {
		t.Columns = append(t.Columns,
			output.Column[q]{Name: "KeySlot", Wide: true, Cell: func(v q) string { return count(where[v.Queue].Slot) }},
			output.Column[q]{Name: "Nodes", Wide: true, Cell: func(v q) string { return strings.Join(where[v.Queue].Nodes, ", ") }})
	}
	return t
}

func (a *app) queueListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "ls [QUERY...]",
		Aliases: []string{"list"},
		Short:   "List queues with their figures of today, or those that a query names",
		Example: "leat queue ls\nleat queue ls -o id\nleat queue ls 'size>1000' state:paused",
		RunE:    func(c *cobra.Command, args []string) error { return a.listQueues(c.Context(), args) },
	}
}

func (a *app) listQueues(ctx context.Context, args []string) error {
	q, err := query.Queues.Parse(strings.Join(args, " "))
	if err != nil {
		return err
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := a.within(ctx)
	defer cancel()
	infos, broken, err := i.Survey(ctx)
	if err != nil {
		return err
	}
	unknown := i.ReadPauses(ctx, infos)
	now, shown := time.Now(), []view.Queue{}
	for _, info := range infos {
		if !q.Match(now, info) {
			continue
		}
		if a.Format == output.Wide { // memory is measured for one queue at a time
			if one, err := i.QueueInfo(ctx, info.Queue); err == nil {
				one.Pause = info.Pause
				info = *one
			}
		}
		shown = append(shown, view.QueueOf(info))
	}
	var where map[string]broker.QueuePlace
	if a.Format == output.Wide {
		where = places(ctx, i, infos)
	}
	return errors.Join(output.List(&a.Printer, queueTable(where), shown), unknown, a.sayBroken(broken))
}

func (a *app) queueInspectCommand() *cobra.Command {
	var n queueNaming
	c := &cobra.Command{
		Use:               "inspect QUEUE...",
		Short:             "Show all figures of queues",
		Example:           "leat queue inspect mail\nleat queue inspect mail push -o json\nleat queue inspect --all-queues",
		ValidArgsFunction: a.completeQueues,
		RunE:              func(c *cobra.Command, args []string) error { return a.inspectQueues(c.Context(), n, args) },
	}
	n.flags(c)
	return c
}

var queueRecord = output.Record[view.Queue]{
	ID: func(v view.Queue) string { return v.Queue },
	Fields: slices.Concat(
		[]output.Field[view.Queue]{
			{Name: "Name", Text: func(v view.Queue) string { return v.Queue }},
			{Name: "State", Text: queueState},
			{Name: "Paused", Text: func(v view.Queue) string { return pauseText(v.Pause) }},
			{Name: "Size", Text: func(v view.Queue) string { return count(v.Size) }},
			{Name: "Groups", Text: func(v view.Queue) string { return count(v.Groups) }},
			{Name: "Latency", Text: func(v view.Queue) string { return quantity.Seconds(v.LatencySeconds) }},
			{Name: "Memory", Text: memory},
		},
		[]output.Field[view.Queue]{
			{Name: "Active", Text: func(v view.Queue) string { return count(v.Active) }},
			{Name: "Pending", Text: func(v view.Queue) string { return count(v.Pending) }},
			{Name: "Aggregating", Text: func(v view.Queue) string { return count(v.Aggregating) }},
			{Name: "Scheduled", Text: func(v view.Queue) string { return count(v.Scheduled) }},
			{Name: "Retry", Text: func(v view.Queue) string { return count(v.Retry) }},
			{Name: "Archived", Text: func(v view.Queue) string { return count(v.Archived) }},
			{Name: "Completed", Text: func(v view.Queue) string { return count(v.Completed) }},
			{Name: "Processed Today", Text: func(v view.Queue) string { return count(v.Processed) }},
			{Name: "Failed Today", Text: func(v view.Queue) string { return count(v.Failed) }},
			{Name: "Error Rate", Text: func(v view.Queue) string { return quantity.Percent(v.ErrorRate) }},
			{Name: "Processed Ever", Text: func(v view.Queue) string { return count(v.ProcessedTotal) }},
			{Name: "Failed Ever", Text: func(v view.Queue) string { return count(v.FailedTotal) }},
		}),
}

// inspectQueues shows queues one below the other; for programs one is an object, several
// are an array.
func (a *app) inspectQueues(ctx context.Context, n queueNaming, args []string) error {
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	names, err := n.names(ctx, a, i, args)
	if err != nil {
		return err
	}
	var unknown error // who has paused one of them
	err = showEach(a, names, len(args) == 1, queueRecord, func(name string) (view.Queue, error) {
		ctx, cancel := a.within(ctx)
		defer cancel()
		info, err := i.QueueInfo(ctx, name)
		if err != nil {
			return view.Queue{}, err
		}
		infos := []queue.QueueInfo{*info}
		unknown = cmp.Or(unknown, i.ReadPauses(ctx, infos))
		return view.QueueOf(infos[0]), nil
	})
	return errors.Join(err, unknown)
}

// showEach shows one thing for each name, and goes on where that cannot be done. alone
// says that one was asked for.
func showEach[T any](a *app, names []string, alone bool, r output.Record[T], get func(name string) (T, error)) error {
	var found []T
	var failed []error
	for _, name := range names {
		v, err := get(name)
		if err != nil {
			failed = append(failed, err)
			if err := a.Say("leat: %v", err); err != nil {
				return err
			}
			continue
		}
		found = append(found, v)
	}
	var err error
	switch {
	case alone && len(found) == 1:
		err = output.One(&a.Printer, r, found[0])
	case alone:
	case a.Format.ForPeople():
		err = a.records(len(found), func(n int) error { return output.One(&a.Printer, r, found[n]) })
	default:
		err = output.List(&a.Printer, output.Table[T]{ID: r.ID}, found)
	}
	switch {
	case err != nil:
		return err
	case len(failed) == 0:
		return nil
	case len(failed) < len(names):
		return fmt.Errorf("%w, %w", errPartly, errSaid)
	}
	return coded{errors.Join(failed...), errSaid}
}

// records writes n records with a line between them.
func (a *app) records(n int, write func(n int) error) error {
	for k := range n {
		if k > 0 {
			if err := a.Print(""); err != nil {
				return err
			}
		}
		if err := write(k); err != nil {
			return err
		}
	}
	return nil
}

var dayTable = output.Table[view.Day]{
	ID:    func(d view.Day) string { return d.Queue + "/" + d.Date },
	Empty: "No days.",
	Columns: []output.Column[view.Day]{
		{Name: "Queue", Cell: func(d view.Day) string { return d.Queue }},
		{Name: "Date (UTC)", Cell: func(d view.Day) string { return d.Date }},
		{Name: "Processed", Cell: func(d view.Day) string { return count(d.Processed) }},
		{Name: "Failed", Cell: func(d view.Day) string { return count(d.Failed) }},
		{Name: "Error Rate", Cell: func(d view.Day) string { return quantity.Percent(d.ErrorRate) }},
	},
}

func (a *app) queueHistory(ctx context.Context, n queueNaming, days int, args []string) error {
	if days < 1 || days > broker.MaxHistory {
		return task.Invalid("--days", days, fmt.Sprintf("must be 1 to %d", broker.MaxHistory))
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	names, err := n.names(ctx, a, i, args)
	if err != nil {
		return err
	}
	var shown []view.Day
	failed := map[string]error{}
	for _, name := range names {
		ctx, cancel := a.within(ctx)
		history, err := i.History(ctx, name, days)
		cancel()
		if err != nil {
			failed[name] = err
		}
		for _, d := range history {
			shown = append(shown, view.DayOf(name, d))
		}
	}
	if len(failed) == len(names) && len(names) > 0 {
		return errors.Join(slices.Collect(maps.Values(failed))...)
	}
	return errors.Join(output.List(&a.Printer, dayTable, shown), a.sayBroken(failed))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
