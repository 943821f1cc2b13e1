package redisbroker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/internal/wire"
	"github.com/leatwork/leat/queue/broker"
)

// Beat implements [broker.Broker]. The record also expires by the server's
// clock.
func (b *world) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	if err := errors.Join(s.Check(), b.started(ctx)); err != nil {
		return fmt.Errorf("beat of server %s: %w", s.ID, err)
	}
	if err := b.measure(ctx); err != nil {
		return fmt.Errorf("beat of server %s: %w", s.ID, refusal(err))
	}
	name := fmt.Sprintf("%s:%d:%s", s.Host, s.PID, s.ID)
	keys := []string{b.keys.servers(), b.keys.workers(), b.keys.server(name), b.keys.serverWorkers(name)}
	args := append(b.common(b.clock.at(now)), s.ID, int(broker.ServerTTL/time.Second))
	if s.Gone {
		args = append(args, "")
	} else {
		records, err := serverRecords(s)
		if err != nil {
			return err
		}
		args = append(args, records...)
	}
	if err := b.run(ctx, beatScript, keys, args...).Err(); err != nil {
		return fmt.Errorf("beat of server %s: %w", s.ID, refusal(err))
	}
	return nil
}

// serverRecords returns the record of s, and for each of its workers a name and
// a record. The name is the entry's id, as asynq has it, unless another worker
// runs an entry of that id from another queue.
func serverRecords(s broker.Server) ([]any, error) {
	record, err := wire.EncodeServer(s)
	if err != nil {
		return nil, err
	}
	records := []any{record}
	taken := make(map[string]bool, len(s.Workers))
	for _, w := range s.Workers {
		record, err := wire.EncodeWorker(s, w)
		if err != nil {
			return nil, err
		}
		name := w.Entry.ID
		if taken[name] {
			name = w.Entry.String()
		}
		taken[name] = true
		records = append(records, name, record)
	}
	return records, nil
}

// Servers implements [broker.Broker]. Records that cannot be decoded are left
// out. A server's workers are in the order in which they started.
func (b *world) Servers(ctx context.Context, now time.Time) ([]broker.Server, error) {
	if err := b.started(ctx); err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	names, err := b.client.ZRangeByScore(ctx, b.keys.servers(), &redis.ZRangeBy{
		Min: "(" + strconv.FormatInt(b.clock.at(now).Unix(), 10), Max: "+inf",
	}).Result()
	if err != nil {
		return nil, fmt.Errorf("servers: %w", refusal(err))
	}
	servers := make([]*redis.StringCmd, len(names))
	workers := make([]*redis.StringSliceCmd, len(names))
	_, err = b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, name := range names {
			servers[i] = p.Get(ctx, name)
			workers[i] = p.HVals(ctx, b.keys.workers()+strings.TrimPrefix(name, b.keys.servers()))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("servers: %w", refusal(err))
	}
	var alive []broker.Server
	for i := range names {
		s, err := wire.DecodeServer([]byte(servers[i].Val()))
		if err != nil {
			continue
		}
		s.Workers = decodeWorkers(workers[i].Val())
		alive = append(alive, s)
	}
	slices.SortFunc(alive, func(a, b broker.Server) int { return cmp.Compare(a.ID, b.ID) })
	return alive, nil
}

func decodeWorkers(records []string) []broker.Worker {
	var workers []broker.Worker
	for _, r := range records {
		if w, err := wire.DecodeWorker([]byte(r)); err == nil {
			workers = append(workers, w)
		}
	}
	slices.SortFunc(workers, func(a, b broker.Worker) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Entry.String(), b.Entry.String()))
	})
	return workers
}
