package command_test

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// fillGroups has two tasks wait in one group of the queue mail, and one in another.
func fillGroups(ctx context.Context, b broker.Broker) error {
	c := queue.NewClient(b)
	for _, group := range []string{"digest", "digest", "weekly"} {
		if _, err := c.Enqueue(ctx, task.New("email:digest", nil), task.Queue("mail"), task.Group(group)); err != nil {
			return err
		}
	}
	return nil
}

// fillServers has two servers be alive until ctx is done, of which one is running a task.
func fillServers(ctx context.Context, b broker.Broker) error {
	now := time.Now()
	servers := []broker.Server{
		{Host: "web-2", PID: 7, Concurrency: 4, Queues: map[string]int{"mail": 1}, Status: "stopped"},
		{Host: "web-1", PID: 4711, Concurrency: 10, Queues: map[string]int{"low": 1, "mail": 6}, Strict: true, Status: "active", Workers: []broker.Worker{
			{Entry: broker.EntryRef{Queue: "mail", ID: "m1"}, Type: "email:welcome", Started: now.Add(-90 * time.Second), Deadline: now.Add(time.Hour)},
		}},
	}
	beat := func() error {
		for n, s := range servers {
			s.ID, s.Started = fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", n), now.Add(-time.Hour)
			if err := b.Beat(ctx, time.Now(), s); err != nil {
				return err
			}
		}
		return nil
	}
	if err := beat(); err != nil {
		return err
	}
	go func() {
		for every := time.NewTicker(broker.ServerTTL / 4); beat() == nil; {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
			}
		}
	}()
	return nil
}
