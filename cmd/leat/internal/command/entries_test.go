package command_test

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

func init() {
	fillings["scheduler"] = fillScheduler
}

// fillScheduler has a scheduler run the entry heartbeat, which ticks every second, and
// those that are stored, until the test ends. It returns once heartbeat has ticked.
func fillScheduler(ctx context.Context, b broker.Broker) error {
	s := periodic.New(queue.NewClient(b), periodic.Config{SyncInterval: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err := s.Register(periodic.Entry{Name: "heartbeat", Schedule: "@every 1s", Type: "beat"}); err != nil {
		return err
	}
	go func() { _ = s.Run(ctx) }() // its errors are logged, or the script misses its ticks
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		if ticks, err := b.Ticks(ctx, "heartbeat", 1); err != nil || len(ticks) > 0 {
			return err
		}
	}
	return errors.New("heartbeat has not ticked")
}
