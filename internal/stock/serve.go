package stock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// longTasks is how many tasks the server is at that never end.
const longTasks = 6

// Serve starts a server that is at some long tasks, and runs that stand in every way, the
// large one among them, and returns when they stand there. The server, and what it is at,
// ends with stop.
func Serve(ctx context.Context, b broker.Broker) (stop func() error, err error) {
	server, err := newServer(b)
	if err != nil {
		return nil, err
	}
	mux := task.NewMux()
	workflow.Register(mux, orders, quick, region, yearEnd)
	mux.HandleFunc("video:encode", func(ctx context.Context, _ *task.Task) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err := server.Start(mux); err != nil {
		return nil, err
	}
	stop = func() error { return server.Shutdown(context.WithoutCancel(ctx)) }
	if err := begin(ctx, b); err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}

func newServer(b broker.Broker) (*queue.Server, error) {
	return queue.NewServer(b, queue.Config{
		Concurrency: 64, Queues: map[string]int{flowQueue: 6, "video": 1},
		ShutdownTimeout: time.Millisecond, // nothing ends by itself
		Logger:          slog.New(slog.DiscardHandler),
	})
}

// begin starts tasks and runs, and waits until each stands where it is to stand.
func begin(ctx context.Context, b broker.Broker) error {
	c := queue.NewClient(b)
	for i := range longTasks {
		payload := fmt.Appendf(nil, `{"film":"f-%02d","height":%d}`, i+1, 480+240*(i%3))
		_, err := c.Enqueue(ctx, task.New("video:encode", payload), task.Queue("video"), task.ID(fmt.Sprintf("video-%02d", i+1)), task.NoTimeout())
		if err != nil {
			return err
		}
	}
	large, err := yearEnd.Start(ctx, c, 2026, workflow.RunID("year-end-2026"))
	if err != nil {
		return err
	}
	for _, p := range positions {
		if err := p.start(ctx, c); err != nil {
			return fmt.Errorf("run %s: %w", p.id, err)
		}
	}
	for _, p := range positions {
		if err := p.await(ctx, c); err != nil {
			return fmt.Errorf("run %s: %w", p.id, err)
		}
	}
	return awaitStep(ctx, large.Handle, "regions", finished)
}
