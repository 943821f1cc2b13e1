package redisbroker

import (
	"context"
	"errors"
	"fmt"

	"github.com/leatwork/leat/queue/broker"
)

// Documents implements [broker.Broker].
func (b *world) Documents(ctx context.Context, home broker.Home, keys ...string) ([]broker.Document, error) {
	if err := errors.Join(broker.CheckDocuments(home, keys), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("documents of %s: %w", home, err)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	var fields []string
	for _, key := range keys {
		fields = append(fields, "v:"+key, "d:"+key)
	}
	values, err := b.client.HMGet(ctx, b.keys.run(home), fields...).Result()
	if err != nil {
		return nil, fmt.Errorf("documents of %s: %w", home, refusal(err))
	}
	found := make([]broker.Document, len(keys))
	for i, key := range keys {
		found[i] = document(key, values[2*i], values[2*i+1])
	}
	return found, nil
}
