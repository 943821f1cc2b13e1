package redisbroker

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// storageVersion is that of the storage that this package writes, and the only
// one that it reads.
const storageVersion = 1

// agree writes the version of the storage where there is none, and refuses
// another. What it may not ask, it takes to be in order.
func (b *world) agree(ctx context.Context, address string) error {
	if b.client.SetArgs(ctx, b.keys.version(), storageVersion, redis.SetArgs{Mode: "NX"}).Err() == nil {
		return nil
	}
	found, err := b.client.Get(ctx, b.keys.version()).Result()
	if err != nil {
		b.log.DebugContext(ctx, "redis does not tell the version of its storage", "address", address, "err", err)
		return nil
	}
	if found == strconv.Itoa(storageVersion) {
		return nil
	}
	return &OpenError{Address: address, Reason: fmt.Sprintf(
		"holds storage of version %q under the prefix %s: this program knows version %d, and another release is needed",
		found, b.keys, storageVersion)}
}
