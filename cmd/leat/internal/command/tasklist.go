package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// A taskList is a call of "task ls".
type taskList struct {
	*app
	selection  taskSelection
	page, size int
	after      string
	newest     bool
	limit      int
	scan       int

	search *query.Search
	table  output.Table[view.Task]
	shown  []view.Task
	count  int
}

func (a *app) taskListCommand() *cobra.Command {
	l := &taskList{app: a}
	c := &cobra.Command{
		Use:     "ls [QUERY]",
		Aliases: []string{"list"},
		Short:   "List tasks, or search for some",
		Long: "List tasks that flags and a query select: of all queues and in all states unless that is said.\n\n" +
			"Those of one queue and one state come in pages. Otherwise it is searched for them: people are\n" +
			"shown --limit of them, and a program gets all. A search ends when it has looked at --scan tasks,\n" +
			"and says so.\n\n" + queryHelp,
		Example: "leat task ls --queue mail --state retry --page 2\nleat task ls state:retry 'error~timeout' 'age>5m'\nleat task ls state:archived -o jsonl --scan 0 > archived.jsonl",
		RunE:    func(c *cobra.Command, args []string) error { return l.run(c.Context(), args) },
	}
	l.selection.flags(c)
	flags := c.Flags()
	flags.IntVar(&l.page, "page", 1, "which page, of one queue and one state")
	flags.IntVar(&l.size, "size", queue.DefaultPage, "how many tasks a page has")
	flags.StringVar(&l.after, "after", "", "the page behind the one that said so, instead of a number")
	flags.BoolVar(&l.newest, "newest", false, "the other way round: what would come last comes first")
	flags.IntVar(&l.limit, "limit", 0, "list at most so many tasks of a search; 0: "+strconv.Itoa(queue.DefaultPage)+" for people, all for programs")
	flags.IntVar(&l.scan, "scan", 10_000, "look at no more tasks in a search; 0: look at all")
	return c
}

func (l *taskList) run(ctx context.Context, args []string) (err error) {
	if l.page < 1 || l.size < 1 {
		return usage(errors.New("--page and --size must be at least 1"))
	}
	i, err := l.inspector(ctx)
	if err != nil {
		return err
	}
	if l.search, err = l.selection.search(i, args); err != nil {
		return err
	}
	l.search.Newest = l.newest
	state := l.state()
	l.table = taskTable(state, len(l.selection.queues) == 1)
	pages := len(l.search.Queues) == 1 && len(l.search.States) == 1 && l.search.Query.Empty() &&
		(state != task.Aggregating || l.search.Group != "") && l.limit == 0
	switch {
	case pages && (l.Format.ForPeople() || l.page > 1 || l.after != ""):
		return l.onePage(ctx, i)
	case l.page != 1 || l.after != "":
		return usage(errors.New("there are pages only of one queue and one state, without a query or --limit"))
	case l.limit < 0 || l.scan < 0:
		return usage(errors.New("--limit and --scan must not be negative"))
	default:
		return l.find(ctx)
	}
}

// state returns the only state in which tasks can be, or 0.
func (l *taskList) state() task.State {
	names := l.search.Query.Only("state")
	switch {
	case len(l.search.States) == 1:
		return l.search.States[0]
	case len(l.search.States) == 0 && len(names) == 1:
		s, _ := task.ParseState(names[0]) // the query has only words that are states
		return s
	default:
		return 0
	}
}

// onePage lists a page of one queue and one state.
func (l *taskList) onePage(ctx context.Context, i *queue.Inspector) error {
	s := l.search
	number := l.page
	if l.after != "" {
		number = 0
	}
	page, err := i.List(ctx, queue.ListQuery{Queue: s.Queues[0], State: s.States[0], Group: s.Group, Newest: l.newest, Number: number, After: l.after, Limit: l.size})
	if err != nil {
		return err
	}
	if err := l.add(page.Tasks); err != nil {
		return err
	}
	if err := l.end(); err != nil || page.Next == "" || !l.Format.ForPeople() {
		return err
	}
	if l.after != "" {
		return l.Note("there are more: --after %s", quoted(page.Next))
	}
	return l.Note("there are more: --page %d, or --after %s", l.page+1, quoted(page.Next))
}

// quoted returns s as a shell has it.
func quoted(s string) string { return "'" + plain.Name(s) + "'" }

// perFind is how many tasks are found, or looked at, before what was found is written.
const perFind = 500

// find lists what is searched for.
func (l *taskList) find(ctx context.Context) error {
	limit, scan := l.limit, l.scan
	if limit == 0 && l.Format.ForPeople() {
		limit = queue.DefaultPage
	}
	if limit == 0 {
		limit = math.MaxInt
	}
	if scan == 0 {
		scan = math.MaxInt
	}
	bar := output.NewBar(&l.Printer, "looking at", 0)
	var found query.Found
	for !found.Done && l.count < limit && found.Scanned < scan {
		next, err := l.search.Next(ctx, min(perFind, limit-l.count), min(perFind, scan-found.Scanned))
		if err != nil {
			bar.End()
			return err
		}
		found = next
		if err := l.add(found.Tasks); err != nil {
			return err
		}
		bar.Set(found.Scanned)
	}
	bar.End()
	if err := l.end(); err != nil {
		return err
	}
	if err := l.broken(); err != nil || found.Done {
		return err
	}
	if l.count >= limit {
		return l.Note("these are %d; there may be more: --limit says how many", l.count)
	}
	return l.Note("looked at %d of %d; go on with --scan 0, or say more of what is looked for", found.Scanned, found.Total)
}

// broken says which queues could not be searched.
func (l *taskList) broken() error {
	for _, name := range slices.Sorted(maps.Keys(l.search.Broken)) {
		l.complain(fmt.Errorf("queue %s: %w", name, l.search.Broken[name]))
	}
	if len(l.search.Broken) > 0 {
		return fmt.Errorf("%w, %w", errPartly, errSaid)
	}
	return nil
}

// add lists tasks: at once where that can be done line by line.
func (l *taskList) add(infos []*task.Info) error {
	for _, info := range infos {
		t := view.TaskOf(info)
		l.count++
		if l.Format != output.JSONL && l.Format != output.ID {
			l.shown = append(l.shown, t)
		} else if err := output.Line(&l.Printer, l.table, t); err != nil {
			return err
		}
	}
	return nil
}

// end lists what could not be listed at once.
func (l *taskList) end() error {
	if l.Format == output.JSONL || l.Format == output.ID {
		return nil
	}
	return output.List(&l.Printer, l.table, l.shown)
}
