package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// advanceAtOnce is how much one script does at most, whatever the limit.
const advanceAtOnce = 500

// Advance implements [broker.Broker]. Leases of asynq's are taken back 30 s
// after they have run out, as asynq does.
func (b *world) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if err := errors.Join(r.Check(), b.started(ctx)); err != nil {
		return broker.Advanced{}, fmt.Errorf("advance: %w", err)
	}
	var all broker.Advanced
	for {
		limit := min(r.Limit-all.Total(), advanceAtOnce)
		some, err := b.advance(ctx, b.clock.at(now), r, limit)
		if err != nil && all.Total() > 0 {
			return all, fmt.Errorf("advance, after a part of it was done: %v", err) // not refused as a whole
		}
		if err != nil {
			return broker.Advanced{}, fmt.Errorf("advance: %w", err)
		}
		all.Add(some)
		all.Next = some.Next
		if some.Total() < limit || all.Total() == r.Limit {
			return all, nil
		}
	}
}

func (b *world) advance(ctx context.Context, now time.Time, r broker.AdvanceRequest, limit int) (broker.Advanced, error) {
	keys := []string{b.registry()}
	args := append(b.common(now), limit, r.Keep.Count, r.Keep.Age.Milliseconds(), r.Keep.Bytes)
	for _, q := range r.Queues {
		keys = append(keys, b.keys.queue(q))
		args = append(args, q)
	}
	reply, err := b.run(ctx, advanceScript, keys, args...).Slice()
	if err != nil {
		return broker.Advanced{}, refusal(err)
	}
	b.leave(listAt(reply, 9))
	n := func(i int) int { return int(numberAt(reply, i)) }
	done := broker.Advanced{
		Due: n(0), Recovered: n(1), Expired: n(2), Closed: n(3), Returned: n(4), Trimmed: n(5), Cancelled: n(6),
	}
	if next := numberAt(reply, 7); next != 0 {
		done.Next = b.clock.back(time.UnixMilli(next).UTC())
	}
	return done, b.damage(ctx, listAt(reply, 8), done.Total() == 0 && done.Next.IsZero())
}
