package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// leat is Leat on one of its brokers.
type leat struct {
	broker broker.Broker
	client *queue.Client
	log    *slog.Logger
}

func openLeat(c call) (*leat, error) {
	l := &leat{log: logger(c)}
	var err error
	switch c.System {
	case leatRedis:
		l.broker, err = redisbroker.Open(c.Where, &redisbroker.Options{Logger: l.log})
	default:
		l.broker, err = sqlitebroker.Open(c.Where, nil)
	}
	if err != nil {
		return nil, err
	}
	l.client = queue.NewClient(l.broker)
	return l, nil
}

// logger returns where a system logs to that takes a slog.Logger.
func logger(c call) *slog.Logger {
	if c.Loud {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.DiscardHandler)
}

func (o order) leat() *task.Task {
	options := []task.Option{task.Queue(o.queue)}
	if !o.at.IsZero() {
		options = append(options, task.ProcessAt(o.at))
	}
	if o.group != "" {
		options = append(options, task.Group(o.group))
	}
	return task.New(taskType, o.payload, options...)
}

func (l *leat) enqueue(ctx context.Context, o order) error {
	_, err := l.client.Enqueue(ctx, o.leat())
	return err
}

func (l *leat) enqueueMany(ctx context.Context, orders []order) error {
	tasks := make([]*task.Task, len(orders))
	for i, o := range orders {
		tasks[i] = o.leat()
	}
	for _, e := range l.client.EnqueueMany(ctx, tasks) {
		if e.Err != nil {
			return e.Err
		}
	}
	return nil
}

func (l *leat) serve(c call, handle handler) (stop func() error, err error) {
	return l.serveWith(c, task.HandlerFunc(func(ctx context.Context, t *task.Task) error {
		return handle(ctx, t.Payload())
	}))
}

// serveWith is serve with a handler of Leat's own kind.
func (l *leat) serveWith(c call, h task.Handler) (stop func() error, err error) {
	srv, err := queue.NewServer(l.broker, queue.Config{
		Concurrency: c.Concurrency,
		Queues:      c.priorities(),
		Logger:      l.log,
	})
	if err != nil {
		return nil, err
	}
	if err := srv.Start(h); err != nil {
		return nil, err
	}
	return func() error { return srv.Shutdown(context.Background()) }, nil
}

// serveGroups is for what joins groups.
func (l *leat) serveGroups(c call, fold folder, handle handler) (stop func() error, err error) {
	folding := aggregate.Raw(func(_ context.Context, _ string, tasks []*task.Task) (*task.Task, error) {
		payloads := make([][]byte, len(tasks))
		for i, t := range tasks {
			payloads[i] = t.Payload()
		}
		return task.New(taskType, fold(payloads)), nil
	})
	agg := aggregate.New()
	for _, queue := range c.queueNames() {
		agg.Handle(queue, "", aggregate.Rule{Grace: c.Grace, MaxSize: c.Full}, folding)
	}
	mux := task.NewMux()
	mux.HandleFunc(taskType, func(ctx context.Context, t *task.Task) error { return handle(ctx, t.Payload()) })
	if err := agg.Register(mux); err != nil {
		return nil, err
	}
	return l.serveWith(c, mux)
}

// ripe returns when a group is to be folded that something has joined last at a time:
// Leat counts from the second after.
func (l *leat) ripe(joined time.Time, grace time.Duration) time.Time {
	return broker.CeilSecond(joined).Add(grace)
}

func (l *leat) unsettled(ctx context.Context, queues []string) (int, error) {
	all, err := l.broker.Counts(ctx, time.Now(), queues...)
	if err != nil {
		return 0, fmt.Errorf("count tasks: %w", err)
	}
	n := 0
	for _, counts := range all {
		n += counts.Pending + counts.Active
	}
	return n, nil
}

func (l *leat) close() error { return l.broker.Close() }
