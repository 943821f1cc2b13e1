package redisbroker

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// latchFields are the figures in a latch's hash, in the order of
// [broker.LatchState].
var latchFields = []string{"total", "fed", "released", "arrived", "marked", "stopped", "complete"}

// Latches implements [broker.Broker].
func (b *world) Latches(ctx context.Context, home broker.Home, ids ...string) ([]broker.LatchState, error) {
	if err := errors.Join(broker.CheckLatches(home, ids), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("latches of %s: %w", home, err)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	replies := make([]*redis.SliceCmd, len(ids))
	_, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			replies[i] = p.HMGet(ctx, b.keys.latch(home, id), latchFields...)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("latches of %s: %w", home, refusal(err))
	}
	states := make([]broker.LatchState, len(ids))
	for i, id := range ids {
		figures := replies[i].Val()
		if figures[0] == nil {
			return nil, broker.LatchNotFound(home, id)
		}
		n := func(i int) int { return int(numberAt(figures, i)) }
		states[i] = broker.LatchState{
			ID: id, Total: n(0), Fed: n(1), Released: n(2), Arrived: n(3), Marked: n(4),
			Stopped: n(5) == 1, Complete: n(6) == 1,
		}
	}
	return states, nil
}
