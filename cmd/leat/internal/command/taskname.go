package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A taskNaming is how a command line names tasks: as "queue/id", or as an id with
// --queue, or as an id alone, which is looked for in all queues.
type taskNaming struct {
	queue string
	ids   []string // as asynq has them: by a flag

	queues []string // all there are, once they are known
}

func (n *taskNaming) flags(c *cobra.Command) {
	c.Flags().StringVarP(&n.queue, "queue", "q", "", "the queue of the tasks; without it, they are looked for in all")
	c.Flags().StringArrayVarP(&n.ids, "id", "i", nil, "id of a task; may be given several times")
}

// names returns what the command line names tasks by.
func (n *taskNaming) names(a *app, args []string) ([]string, error) {
	return a.names("task", slices.Concat(args, n.ids))
}

// find returns which task a name means. What may be meant is looked up but where a
// queue is said and the name has no slash, which both names and ids may have.
func (n *taskNaming) find(ctx context.Context, i *queue.Inspector, name string) (broker.EntryRef, error) {
	if n.queue != "" && !strings.Contains(name, "/") {
		return broker.EntryRef{Queue: n.queue, ID: name}, nil
	}
	found, err := n.inQueue(ctx, i, name)
	if len(found) == 0 && err == nil && n.queue != "" {
		return broker.EntryRef{Queue: n.queue, ID: name}, nil
	}
	if len(found) == 0 && err == nil {
		found, err = anywhere(ctx, i, name)
	}
	if err != nil {
		return broker.EntryRef{}, err
	}
	if len(found) > 1 {
		return broker.EntryRef{}, usage(fmt.Errorf("task %s is not one but several: %s", name, list(found)))
	}
	return found[0], nil
}

// inQueue returns the tasks that name means if it is a queue, a slash and an id.
func (n *taskNaming) inQueue(ctx context.Context, i *queue.Inspector, name string) (found []broker.EntryRef, err error) {
	if !strings.Contains(name, "/") {
		return nil, nil
	}
	if n.queues == nil {
		if n.queues, err = i.Queues(ctx); err != nil {
			return nil, err
		}
	}
	for at, c := range name {
		queueName, id := name[:at], name[min(at+1, len(name)):]
		if c != '/' || !slices.Contains(n.queues, queueName) {
			continue
		}
		_, err := i.Get(ctx, queueName, id)
		switch {
		case err == nil:
			found = append(found, broker.EntryRef{Queue: queueName, ID: id})
		case !errors.Is(err, queue.ErrTaskNotFound) && !errors.Is(err, task.ErrInvalid):
			return nil, err
		}
	}
	return found, nil
}

// anywhere returns the tasks of that id in whatever queue.
func anywhere(ctx context.Context, i *queue.Inspector, id string) ([]broker.EntryRef, error) {
	infos, err := i.Find(ctx, id)
	var found []broker.EntryRef
	for _, info := range infos {
		found = append(found, broker.EntryRef{Queue: info.Queue, ID: info.ID})
	}
	return found, err
}

func list(refs []broker.EntryRef) string {
	var names []string
	for _, r := range refs {
		names = append(names, r.String())
	}
	return strings.Join(names, ", ")
}
