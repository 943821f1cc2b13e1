package redisbroker

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// A world is the storage under one prefix, in one Redis: any change to it is
// one script.
type world struct {
	client       redis.UniversalClient
	closed       atomic.Bool
	keys         keys
	only         string // the queue that the world is of; "": of all
	log          *slog.Logger
	plainScripts bool // the server is older than 7
	kept         int  // how many events are kept
	prefix, most any  // the same as keys and kept, as arguments
	caller       string
	sequences    sequences
	day          days
	listeners    sync.Map // to what stops them, a context.CancelFunc
	clock        *clock
	leaver       *leaver // if the world is one of several
}

var _ storage = (*world)(nil)

// newWorld returns the world of o's prefix.
func newWorld(client redis.UniversalClient, o Options) *world {
	return &world{
		client: client, keys: keys(o.Prefix), log: o.Logger, kept: o.Events,
		prefix: o.Prefix, most: strconv.Itoa(o.Events),
		caller: uuid.NewString(), clock: &clock{off: o.LocalClock},
	}
}

// registry is the set of queues that scripts keep, and answers where they keep
// what they have answered. Both lie in the slot of the world's other keys.
func (b *world) registry() string {
	if b.only != "" {
		return b.keys.queue(b.only) + "leat:queues"
	}
	return b.keys.queues()
}

func (b *world) answers() string {
	if b.only != "" {
		return b.keys.queue(b.only) + "leat:answer:" + b.caller
	}
	return b.keys.answers(b.caller)
}

// keeps reports whether key is one of those that outlast a queue beside which they
// lie.
func (b *world) keeps(key string) bool {
	return key == b.registry() || b.only != "" && strings.HasPrefix(key, b.keys.queue(b.only)+"leat:answer:")
}

// Ping implements [broker.Broker].
func (b *world) Ping(ctx context.Context) error {
	if err := b.started(ctx); err != nil {
		return fmt.Errorf("ping redis: %w", err)
	}
	if err := b.client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("ping redis: %w", refusal(err))
	}
	return nil
}

// farewell is how long a broker that is closed takes to clean up behind it.
const farewell = time.Second

// Close implements [broker.Broker]. The client stays open. The answers that are
// kept for the broker go, if they can; otherwise they do by themselves.
func (b *world) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	for _, stop := range b.listeners.Range {
		stop.(context.CancelFunc)()
	}
	if !b.sequences.needless() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell) //nolint:forbidigo // whoever closes has none to give
	defer cancel()
	if err := b.client.Unlink(ctx, b.answers()).Err(); err != nil {
		b.log.DebugContext(ctx, "answers stay until their time has passed", "err", err)
	}
	return nil
}
