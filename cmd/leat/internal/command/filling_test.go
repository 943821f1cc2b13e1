package command_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// fillings are what scripts find in their storage: see "fill" in [TestScripts].
var fillings = map[string]func(context.Context, broker.Broker) error{
	"pending": fillPending,
	"twins":   fillTwins,
	"groups":  fillGroups,
	"servers": fillServers,
	"many":    fillMany,
	"each":    fillEach,
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

// fillMany enqueues 20,000 tasks into the queue many.
func fillMany(ctx context.Context, b broker.Broker) error {
	tasks := make([]*task.Task, 20_000)
	for n := range tasks {
		tasks[n] = task.New("grain", fmt.Appendf(nil, `{"n":%d}`, n), task.Queue("many"))
	}
	for _, e := range queue.NewClient(b).EnqueueMany(ctx, tasks) {
		if e.Err != nil {
			return e.Err
		}
	}
	return nil
}

// fillEach has a task of the queue each in every state, called by its name, and one more
// that waits in the queue other. The one that is active has a worker.
func fillEach(ctx context.Context, b broker.Broker) error {
	c := queue.NewClient(b)
	add := func(id string, options ...task.Option) error {
		options = append([]task.Option{task.Queue("each"), task.ID(id), task.Retention(time.Hour), task.Header("tenant", "acme")}, options...)
		_, err := c.Enqueue(ctx, task.New("letter:"+id, []byte(`{"to": "Ann"}`)), options...)
		return err
	}
	var leases []broker.Lease
	for _, id := range []string{"active", "completed", "archived", "retry"} {
		if err := add(id); err != nil {
			return err
		}
		got, err := b.Apply(ctx, time.Now(), nil, broker.LeaseRequest{Queues: []broker.Share{{Queue: "each"}}, Max: 1, Until: time.Now().Add(time.Hour)})
		if err != nil || len(got.Leases) != 1 {
			return fmt.Errorf("lease %s: %d, %w", id, len(got.Leases), err)
		}
		leases = append(leases, got.Leases...)
	}
	now := time.Now()
	settle := func(l broker.Lease, s broker.Settlement) broker.Change {
		s.Token, s.Entry = l.Token, l.Entry
		if s.Entry.CompletedAt = now; s.Failed {
			s.Entry.CompletedAt, s.Entry.Retried, s.Entry.LastErr, s.Entry.LastFailedAt = time.Time{}, 1, "it broke", now
		}
		return broker.Change{Settle: []broker.Settlement{s}}
	}
	broken := &broker.Attempt{Started: now, Ended: now, Worker: "host:1", Err: "it broke"}
	applied, err := b.Apply(ctx, now, []broker.Change{
		settle(leases[1], broker.Settlement{To: broker.Completed, At: now.Add(time.Hour), Result: []byte(`{"sent":true}`)}),
		settle(leases[2], broker.Settlement{To: broker.Archived, Failed: true, Attempt: broken}),
		settle(leases[3], broker.Settlement{To: broker.Retry, At: now.Add(time.Hour), Failed: true, Attempt: broken}),
	}, broker.LeaseRequest{})
	return errors.Join(append(applied.Outcomes, err,
		add("pending"),
		add("scheduled", task.ProcessIn(time.Hour)),
		add("aggregating", task.Group("g")),
		add("elsewhere", task.Queue("other")))...)
}
