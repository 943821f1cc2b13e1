package redisbroker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// DefaultPrefix is the prefix of asynq's keys.
const DefaultPrefix = "asynq"

// MaxShards is how many shards a namespace may have.
const MaxShards = 99

// Options are what a [Broker] may be told. Nil means the zero Options.
type Options struct {
	// Prefix is what the names of all keys begin with; empty means
	// [DefaultPrefix]. With another, the storage is not asynq's.
	Prefix string

	// TLS is used by [Open] for rediss URLs, to sentinels too: whom to trust, and
	// the client's certificate if the server wants one. Nil trusts the system's
	// roots.
	TLS *tls.Config

	// Shards, if not 0, is into how many worlds the namespace is divided, each
	// with all its keys in one slot of a cluster: at least 1 and at most
	// [MaxShards]. It is chosen when the namespace is made; another number is
	// refused later. With 0 there is one world, or on a cluster one for each
	// queue, as asynq has it.
	Shards int

	// Logger is told what an operator should know. Nil means [slog.Default].
	Logger *slog.Logger

	// LocalClock takes the now of every call as it is. Otherwise the broker
	// measures, as it opens and at every beat of a server or scheduler, how far this
	// machine's clock is from the server's, and corrects now by that, so that the machines that
	// share a storage agree.
	LocalClock bool

	// Events is how many of the events that an entry has come into a state are
	// kept, about, for [broker.Streamer]. All brokers on a storage should have the
	// same. 0 means none, and costs nothing.
	Events int

	// NoBlocking has [Broker.Wait] refuse to wait. A proxy may make no use of
	// commands that block, or end connections on which nothing is said for some
	// seconds.
	NoBlocking bool
}

// A Broker keeps its storage in Redis. All its methods may be called from
// several goroutines.
type Broker struct {
	storage
	client  redis.UniversalClient
	options Options
	address string // how it is named to people
	owned   bool   // Close closes client
	waiting *waiting
}

var _ broker.Waker = (*Broker)(nil)

// A storage is one world, or several that act as one.
type storage interface {
	broker.Broker
	broker.Verifier
	broker.Mender
	broker.Operator
	broker.Listener
	broker.Streamer
}

// Close implements [broker.Broker]. It closes the connections that [Open]
// opened; the client of [New] stays open.
func (b *Broker) Close() error {
	b.waiting.close()
	err := b.storage.Close()
	if b.owned {
		err = errors.Join(err, b.client.Close())
	}
	if err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}
