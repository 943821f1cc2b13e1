package command_test

import (
	"context"
	"fmt"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// fillings are what scripts find in their storage: see "fill" in [TestScripts].
var fillings = map[string]func(context.Context, broker.Broker) error{
	"pending": fillPending,
	"twins":   fillTwins,
}

// fillPending enqueues three tasks into the queue mail.
func fillPending(ctx context.Context, b broker.Broker) error {
	c := queue.NewClient(b)
	for n := range 3 {
		t := task.New("email:welcome", fmt.Appendf(nil, `{"user":%d}`, n+1))
		if _, err := c.Enqueue(ctx, t, task.Queue("mail"), task.ID(fmt.Sprintf("m%d", n+1))); err != nil {
			return err
		}
	}
	return nil
}

// fillTwins enqueues tasks of the same ids into two queues.
func fillTwins(ctx context.Context, b broker.Broker) error {
	c := queue.NewClient(b)
	for _, q := range []string{"left", "right"} {
		for _, id := range []string{"twin", "a/b", "later"} {
			if _, err := c.Enqueue(ctx, task.New("twin", nil), task.Queue(q), task.ID(id)); err != nil {
				return err
			}
		}
	}
	return nil
}
