package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/cmd/leat/internal/output"
	"github.com/leatwork/leat/internal/plain"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A startRequest is what the command line says of a run that is to start.
type startRequest struct {
	input string
	id    string
	when  moment
	wait  bool
}

func (a *app) workflowStartCommand(n *runNaming) *cobra.Command {
	var r startRequest
	c := &cobra.Command{
		Use:   "start WORKFLOW",
		Short: "Start a run of a workflow",
		Long: `Start a run of a workflow: a task is enqueued that starts it, into --queue, which a server
must serve on which the workflow is registered. The run has the task's id.

` + jsonHelp("--input"),
		Example: `  leat workflow start order --queue orders --input '{"id":17}' --id order-17
  leat workflow start report --input @report.json --in 2h
  leat workflow start order --input - --wait < order.json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.startRun(c.Context(), n, args[0], r) },
	}
	c.Flags().StringVar(&r.input, "input", "null", "the input, as JSON: the text, @FILE, or - for the standard input")
	c.Flags().StringVar(&r.id, "id", "", "the run's id; without it, one is made")
	c.Flags().StringVar(&r.when.at, "at", "", "when, as 2030-01-31T08:00:00Z, or a day: 2030-01-31")
	c.Flags().DurationVar(&r.when.in, "in", 0, "in how long")
	c.Flags().BoolVar(&r.wait, "wait", false, "wait for the run's end and write what it has come to; fail unless it is done")
	c.MarkFlagsMutuallyExclusive("at", "in")
	return c
}

// awaited is how long the task is kept that starts a run, so that who waits learns how
// it has ended.
const awaited = time.Hour

// options returns those of the task that starts the run.
func (r startRequest) options(n *runNaming, now time.Time) ([]task.Option, error) {
	var opts []task.Option
	if n.queue != "" {
		opts = append(opts, task.Queue(n.queue))
	}
	if r.id != "" {
		opts = append(opts, task.ID(r.id))
	}
	if r.wait {
		opts = append(opts, task.Retention(awaited))
	}
	if r.when != (moment{}) {
		at, err := r.when.time(now)
		if err != nil {
			return nil, err
		}
		opts = append(opts, task.ProcessAt(at))
	}
	return opts, nil
}

// startRun enqueues the task that starts a run, and waits for its end if that is wanted.
func (a *app) startRun(ctx context.Context, n *runNaming, name string, r startRequest) error {
	input, err := a.jsonValue("--input", r.input)
	if err != nil {
		return err
	}
	opts, err := r.options(n, time.Now())
	if err != nil {
		return err
	}
	b, err := a.create(ctx)
	if err != nil {
		return err
	}
	c := queue.NewClient(b)
	info, err := c.Enqueue(ctx, task.New(workflow.StartType(name), input, opts...))
	if err != nil {
		return err
	}
	if err := a.warnUnserved(ctx, info.Queue); err != nil {
		return err
	}
	id := strings.ReplaceAll(info.ID, "~", ".")
	if !r.wait {
		return a.eachTelling([]string{id}, func(id string) (string, error) {
			return fmt.Sprintf("run %s of %s is to start (task %s/%s)", id, name, info.Queue, info.ID), nil
		})
	}
	if _, err := c.Wait(ctx, info); err != nil {
		return err
	}
	return a.inRun(ctx, &runNaming{}, id, func(h workflow.Handle) error {
		if err := h.Wait(ctx); err != nil {
			return err
		}
		outcome, err := h.Outcome(ctx)
		if err != nil {
			return err
		}
		return errors.Join(a.Note("leat: run %s is done", id), a.writeBytes(outcome))
	})
}

// writeBytes writes what was stored as it is, unless a person looks at it, whom it might
// harm.
func (a *app) writeBytes(b []byte) error {
	if output.IsTerminal(a.Out) {
		return a.Print("%s", plain.Text(b))
	}
	_, err := a.Out.Write(b)
	return err
}

// warnUnserved says so if there is no server that serves a queue.
func (a *app) warnUnserved(ctx context.Context, name string) error {
	i, err := a.inspector(ctx)
	if err != nil {
		return err
	}
	servers, err := i.Servers(ctx)
	if err != nil {
		return err
	}
	for _, s := range servers {
		if _, serves := s.Queues[name]; serves {
			return nil
		}
	}
	return a.Note("leat: no server serves queue %s now: nothing begins until one does", name)
}
