package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// A register keeps, in asynq's layout on a cluster, what is of no queue: the set
// of all queues, and the records of servers and schedulers. Each of its keys has a slot of its
// own, so that no script can write two of them together. A queue has a key of its
// own that says whether it exists; it comes into the set of all behind the first
// change to it that a process makes, and if that dies in between, behind that of
// another.
type register struct {
	*world
	written sync.Map // queues that this process uses, by name: whether they are in the set
}

// note has queue be in the set, if there is such a queue.
func (r *register) note(ctx context.Context, queue string) error {
	if written, _ := r.written.Load(queue); written == true {
		return nil
	}
	exists, err := r.client.SIsMember(ctx, (&world{keys: r.keys, only: queue}).registry(), queue).Result()
	if err == nil && exists {
		err = r.client.SAdd(ctx, r.keys.queues(), queue).Err()
	}
	r.written.Store(queue, err == nil && exists)
	return err
}

// repair notes all queues again: somebody may have removed one from the set.
func (r *register) repair(ctx context.Context) error {
	for queue := range r.written.Range {
		r.written.Store(queue, false)
		if err := r.note(ctx, queue.(string)); err != nil {
			return err
		}
	}
	return nil
}

// Beat implements [broker.Broker], as lua/beat.lua does, command by command.
func (r *register) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	err := errors.Join(s.Check(), r.started(ctx))
	if err == nil {
		err = r.measure(ctx)
	}
	if err == nil {
		err = r.beat(ctx, r.clock.at(now), s)
	}
	if err == nil {
		err = r.repair(ctx)
	}
	if err != nil {
		return fmt.Errorf("beat of server %s: %w", s.ID, refusal(err))
	}
	return nil
}

func (r *register) beat(ctx context.Context, now time.Time, s broker.Server) error {
	gone := func(key string) bool { return s.Gone && strings.HasSuffix(key, ":"+s.ID+"}") }
	for _, set := range []string{r.keys.servers(), r.keys.workers()} {
		if err := r.forget(ctx, now, set, gone); err != nil {
			return err
		}
	}
	if s.Gone {
		return nil
	}
	records, err := serverRecords(s)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s:%d:%s", s.Host, s.PID, s.ID)
	ends := float64(broker.CeilSecond(now).Add(broker.ServerTTL).Unix())
	if err := r.client.Set(ctx, r.keys.server(name), records[0], broker.ServerTTL).Err(); err != nil {
		return err
	}
	workers := r.keys.serverWorkers(name)
	if _, err := r.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Del(ctx, workers)
		if len(records) > 1 {
			p.HSet(ctx, workers, records[1:]...)
			p.Expire(ctx, workers, broker.ServerTTL)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := r.client.ZAdd(ctx, r.keys.servers(), redis.Z{Score: ends, Member: r.keys.server(name)}).Err(); err != nil {
		return err
	}
	return r.client.ZAdd(ctx, r.keys.workers(), redis.Z{Score: ends, Member: workers}).Err()
}

// BeatScheduler implements [broker.Timetable], as lua/timetable.lua does, command by
// command.
func (r *register) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	return r.beatScheduler(ctx, now, s, func(now time.Time, entries []any) error {
		before := func(key string) bool {
			found, ok := r.keys.schedulerOf(key)
			return ok && found.ID == s.ID
		}
		if err := r.forget(ctx, now, r.keys.schedulers(), before); err != nil || s.Gone {
			return err
		}
		list := r.keys.scheduler(schedulerName(s))
		if _, err := r.client.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.Del(ctx, list)
			if len(entries) > 0 {
				p.RPush(ctx, list, entries...)
				p.Expire(ctx, list, broker.SchedulerTTL)
			}
			return nil
		}); err != nil {
			return err
		}
		ends := float64(broker.CeilSecond(now).Add(broker.SchedulerTTL).Unix())
		return r.client.ZAdd(ctx, r.keys.schedulers(), redis.Z{Score: ends, Member: list}).Err()
	})
}

// forget removes the records that set names of what has died, some at a time, and
// those that are gone: whoever says so may not know their host.
func (r *register) forget(ctx context.Context, now time.Time, set string, gone func(key string) bool) error {
	dead := &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.Unix()-1, 10), Count: 100}
	names, err := r.client.ZRangeByScore(ctx, set, dead).Result()
	if err != nil {
		return err
	}
	known, err := r.client.ZRange(ctx, set, 0, -1).Result()
	if err != nil {
		return err
	}
	for _, name := range known {
		if gone(name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if err := errors.Join(r.client.ZRem(ctx, set, name).Err(), r.client.Del(ctx, name).Err()); err != nil {
			return err
		}
	}
	return nil
}

// Verify implements [broker.Verifier]: queues check that they are registered.
func (r *register) Verify(context.Context, time.Time) ([]string, error) { return nil, nil }

// A queueWorld is the world of one queue, which the register knows.
type queueWorld struct {
	*world
	register *register
}

// Apply implements [broker.Broker]. What does not get into the set of queues now
// does so with the next change, or the next Beat.
func (q *queueWorld) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	done, err := q.world.Apply(ctx, now, changes, want)
	if err == nil && len(changes) > 0 {
		if err := q.register.note(ctx, q.only); err != nil {
			q.log.DebugContext(ctx, "queue is not in the set of queues yet", "queue", q.only, "err", err)
		}
	}
	return done, err
}

// Queues implements [broker.Operator].
func (q *queueWorld) Queues(context.Context) ([]string, error) { return []string{q.only}, nil }

// Remove implements [broker.Operator]. asynq, which may have made the queue, has
// written only the set of all.
func (q *queueWorld) Remove(ctx context.Context, now time.Time, queue string, force bool) error {
	known, err := q.client.SIsMember(ctx, q.keys.queues(), queue).Result()
	if err == nil && known {
		err = q.client.SAdd(ctx, q.registry(), queue).Err()
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", queue, refusal(err))
	}
	if err := q.world.Remove(ctx, now, queue, force); err != nil {
		return err
	}
	q.register.written.Delete(queue)
	if err := q.client.SRem(ctx, q.keys.queues(), queue).Err(); err != nil {
		return fmt.Errorf("remove %s: %w", queue, refusal(err))
	}
	return nil
}
