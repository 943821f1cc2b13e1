package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/shard"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A script touches one slot of a cluster. A namespace there is therefore several
// worlds, by package shard: with [Options].Shards as many as that, each with a
// prefix that is a hash tag, so that all its keys lie in one slot; or one for
// each queue, whose tag is asynq's.

// open opens what o asks for. It is b, or worlds that are like it.
func (b *world) open(ctx context.Context, o Options, p probe) (storage, error) {
	if err := b.measure(ctx); err != nil {
		return nil, p.explain(err)
	}
	_, clustered := b.client.(*redis.ClusterClient)
	if clustered || o.Shards > 0 {
		if err := b.divided(ctx, o.Shards, p); err != nil {
			return nil, err
		}
	}
	switch {
	case o.Shards > 0:
		return b.sharded(ctx, o, p)
	case clustered && o.Events > 0:
		return nil, task.Invalid("Options.Events", o.Events, "must be 0 on a cluster without shards: events of several queues have no order there")
	case clustered:
		return b.perQueue(ctx, p)
	}
	return b, b.agree(ctx, p.address)
}

// in returns a world of the same namespace with a prefix of its own, and the same
// clock.
func (b *world) in(prefix keys) *world {
	w := newWorld(b.client, Options{Prefix: string(prefix), Logger: b.log, Events: b.kept})
	w.plainScripts, w.clock, w.leaver = b.plainScripts, b.clock, b.leaver
	return w
}

// divided refuses to open a namespace as another number of shards than it has,
// and writes the number where there is none.
func (b *world) divided(ctx context.Context, n int, p probe) error {
	if n > 0 {
		if b.client.SetArgs(ctx, b.keys.shards(), n, redis.SetArgs{Mode: "NX"}).Err() == nil {
			return nil
		}
	}
	found, err := b.client.Get(ctx, b.keys.shards()).Result()
	switch {
	case errors.Is(err, redis.Nil) || err == nil && found == strconv.Itoa(n):
		return nil
	case err != nil && n == 0:
		b.log.DebugContext(ctx, "redis does not tell how many shards there are", "address", p.address, "err", err)
		return nil
	case err != nil:
		return p.explain(err)
	}
	return p.refuse(fmt.Sprintf("has %s shards under the prefix %s, not %d", found, b.keys, n), nil)
}

// A sharded storage is worlds that have been made together.
type sharded struct {
	*shard.Broker
	worlds []*world
}

func (b *world) sharded(ctx context.Context, o Options, p probe) (storage, error) {
	b.leaver = newLeaver(b)
	s := &sharded{}
	var all []shard.World
	for _, tag := range shardTags(o.Prefix, o.Shards) {
		w := b.in(keys("{" + tag + "}"))
		s.worlds, all = append(s.worlds, w), append(all, w)
	}
	s.Broker = shard.New(shard.NewHashed(all...))
	if err := s.worlds[0].agree(ctx, p.address); err != nil {
		return nil, err
	}
	return b.spread(s, s.worlds...), nil
}

// Listen implements [broker.Listener], on one connection for all shards.
func (s *sharded) Listen(ctx context.Context, hear func(broker.Signal)) error {
	var all []keys
	for _, w := range s.worlds {
		all = append(all, w.keys)
	}
	return s.worlds[0].listen(ctx, hear, all...)
}

// perQueue has asynq's layout: a world for each queue, and a register.
func (b *world) perQueue(ctx context.Context, p probe) (storage, error) {
	b.leaver = newLeaver(b)
	r := &register{world: b}
	layout := shard.NewPerQueue(r, func(queue string) shard.World {
		w := b.in(b.keys)
		w.only = queue
		r.written.LoadOrStore(queue, false)
		return &queueWorld{w, r}
	})
	if err := b.agree(ctx, p.address); err != nil {
		return nil, err
	}
	return b.spread(shard.New(layout), b), nil
}

// moving reports whether err says that keys are on their way to another node.
func moving(err error) bool {
	return redis.HasErrorPrefix(err, "TRYAGAIN") || redis.HasErrorPrefix(err, "ASK") || redis.HasErrorPrefix(err, "MOVED")
}

// passing reports whether err, an answer, is one that will be another soon.
func passing(err error) bool {
	return moving(err) || redis.IsLoadingError(err) || redis.HasErrorPrefix(err, "CLUSTERDOWN") ||
		redis.HasErrorPrefix(err, "MASTERDOWN") || redis.HasErrorPrefix(err, "READONLY")
}

// patience is for how long a script waits while its keys move to another node.
const patience = 10 * time.Second

// guard is what the name of a key ends with that never exists. While a slot moves
// it keeps scripts from being run on half of its keys: a node that does not find
// all keys of a script refuses it before it has begun, unless it names only one.
const guard = "|never"

// runInCluster runs a script, waits while its keys are on their way, and has no
// error look like a refusal if an answer has been lost before it.
func (b *world) runInCluster(ctx context.Context, s *redis.Script, keys []string, args []any) *redis.Cmd {
	ctx, lost := doubting(ctx)
	keys = slices.Concat(keys, []string{keys[0] + guard})
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		cmd := s.Run(ctx, b.client, keys, args...)
		err := cmd.Err()
		if err != nil && moving(err) && time.Since(began) < patience && wait(ctx, pause) {
			continue
		}
		if lost.Load() && err != nil && !errors.Is(err, redis.Nil) && (isReply(err) || notExecuted(err)) {
			cmd.SetErr(fmt.Errorf("an answer was lost, and then: %v", err)) //nolint:errorlint // no refusal
		}
		return cmd
	}
}

// scanner returns what SCAN is to be sent to, to find the keys of the world: they
// lie on one node.
func (b *world) scanner(ctx context.Context) (redis.Cmdable, error) {
	if c, ok := b.client.(*redis.ClusterClient); ok {
		return c.MasterForKey(ctx, b.registry())
	}
	return b.client, nil
}

// pattern is that of the names of the world's keys.
func (b *world) pattern() string {
	if b.only != "" {
		return b.keys.queue(b.only) + "*"
	}
	return string(b.keys) + ":*"
}
