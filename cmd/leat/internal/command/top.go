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
	"github.com/leatwork/leat/internal/pace"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/query"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// A topQueue is a queue, and how fast things go in it.
type topQueue struct {
	view.Queue
	pace.Rate
	Slots int `json:"slots"` // how many of its tasks can be run at once
}

// A topType is how many tasks of a sample have a type.
type topType struct {
	Type  string `json:"type"`
	Count int    `json:"count"`
}

// A topLook is what is shown at one moment.
type topLook struct {
	At      time.Time     `json:"at"`
	Queues  []topQueue    `json:"queues"`
	Running []view.Worker `json:"running"` // the longest first
	Types   []topType     `json:"types"`   // the most frequent ones of a sample of what has not ended
}

// A top is a call of "top".
type top struct {
	*app
	refresh time.Duration
	count   int
	by      string

	inspector *queue.Inspector
	before    map[string]queue.QueueInfo
	at        time.Time // when before was true
}

func (a *app) topCommand() *cobra.Command {
	t := &top{app: a}
	c := &cobra.Command{
		Use:     "top",
		Short:   "Show what is busiest, again and again",
		Long:    "Show queues with how fast things go in them, the tasks that have been running longest, and\nthe types of which most is to be done, again and again until it is interrupted.",
		Example: "leat top\nleat top --by latency --refresh 5s\nleat top --count 2 -o jsonl",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return t.run(c.Context()) },
	}
	c.Flags().DurationVar(&t.refresh, "refresh", 2*time.Second, "how often it is shown anew")
	c.Flags().IntVar(&t.count, "count", 0, "end when it was shown so often; 0: do not")
	c.Flags().StringVar(&t.by, "by", "processed", "what queues are in order of: "+strings.Join(topOrders, ", "))
	return c
}

var topOrders = []string{"processed", "enqueued", "failed", "pending", "active", "latency", "queue"}

func (t *top) run(ctx context.Context) (err error) {
	if t.refresh <= 0 || t.count < 0 || !slices.Contains(topOrders, t.by) {
		return usage(fmt.Errorf("--refresh must be positive, --count not negative, and --by one of %s", strings.Join(topOrders, ", ")))
	}
	if t.inspector, err = t.app.inspector(ctx); err != nil {
		return err
	}
	onScreen := t.Format.ForPeople() && output.IsTerminal(t.Out)
	if onScreen {
		_, _ = fmt.Fprint(t.Out, "\x1b[?1049h")
		defer func() { _, _ = fmt.Fprint(t.Out, "\x1b[?1049l") }()
	}
	err = t.loop(ctx, onScreen)
	if ctx.Err() != nil {
		return nil // that is how it ends
	}
	return err
}

func (t *top) loop(ctx context.Context, onScreen bool) error {
	if _, err := t.look(ctx); err != nil { // there are rates only between two looks
		return err
	}
	again := time.NewTicker(t.refresh)
	defer again.Stop()
	for n := 0; t.count == 0 || n < t.count; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
		look, err := t.look(ctx)
		if err != nil {
			return err
		}
		if err := t.show(look, onScreen); err != nil {
			return err
		}
	}
	return nil
}

// look finds out what is to be shown.
func (t *top) look(ctx context.Context) (topLook, error) {
	now := time.Now()
	infos, _, err := t.inspector.Survey(ctx)
	if err != nil {
		return topLook{}, err
	}
	servers, err := t.inspector.Servers(ctx)
	if err != nil {
		return topLook{}, err
	}
	look := topLook{At: now.UTC(), Queues: []topQueue{}, Running: running(now, servers)}
	seen := make(map[string]queue.QueueInfo, len(infos))
	loads := t.inspector.LoadsOf(ctx, infos, nil, servers)
	for _, info := range infos {
		seen[info.Queue] = info
		q := topQueue{Queue: view.QueueOf(info), Slots: loads.Queues[info.Queue].Slots}
		if before, known := t.before[info.Queue]; known {
			q.Rate = pace.Of(before, info, now.Sub(t.at))
		}
		look.Queues = append(look.Queues, q)
	}
	slices.SortStableFunc(look.Queues, t.order)
	t.before, t.at = seen, now
	look.Types, err = t.types(ctx)
	return look, err
}

func (t *top) order(a, b topQueue) int {
	by := map[string]func(topQueue) float64{
		"processed": func(q topQueue) float64 { return q.Rate.Processed },
		"enqueued":  func(q topQueue) float64 { return q.Rate.Enqueued },
		"failed":    func(q topQueue) float64 { return q.Rate.Failed },
		"pending":   func(q topQueue) float64 { return float64(q.Pending) },
		"active":    func(q topQueue) float64 { return float64(q.Active) },
		"latency":   func(q topQueue) float64 { return q.LatencySeconds },
		"queue":     func(topQueue) float64 { return 0 },
	}[t.by]
	return cmp.Or(cmp.Compare(by(b), by(a)), strings.Compare(a.Queue.Queue, b.Queue.Queue))
}

