package command_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func init() {
	fillings["clerk"] = fillClerk
	fillings["hostile"] = fillHostile
}

// fillClerk has a server serve the queue desk until the test ends. What a task of the type
// echo gets it writes as its result, and others fail for good.
func fillClerk(ctx context.Context, b broker.Broker) error {
	mux := task.NewMux()
	mux.HandleFunc("echo", func(ctx context.Context, t *task.Task) error {
		_, err := t.ResultWriter().Write(bytes.ToUpper(t.Payload()))
		return err
	})
	mux.HandleFunc("fail", func(context.Context, *task.Task) error { return fmt.Errorf("it broke: %w", task.SkipRetry) })
	s, err := queue.NewServer(b, queue.Config{Queues: map[string]int{"desk": 1}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	go func() {
		if err := s.Run(ctx, mux); err != nil && !errors.Is(err, context.Canceled) {
			panic(err)
		}
	}()
	return nil
}

// evil is what a terminal must not be given.
const evil = "\x1b[31m\x1b]0;title\a\u202e"

// fillHostile has tasks in the queue bad of which everything is evil that may be: one that
// is done, one that failed and one that waits.
func fillHostile(ctx context.Context, b broker.Broker) error {
	c := queue.NewClient(b)
	add := func(id string) error {
		_, err := c.Enqueue(ctx, task.New("bad", []byte(evil)), task.Queue("bad"), task.ID(id), task.Header("key"+evil, evil), task.Retention(time.Hour))
		return err
	}
	for _, s := range []broker.Settlement{
		{To: broker.Completed, At: time.Now().Add(time.Hour), Result: []byte(evil)},
		{To: broker.Archived, Failed: true, Attempt: &broker.Attempt{Worker: evil, Err: evil}},
	} {
		id := "done"
		if s.Failed {
			id = "broken"
		}
		if err := add(id); err != nil {
			return err
		}
		now := time.Now()
		got, err := b.Apply(ctx, now, nil, broker.LeaseRequest{Queues: []broker.Share{{Queue: "bad"}}, Max: 1, Until: now.Add(time.Hour)})
		if err != nil || len(got.Leases) != 1 {
			return fmt.Errorf("lease: %d, %w", len(got.Leases), err)
		}
		s.Token, s.Entry = got.Leases[0].Token, got.Leases[0].Entry
		if s.Entry.CompletedAt = now; s.Failed {
			s.Attempt.Ended, s.Entry.CompletedAt, s.Entry.LastErr, s.Entry.LastFailedAt = now, time.Time{}, evil+"\n"+evil, now
		}
		done, err := b.Apply(ctx, now, []broker.Change{{Settle: []broker.Settlement{s}}}, broker.LeaseRequest{})
		if err := errors.Join(append(done.Outcomes, err)...); err != nil {
			return err
		}
	}
	return add("open")
}
