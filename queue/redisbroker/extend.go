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
		held, err := b.extend(ctx, b.clock.at(now), strconv.FormatInt(end, 10), some)
		if err != nil {
			return nil, fmt.Errorf("extend: %w", err)
		}
		all = append(all, held...)
	}
	return all, nil
}

func (b *world) extend(ctx context.Context, now time.Time, end string, leases []broker.LeaseRef) ([]broker.Held, error) {
	args := append(b.common(now), end)
	var queues []string
	for _, l := range leases {
		queues = append(queues, l.Queue)
		args = append(args, l.Queue, l.ID, l.Token)
	}
	return b.held(ctx, extendScript, b.bases(queues), args)
}

// bases returns what the names of the keys of each of queues begin with.
func (b *world) bases(queues []string) []string {
	var keys []string
	for _, queue := range queues {
		if k := b.keys.queue(queue); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// held runs a script that says of leases whether they are held.
func (b *world) held(ctx context.Context, s script, keys []string, args []any) ([]broker.Held, error) {
	reply, err := b.run(ctx, s, keys, args...).Slice()
	if err != nil {
		return nil, refusal(err)
	}
	held := make([]broker.Held, len(reply))
	for i := range held {
		held[i] = []broker.Held{broker.Lost, broker.Kept, broker.Asked}[numberAt(reply, i)]
	}
	return held, nil
}
