package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Report implements [broker.Operator].
func (b *world) Report(ctx context.Context, now time.Time, reports ...broker.Progress) ([]broker.Held, error) {
	if err := errors.Join(broker.CheckReport(reports), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	var all []broker.Held
	for some := range slices.Chunk(reports, extendAtOnce) {
		args := b.common(b.clock.at(now))
		var queues []string
		for _, r := range some {
			queues = append(queues, r.Queue)
			args = append(args, r.Queue, r.ID, r.Token, r.Data)
		}
		held, err := b.held(ctx, reportScript, b.bases(queues), args)
		if err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		all = append(all, held...)
	}
	return all, nil
}
