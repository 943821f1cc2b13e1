package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// advanceAtOnce is how much one script does at most, whatever the limit.
const advanceAtOnce = 1000

// Advance implements [broker.Broker]. Leases of asynq's are taken back 30 s
// after they have run out, as asynq does.
func (b *world) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if err := errors.Join(r.Check(), b.started(ctx)); err != nil {
		return broker.Advanced{}, fmt.Errorf("advance: %w", err)
	}
	var all broker.Advanced
	for {
		limit := min(r.Limit-all.Total(), advanceAtOnce)
		some, err := b.advance(ctx, b.clock.at(now), r.Queues, limit)
		if err != nil && all.Total() > 0 {
			return all, fmt.Errorf("advance, after a part of it was done: %v", err) // not refused as a whole
		}
		if err != nil {
			return broker.Advanced{}, fmt.Errorf("advance: %w", err)
		}
		all.Due += some.Due
		all.Recovered += some.Recovered
		all.Expired += some.Expired
		all.Closed += some.Closed
		all.Next = some.Next
		if some.Total() < limit || all.Total() == r.Limit {
			return all, nil
		}
	}
}

func (b *world) advance(ctx context.Context, now time.Time, queues []string, limit int) (broker.Advanced, error) {
	var keys []string
	args := []any{string(b.keys), nanos(now), limit}
	for _, q := range queues {
		keys = append(keys, b.keys.queue(q))
		args = append(args, q)
	}
	reply, err := b.run(ctx, advanceScript, keys, args...).Slice()
	if err != nil {
		return broker.Advanced{}, refusal(err)
	}
	done := broker.Advanced{
		Due:       int(numberAt(reply, 0)),
		Recovered: int(numberAt(reply, 1)),
		Expired:   int(numberAt(reply, 2)),
		Closed:    int(numberAt(reply, 3)),
	}
	if next := numberAt(reply, 4); next != 0 {
		done.Next = b.clock.back(time.UnixMilli(next).UTC())
	}
	return done, b.damage(ctx, listAt(reply, 5), done.Total() == 0 && done.Next.IsZero())
}
