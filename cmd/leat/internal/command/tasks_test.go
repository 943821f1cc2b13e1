package command_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func init() { fillings["clerk"] = fillClerk }

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
