package command

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A runNaming is how a command line names runs: as "queue/id", or as an id with --queue,
// or as an id alone, which is looked for beside the default queue first, then beside all.
type runNaming struct {
	queue string

	queues []string // all there are, once they are known
}

// runNamingHelp says how runs are named.
const runNamingHelp = `A run is named as queue/id, where queue is the one beside which it is kept (that of its
workflow), or by its id alone: then it is looked for beside --queue, or without that
beside the default queue and then beside all others.`

func (n *runNaming) flags(c *cobra.Command) {
	c.PersistentFlags().StringVarP(&n.queue, "queue", "q", "", "the queue beside which runs are kept")
}

// inRun calls do with the run that name means, and with another that it may mean as long
// as there is none: what do does to a run must fail with [workflow.ErrRunNotFound] then.
func (a *app) inRun(ctx context.Context, n *runNaming, name string, do func(workflow.Handle) error) error {
	b, err := a.open(ctx)
	if err != nil {
		return err
	}
	c := queue.NewClient(b)
	tried := map[string]bool{}
	try := func(queue, id string) (found bool, err error) {
		if key := queue + "\x00" + id; tried[key] || task.CheckName("queue", queue) != nil || id == "" {
			return false, nil
		} else {
			tried[key] = true
		}
		err = do(workflow.OpenRun(c, queue, id))
		return !errors.Is(err, workflow.ErrRunNotFound), err
	}
	if n.queue != "" && !strings.Contains(name, "/") {
		_, err := try(n.queue, name)
		return err
	}
	missing := workflow.ErrRunNotFound
	for _, home := range n.homes(name) {
		if found, err := try(home.queue, home.id); found {
			return err
		} else if err != nil {
			missing = err
		}
	}
	if n.queue != "" {
		return missing
	}
	if n.queues == nil {
		if n.queues, err = queue.NewInspector(b).Queues(ctx); err != nil {
			return err
		}
	}
	for _, q := range n.queues {
		if found, err := try(q, name); found {
			return err
		}
	}
	return missing
}

// A runHome is where a run may be.
type runHome struct{ queue, id string }

// homes returns where the run that name means may be, without a look at the storage: it
// may be queue/id, and both may have slashes.
func (n *runNaming) homes(name string) []runHome {
	var homes []runHome
	for at, c := range name {
		if c == '/' {
			homes = append(homes, runHome{name[:at], name[at+1:]})
		}
	}
	queue := n.queue
	if queue == "" {
		queue = task.DefaultQueue
	}
	return slices.Concat(homes, []runHome{{queue, name}})
}
