package command

import (
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
	"github.com/leatwork/leat/internal/tail"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
)

// keptEvents has the storage tell of the events that others have it keep.
const keptEvents = 10_000

// A follower is a call of "tail".
type follower struct {
	*app
	selection taskSelection
	since     time.Duration
	within    time.Duration
	refresh   time.Duration
	count     int // 0: no end

	inspector *queue.Inspector
	search    *query.Search // what is told
	told      int
}

func (a *app) tailCommand() *cobra.Command {
	f := &follower{app: a}
	c := &cobra.Command{
		Use:   "tail [QUERY]",
		Short: "Tell what happens to tasks, as it happens",
		Long: "Tell what happens to tasks, as it happens, until it is interrupted.\n\nWhere the storage keeps events, each is told. Where it keeps none, it is looked every --refresh for tasks\n" +
			"that have failed or are completed, and at the figures of queues: that tells less.\n\n" + queryHelp,
		Example: "leat tail\nleat tail --queue mail state:retry,archived\nleat tail --since 10m --for 1m -o jsonl",
		RunE:    func(c *cobra.Command, args []string) error { return f.run(c.Context(), args) },
	}
	flags := c.Flags()
	flags.StringSliceVarP(&f.selection.queues, "queue", "q", nil, "tasks of this queue; may be given several times")
	flags.StringSliceVarP(&f.selection.states, "state", "s", nil, "only what comes into this state; several with commas")
	flags.DurationVar(&f.since, "since", 0, "begin with what has happened in so long before")
	flags.DurationVar(&f.within, "for", 0, "end after so long")
	flags.DurationVar(&f.refresh, "refresh", time.Second, "how often it is looked")
	flags.IntVar(&f.count, "count", 0, "end when so much was told; 0: do not")
	return c
}

func (f *follower) run(ctx context.Context, args []string) (err error) {
	if f.refresh <= 0 || f.count < 0 {
		return usage(errors.New("--refresh must be positive, and --count not negative"))
	}
	f.Events = keptEvents
	if f.inspector, err = f.app.inspector(ctx); errors.Is(err, task.ErrInvalid) { // a cluster without shards keeps none
		f.Events = 0
		f.inspector, err = f.app.inspector(ctx)
	}
	if err != nil {
		return err
	}
	if f.search, err = f.selection.search(f.inspector, args); err != nil {
		return err
	}
	if f.within > 0 {
		timed, cancel := context.WithTimeout(ctx, f.within)
		defer cancel()
		ctx = timed
	}
	err = f.follow(ctx)
	if ctx.Err() != nil {
		return nil // that is how it ends
	}
	return err
}

// follow tells what happens until ctx ends.
func (f *follower) follow(ctx context.Context) error {
	source, err := tail.Open(ctx, f.inspector, time.Now().Add(-f.since), f.selection.queues...)
	if err != nil {
		return err
	}
	if !source.Kept() {
		if err := f.Note("the storage keeps no events: failures, what is completed, and figures are looked for every %v", f.refresh); err != nil {
			return err
		}
	}
	again := time.NewTicker(f.refresh)
	defer again.Stop()
	for {
		happened, err := source.Next(ctx)
		if err != nil {
			return err
		}
		for _, h := range happened {
			if done, err := f.tell(ctx, h); done || err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

// tell tells of h if it is asked for, and reports whether that was enough.
func (f *follower) tell(ctx context.Context, h tail.Happening) (done bool, err error) {
	h, asked, err := f.asked(ctx, h)
	if err != nil || !asked {
		return false, err
	}
	table := output.Table[tail.Happening]{ID: func(h tail.Happening) string { return h.Queue + "/" + h.ID }}
	switch {
	case f.Format.ForPeople():
		err = f.Print("%s", f.line(h))
	case f.Format == output.ID && h.ID == "":
		return false, nil
	default:
		err = output.Line(&f.Printer, table, h)
	}
	f.told++
	return f.told == f.count, err
}

// asked reports whether h is asked for. The task is looked up if the query is about more
// than an event tells, and h then says more.
func (f *follower) asked(ctx context.Context, h tail.Happening) (tail.Happening, bool, error) {
	q := f.search.Query
	if h.ID == "" {
		return h, q.Empty() && len(f.search.States) == 0, nil
	}
	state, _ := task.ParseState(h.State) // none if it was deleted
	if len(f.search.States) > 0 && !slices.Contains(f.search.States, state) ||
		!q.Allows("queue", h.Queue) || !q.Allows("id", h.ID) || !q.Allows("state", h.State) {
		return h, false, nil
	}
	rest := q.Without("queue", "id", "state")
	if rest.Empty() {
		return h, true, nil
	}
	info, err := f.inspector.Get(ctx, h.Queue, h.ID)
	if errors.Is(err, queue.ErrTaskNotFound) {
		return h, false, nil // what it was is not known any more
	}
	if err != nil {
		return h, false, err
	}
	h.Type, h.Error = info.Type, info.LastErr
	return h, rest.Match(time.Now(), info), nil
}

// line returns what is written of h for people.
func (f *follower) line(h tail.Happening) string {
	text := quantity.Time(h.At) + "  " + plain.Name(h.Queue)
	if h.ID == "" {
		var figures []string
		for _, c := range h.Figures {
			figures = append(figures, fmt.Sprintf("%s %d→%d", c.Name, c.Was, c.Is))
		}
		return text + "  " + strings.Join(figures, ", ")
	}
	text += plain.Name("/"+h.ID) + "  " + output.State(&f.Printer, h.State)
	for _, more := range []string{h.Type, h.Error} {
		if more != "" {
			text += "  " + plain.Name(more)
		}
	}
	return text
}