// mostRunning and mostTypes are how many are shown.
const (
	mostRunning = 10
	mostTypes   = 8
	sampled     = 500 // tasks
)

func running(now time.Time, servers []broker.Server) []view.Worker {
	workers := []view.Worker{}
	for _, s := range servers {
		for _, w := range s.Workers {
			workers = append(workers, view.WorkerOf(now, w))
		}
	}
	slices.SortFunc(workers, func(a, b view.Worker) int { return cmp.Compare(b.RunsSeconds, a.RunsSeconds) })
	return workers[:min(len(workers), mostRunning)]
}

// types returns the types of the first tasks that are active or pending.
func (t *top) types(ctx context.Context) ([]topType, error) {
	q, err := query.Tasks.Parse("state:active,pending")
	if err != nil {
		return nil, err
	}
	s := query.Search{Inspector: t.inspector, Query: q}
	found, err := s.Next(ctx, sampled, sampled)
	if err != nil && !errors.Is(err, queue.ErrQueueNotFound) {
		return nil, err
	}
	counts := make(map[string]int)
	for _, info := range found.Tasks {
		counts[info.Type]++
	}
	types := []topType{}
	for name, n := range counts {
		types = append(types, topType{name, n})
	}
	slices.SortFunc(types, func(a, b topType) int { return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Type, b.Type)) })
	return types[:min(len(types), mostTypes)], nil
}

// show writes a look: in place of the one before, on a terminal.
func (t *top) show(look topLook, onScreen bool) error {
	if !t.Format.ForPeople() {
		return output.Line(&t.Printer, output.Table[topLook]{ID: func(l topLook) string { return busiest(l) }}, look)
	}
	to := t.Printer
	var page strings.Builder
	if to.Out = &page; onScreen {
		page.WriteString("\x1b[H\x1b[2J")
	}
	to.Err = &page // a table that is empty says so in its place
	err := errors.Join(
		to.Print("%s", quantity.Time(look.At)),
		output.List(&to, topQueueTable, look.Queues),
		to.Print(""),
		output.List(&to, topRunningTable, look.Running),
		to.Print(""),
		output.List(&to, topTypeTable, look.Types),
		to.Print(""),
	)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(t.Out, page.String())
	return err
}

func busiest(l topLook) string {
	if len(l.Queues) == 0 {
		return ""
	}
	return l.Queues[0].Queue.Queue
}

var topQueueTable = output.Table[topQueue]{Empty: "No queues.", Columns: []output.Column[topQueue]{
	{Name: "Queue", Cell: func(q topQueue) string { return plain.Name(q.Queue.Queue) }},
	{Name: "Enqueued/s", Cell: func(q topQueue) string { return fmt.Sprintf("%.1f", q.Enqueued) }},
	{Name: "Processed/s", Cell: func(q topQueue) string { return fmt.Sprintf("%.1f", q.Rate.Processed) }},
	{Name: "Failed/s", Cell: func(q topQueue) string { return fmt.Sprintf("%.1f", q.Rate.Failed) }},
	{Name: "Active", Cell: func(q topQueue) string { return fmt.Sprintf("%d/%d", q.Active, q.Slots) }},
	{Name: "Pending", Cell: func(q topQueue) string { return fmt.Sprint(q.Pending) }},
	{Name: "Retry", Cell: func(q topQueue) string { return fmt.Sprint(q.Retry) }},
	{Name: "Latency", Cell: func(q topQueue) string { return spell(q.LatencySeconds) }},
	{Name: "Drained", Cell: drained},
}}

func drained(q topQueue) string {
	switch {
	case q.Paused:
		return "paused"
	case q.Drained == nil:
		return "not so"
	case *q.Drained == 0:
		return "is"
	default:
		return "in " + spell(*q.Drained)
	}
}

var topRunningTable = output.Table[view.Worker]{Empty: "Nothing is running.", Columns: []output.Column[view.Worker]{
	{Name: "Running", Cell: func(w view.Worker) string { return plain.Name(w.Queue + "/" + w.ID) }},
	{Name: "Type", Cell: func(w view.Worker) string { return plain.Name(w.Type) }},
	{Name: "For", Cell: func(w view.Worker) string { return spell(w.RunsSeconds) }},
	{Name: "Payload", Cell: func(w view.Worker) string { return dataLine(w.Payload, w.PayloadBase64) }, Loose: true},
}}

var topTypeTable = output.Table[topType]{Empty: "Nothing is to be done.", Columns: []output.Column[topType]{
	{Name: "Type", Cell: func(t topType) string { return plain.Name(t.Type) }},
	{Name: "Of the first", Cell: func(t topType) string { return fmt.Sprint(t.Count) }},
}}
