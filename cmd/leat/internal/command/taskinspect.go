package command

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/quantity"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

func (a *app) taskInspectCommand() *cobra.Command {
	var n taskNaming
	c := &cobra.Command{
		Use:     "inspect [QUEUE/]ID...",
		Aliases: []string{"get", "show"},
		Short:   "Show everything that is known of tasks",
		Long:    "Show everything that is known of tasks, and why they are not running.\n\n" + taskNamingHelp,
		Example: "leat task inspect mail/4f1c\nleat task inspect --queue mail --id 4f1c -o json",
		RunE:    func(c *cobra.Command, args []string) error { return a.inspectTasks(c.Context(), &n, args) },
	}
	n.flags(c)
	return c
}

// inspectTasks shows tasks: one as a record, several as a list for programs, and as
// records with an empty line between them for people.
func (a *app) inspectTasks(ctx context.Context, n *taskNaming, args []string) error {
	names, err := n.names(a, args)
	if err != nil {
		return err
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	var shown []view.Task
	failure := a.tryEach(names, func(name string) error {
		ctx, cancel := a.within(ctx)
		defer cancel()
		t, err := lookAt(ctx, i, n, name)
		if err != nil {
			return err
		}
		if shown = append(shown, t); !a.Format.ForPeople() {
			return nil
		}
		if len(shown) > 1 {
			if err := a.Print(""); err != nil {
				return err
			}
		}
		return output.One(&a.Printer, taskRecord(), t)
	})
	if a.Format.ForPeople() || len(shown) == 0 {
		return failure
	}
	if len(names) == 1 {
		err = output.One(&a.Printer, taskRecord(), shown[0])
	} else {
		err = output.List(&a.Printer, taskTable(0, n.queue != ""), shown)
	}
	if failure != nil {
		return failure
	}
	return err
}

// lookAt returns all that is known of the task that a name means.
func lookAt(ctx context.Context, i *queue.Inspector, n *taskNaming, name string) (view.Task, error) {
	ref, err := n.find(ctx, i, name)
	if err != nil {
		return view.Task{}, err
	}
	info, err := i.Get(ctx, ref.Queue, ref.ID)
	if err != nil {
		return view.Task{}, err
	}
	servers, err := i.Servers(ctx)
	if err != nil {
		return view.Task{}, err
	}
	figures, err := i.Figures(ctx, ref.Queue)
	if err != nil {
		return view.Task{}, err
	}
	t := view.TaskOf(info, servers...)
	t.Why = view.Why(time.Now(), info, figures[0].Paused, serving(servers, ref.Queue))
	return t, nil
}

// serving returns how many servers take tasks from a queue.
func serving(servers []broker.Server, name string) (n int) {
	for _, s := range servers {
		if _, serves := s.Queues[name]; serves && s.Status == "active" {
			n++
		}
	}
	return n
}

func taskRecord() output.Record[view.Task] {
	field := func(name string, text func(t view.Task) string) output.Field[view.Task] {
		return output.Field[view.Task]{Name: name, Text: text}
	}
	named := func(name string, of func(t view.Task) string) output.Field[view.Task] {
		return field(name, func(t view.Task) string { return plain.Name(of(t)) })
	}
	return output.Record[view.Task]{ID: taskName, Fields: []output.Field[view.Task]{
		named("Queue", queueOfTask),
		named("ID", func(t view.Task) string { return t.ID }),
		named("Type", func(t view.Task) string { return t.Type }),
		field("State", stateOfTask),
		named("Why", func(t view.Task) string { return t.Why }),
		field("Retried", func(t view.Task) string { return fmt.Sprintf("%d/%d", t.Retried, t.MaxRetry) }),
		field("Next process time", func(t view.Task) string { return quantity.Time(t.NextProcessAt) }),
		field("Completed", completedClock),
		named("End", func(t view.Task) string { return t.End }),
		field("Last failure", lastFailed),
		field("Last error", func(t view.Task) string { return plain.Text([]byte(t.Error)) }),
		named("Group", func(t view.Task) string { return t.Group }),
		named("Unique key", func(t view.Task) string { return t.UniqueKey }),
		field("Timeout", func(t view.Task) string { return spell(t.TimeoutSeconds) }),
		field("Deadline", func(t view.Task) string { return quantity.Time(t.Deadline) }),
		field("Start by", func(t view.Task) string { return quantity.Time(t.StartBy) }),
		field("Retention", func(t view.Task) string { return spell(t.RetentionSeconds) }),
		field("Crashes", crashesText),
		field("Worker", workerText),
		field("Headers", headerLines),
		field("Attempts", attemptLines),
		field("Progress", func(t view.Task) string { return dataText(t.Progress, t.ProgressBase64) }),
		field("Payload", func(t view.Task) string { return dataText(t.Payload, t.PayloadBase64) }),
		field("Result", func(t view.Task) string { return dataText(t.Result, t.ResultBase64) }),
	}}
}

func crashesText(t view.Task) string {
	switch {
	case t.MaxCrashes > 0:
		return fmt.Sprintf("%d/%d", t.Crashes, t.MaxCrashes)
	case t.Crashes > 0:
		return fmt.Sprint(t.Crashes)
	default:
		return ""
	}
}

func workerText(t view.Task) string {
	if t.Worker == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d since %s", plain.Name(t.Worker.Host), t.Worker.PID, quantity.Time(t.Worker.StartedAt))
}

func headerLines(t view.Task) string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(t.Headers)) {
		lines = append(lines, plain.Name(key)+"="+plain.Name(t.Headers[key]))
	}
	return strings.Join(lines, "\n")
}

func attemptLines(t view.Task) string {
	var lines []string
	for _, at := range t.Attempts {
		came := "done"
		if at.Error != "" {
			came = plain.Name(at.Error)
		}
		line := quantity.Time(at.EndedAt)
		if at.TookSeconds > 0 {
			line += " after " + spell(at.TookSeconds)
		}
		if at.Worker != "" {
			line += " on " + plain.Name(at.Worker)
		}
		lines = append(lines, line+": "+came)
	}
	if n := len(t.Attempts); n > 0 && t.Attempts[n-1].Stack != "" {
		lines = append(lines, plain.Text([]byte(t.Attempts[n-1].Stack)))
	}
	return strings.Join(lines, "\n")
}
