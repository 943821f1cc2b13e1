package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// extendAtOnce is how many leases one script extends.
const extendAtOnce = 500

// Extend implements [broker.Broker].
func (b *world) Extend(ctx context.Context, now, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	if err := errors.Join(broker.CheckExtend(leases), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("extend: %w", err)
	}
	end := broker.CeilSecond(b.clock.at(until)).Unix()
	var all []broker.Held
	for some := range slices.Chunk(leases, extendAtOnce) {
		held, err := b.extend(ctx, nanos(b.clock.at(now)), strconv.FormatInt(end, 10), some)
		if err != nil {
			return nil, fmt.Errorf("extend: %w", err)
		}
		all = append(all, held...)
	}
	return all, nil
}

func (b *world) extend(ctx context.Context, now, end string, leases []broker.LeaseRef) ([]broker.Held, error) {
	var keys []string
	args := []any{string(b.keys), now, end}
	for _, l := range leases {
		if k := b.keys.queue(l.Queue); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
		args = append(args, l.Queue, l.ID, l.Token)
	}
	reply, err := b.run(ctx, extendScript, keys, args...).Slice()
	if err != nil {
		return nil, refusal(err)
	}
	held := make([]broker.Held, len(leases))
	for i := range held {
		held[i] = broker.Lost
		if numberAt(reply, i) == 1 {
			held[i] = broker.Kept
		}
	}
	return held, nil
}
