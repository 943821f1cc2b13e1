package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/internal/view"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func (a *app) waitCommand() *cobra.Command {
	var n taskNaming
	var within time.Duration
	c := &cobra.Command{
		Use:   "wait [QUEUE/]ID...",
		Short: "Wait until tasks have ended, and fail unless all are completed",
		Long: "Wait until tasks have ended, and tell each as it does. The exit code is 0 if all are completed,\n" +
			"1 if one has failed for good, or has not ended within --timeout. What is not kept once it is\n" +
			"done, and has gone before, is not found: 3. For runs, see \"leat workflow wait\".\n\n" + taskNamingHelp,
		Example: "leat wait reports/4f1c --timeout 5m && leat result reports/4f1c\nleat task ls -o id type:import | leat wait",
		RunE:    func(c *cobra.Command, args []string) error { return a.waitFor(c.Context(), &n, args, within) },
	}
	n.flags(c)
	c.Flags().DurationVar(&within, "timeout", 0, "how long to wait; 0: as long as it takes")
	return c
}

// An ending is how waiting for a task has ended.
type ending struct {
	info *task.Info // nil if that is not known
	err  error
}

// waitFor waits for the tasks that are named, all at once, for as long as within if that is
// not 0.
func (a *app) waitFor(ctx context.Context, n *taskNaming, args []string, within time.Duration) error {
	names, err := n.names(a, args)
	if err != nil {
		return err
	}
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	var refs []broker.EntryRef
	failure := a.tryEach(names, func(name string) error {
		ref, err := n.find(ctx, i, name)
		if err == nil {
			refs = append(refs, ref)
		}
		return err
	})
	if within > 0 {
		timed, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("it took more than %v", within))
		defer cancel()
		ctx = timed
	}
	c := queue.NewClient(a.broker)
	endings := make(chan ending)
	for _, ref := range refs {
		go func() {
			info, err := c.Wait(ctx, &task.Info{Queue: ref.Queue, ID: ref.ID})
			endings <- ending{info, err}
		}()
	}
	failure = errors.Join(failure, a.hear(endings, len(refs)))
	if late := cutShort(ctx); failure != nil && late != nil {
		failure = late // not that the storage is silent
	}
	return waited(failure)
}

// hear tells of n endings as they come, and returns what was wrong with them.
func (a *app) hear(endings <-chan ending, n int) error {
	var faults []error
	var ended []view.Task
	for range n {
		e := <-endings
		if e.err != nil {
			faults = append(faults, e.err)
			a.complain(e.err)
		}
		if e.info != nil {
			ended = append(ended, view.TaskOf(e.info))
			faults = append(faults, a.tellEnding(view.TaskOf(e.info)))
		}
	}
	if a.Format == output.JSON || a.Format == output.YAML {
		faults = append(faults, output.List(&a.Printer, taskTable(0, false), ended))
	}
	return errors.Join(faults...)
}

// tellEnding tells that a task has ended, where that can be done line by line.
func (a *app) tellEnding(t view.Task) error {
	switch {
	case a.Format.ForPeople():
		return a.Done("task %s is %s", plain.Name(taskName(t)), t.State)
	case a.Format == output.JSONL, a.Format == output.ID:
		return output.Line(&a.Printer, taskTable(0, false), t)
	default:
		return nil
	}
}

// waited returns what came of waiting, of which all has been said: that a task has failed
// is told before anything else.
func waited(err error) error {
	switch {
	case errors.Is(err, queue.ErrTaskFailed):
		return coded{queue.ErrTaskFailed, errSaid}
	case err == nil:
		return nil
	default:
		return coded{err, errSaid}
	}
}
