package redisbroker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// DefaultPrefix is the prefix of asynq's keys.
const DefaultPrefix = "asynq"

// probeTime is how long Open and New wait for a server to answer.
const probeTime = 5 * time.Second

// Options are what a [Broker] may be told. Nil means the zero Options.
type Options struct {
	// Prefix is what the names of all keys begin with; empty means
	// [DefaultPrefix]. With another, the storage is not asynq's.
	Prefix string

	// TLS is used by [Open] for rediss URLs; nil trusts the system's roots.
	TLS *tls.Config

	// Logger is told what an operator should know. Nil means [slog.Default].
	Logger *slog.Logger

	// LocalClock takes the now of every call as it is. Otherwise the broker
	// measures, as it opens and at every Beat, how far this machine's clock is
	// from the server's, and corrects now by that, so that the machines that
	// share a storage agree.
	LocalClock bool
}

// A Broker keeps its storage in Redis. All its methods may be called from
// several goroutines.
type Broker struct {
	storage
	client redis.UniversalClient
	owned  bool // Close closes client
}

// A storage is one world, or several that act as one.
type storage interface {
	broker.Broker
	broker.Verifier
}

// New returns a broker that uses client, which the caller closes, but not
// before the broker. It waits a few seconds for the server to answer.
//
// It returns a [task.InvalidError] for options that make no sense, or a client
// of a Redis Cluster, and an [OpenError] if the server cannot be used. The
// client should be made with ContextTimeoutEnabled and MaxRetries -1; [Open]
// does.
func New(client redis.UniversalClient, o *Options) (*Broker, error) {
	w, err := newWorld(client, o)
	if err != nil {
		return nil, err
	}
	address := ""
	if c, ok := client.(*redis.Client); ok {
		address = c.Options().Addr
	}
	if err := w.probe(address); err != nil {
		return nil, err
	}
	return &Broker{storage: w, client: client}, nil
}

func newWorld(client redis.UniversalClient, o *Options) (*world, error) {
	if o == nil {
		o = &Options{}
	}
	b := &world{client: client, keys: keys(o.Prefix), log: o.Logger, caller: uuid.NewString(), clock: &clock{off: o.LocalClock}}
	if b.keys == "" {
		b.keys = DefaultPrefix
	}
	if b.log == nil {
		b.log = slog.Default()
	}
	if err := task.CheckName("Options.Prefix", string(b.keys)); err != nil {
		return nil, err
	}
	switch client.(type) {
	case nil:
		return nil, task.Invalid("client", client, "must not be nil")
	case *redis.ClusterClient, *redis.Ring:
		return nil, task.Invalid("client", fmt.Sprintf("%T", client), "must be of one Redis: a cluster is not supported yet")
	}
	return b, nil
}

// Close implements [broker.Broker]. It closes the connections that [Open]
// opened; the client of [New] stays open.
func (b *Broker) Close() error {
	err := b.storage.Close()
	if b.owned {
		err = errors.Join(err, b.client.Close())
	}
	if err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("close redis: %w", err)
	}
	return nil
}
