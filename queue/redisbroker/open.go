package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/task"
)

// probeTime is how long Open and New wait for a server to answer.
const probeTime = 5 * time.Second

// Open returns a broker on the Redis that url names, once that has answered,
// which takes a few seconds at most. The forms of url are
//
//	redis://user:password@host:port/db
//	redis-socket://user:password@/path?db=db
//	redis-sentinel://user:password@host:port,host:port/db?master=name
//	redis-cluster://user:password@host:port,host:port?shards=16
//
// and rediss, rediss-sentinel and rediss-cluster for the same over TLS, as
// [Options].TLS has it. User, password, port and db may be left out; the port is
// then 6379, and that of a sentinel 26379. Special characters are escaped.
//
// Sentinels are asked where the master of that name is. What stands before the
// @ is told to that, never to a sentinel; what sentinels are told is
// &sentinel_user=…&sentinel_password=…. (asynq has the password of sentinels
// before the @.)
//
// With noblocking=true behind the question mark, nothing waits on the server. See
// [Options].NoBlocking.
//
// Of a cluster, some nodes are enough. With shards, the namespace is divided
// into so many; without, it has asynq's layout. See [Options].Shards.
//
// It returns a [task.InvalidError] for a url or options that make no sense, and
// an [OpenError] for a server that cannot be reached or used.
func Open(url string, o *Options) (*Broker, error) {
	t, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	settled, err := o.settle(t.shards)
	if err != nil {
		return nil, err
	}
	settled.NoBlocking = settled.NoBlocking || t.noBlocking
	client := t.connect(settled.TLS)
	b, err := begin(client, settled, probe{client: client, address: t.address(), secure: t.secure})
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	b.owned = true
	return b, nil
}

// New returns a broker that uses client, which the caller closes, but not
// before the broker. It waits a few seconds for the server to answer.
//
// The client is of one Redis, also one that is found by sentinels, or of a
// cluster. It should be made with ContextTimeoutEnabled and MaxRetries -1, and
// of a cluster with a ClusterStateReloadInterval of 2 s; [Open] does. A
// cluster's client gets a hook, which notes answers that were lost.
//
// It returns a [task.InvalidError] for options that make no sense, or a ring,
// and an [OpenError] if the server cannot be used.
func New(client redis.UniversalClient, o *Options) (*Broker, error) {
	settled, err := o.settle(0)
	if err != nil {
		return nil, err
	}
	p := probe{client: client}
	switch c := client.(type) {
	case nil:
		return nil, task.Invalid("client", client, "must not be nil")
	case *redis.Ring:
		return nil, task.Invalid("client", "*redis.Ring", "must be of one Redis or a cluster: a ring loses what it has when a server leaves it")
	case *redis.Client:
		p.address, p.secure = c.Options().Addr, c.Options().TLSConfig != nil
	}
	return begin(client, settled, p)
}

// begin asks the server whether it can be used, and opens the worlds in it.
func begin(client redis.UniversalClient, o Options, p probe) (*Broker, error) {
	// Whoever opens a broker has no context to give: the time is bounded here.
	ctx, cancel := context.WithTimeout(context.Background(), probeTime)
	defer cancel()
	p.log, p.channel = o.Logger, o.Prefix+":leat:probe"
	if o.Shards > 0 {
		p.channel = "{" + shardTags(o.Prefix, o.Shards)[0] + "}:leat:probe"
	}
	if c, ok := client.(*redis.ClusterClient); ok {
		if err := watch(ctx, c); err != nil {
			return nil, p.explain(err)
		}
	}
	plain, err := p.run(ctx)
	if err != nil {
		return nil, err
	}
	first := newWorld(client, o)
	first.plainScripts = plain
	s, err := first.open(ctx, o, p)
	if err != nil {
		return nil, err
	}
	return &Broker{storage: s, client: client, options: o, address: p.address, waiting: newWaiting(first, o.NoBlocking)}, nil
}

// settle returns o with what is left out filled in. A URL may have named shards.
func (o *Options) settle(shards int) (Options, error) {
	var all Options
	if o != nil {
		all = *o
	}
	if all.Prefix == "" {
		all.Prefix = DefaultPrefix
	}
	if all.Logger == nil {
		all.Logger = slog.Default()
	}
	if shards != 0 && all.Shards != 0 && shards != all.Shards {
		return all, task.Invalid("Options.Shards", all.Shards, fmt.Sprintf("contradicts the URL, which has %d", shards))
	}
	all.Shards = max(all.Shards, shards)
	err := task.CheckName("Options.Prefix", all.Prefix)
	if o != nil && o.Shards < 0 || all.Shards > MaxShards {
		err = errors.Join(err, task.Invalid("Options.Shards", all.Shards, fmt.Sprintf("must be 0 to %d", MaxShards)))
	}
	if all.Events < 0 {
		err = errors.Join(err, task.Invalid("Options.Events", all.Events, "must not be negative"))
	}
	return all, err
}
