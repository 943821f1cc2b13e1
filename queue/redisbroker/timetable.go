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

// BeatScheduler implements [broker.Timetable]. The record also expires by the
// server's clock.
func (b *world) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	return b.beatScheduler(ctx, now, s, func(now time.Time, entries []any) error {
		ttl := int(broker.SchedulerTTL / time.Second)
		if s.Gone {
			ttl = 0
		}
		keys := []string{b.keys.schedulers(), b.keys.scheduler(schedulerName(s))}
		return b.run(ctx, timetableScript, keys, append(append(b.common(now), s.ID, ttl), entries...)...).Err()
	})
}

// beatScheduler has write write the records of the entries of s, if nothing speaks
// against it, at a now by the server's clock.
func (b *world) beatScheduler(ctx context.Context, now time.Time, s broker.Scheduler, write func(time.Time, []any) error) error {
	err := errors.Join(s.Check(), b.started(ctx))
	if err == nil {
		err = b.measure(ctx)
	}
	var entries []any
	if err == nil {
		entries, err = schedulerEntries(s)
	}
	if err == nil {
		err = write(b.clock.at(now), entries)
	}
	return during("beat of scheduler "+s.ID, refusal(err))
}

// schedulerName is asynq's name for s.
func schedulerName(s broker.Scheduler) string { return fmt.Sprintf("%s:%d:%s", s.Host, s.PID, s.ID) }

// schedulerOf returns the scheduler that has the record with that key. An id may
// have colons, a host has none.
func (k keys) schedulerOf(key string) (s broker.Scheduler, ok bool) {
	name, found := strings.CutPrefix(key, k.schedulers()+":{")
	name, closed := strings.CutSuffix(name, "}")
	host, rest, _ := strings.Cut(name, ":")
	pid, id, _ := strings.Cut(rest, ":")
	n, err := strconv.Atoi(pid)
	s = broker.Scheduler{ID: id, Host: host, PID: n}
	return s, found && closed && err == nil && s.Check() == nil
}

// schedulerEntries returns the records of the entries of s, to be read in that
// order.
func schedulerEntries(s broker.Scheduler) ([]any, error) {
	if s.Gone {
		return nil, nil
	}
	records := make([]any, len(s.Entries))
	for i, e := range s.Entries {
		record, err := wire.EncodePeriodic(inSeconds(e))
		if err != nil {
			return nil, err
		}
		records[i] = record
	}
	return records, nil
}

// inSeconds returns e with its times in seconds.
func inSeconds(e broker.PeriodicEntry) broker.PeriodicEntry {
	e.Next, e.Prev = e.Next.Truncate(time.Second), e.Prev.Truncate(time.Second)
	return e
}

// Schedulers implements [broker.Timetable]. Records that cannot be decoded are
// left out. The entries of asynq's schedulers are in the order in which asynq
// reads them.
func (b *world) Schedulers(ctx context.Context, now time.Time) ([]broker.Scheduler, error) {
	if err := b.started(ctx); err != nil {
		return nil, during("schedulers", err)
	}
	names, err := b.client.ZRangeByScore(ctx, b.keys.schedulers(), &redis.ZRangeBy{
		Min: "(" + strconv.FormatInt(b.clock.at(now).Unix(), 10), Max: "+inf",
	}).Result()
	if err != nil {
		return nil, during("schedulers", refusal(err))
	}
	var alive []broker.Scheduler
	lists := make(map[string]*redis.StringSliceCmd, len(names)) // by the scheduler's id
	_, err = b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range names {
			if s, ok := b.keys.schedulerOf(name); ok {
				alive = append(alive, s)
				lists[s.ID] = p.LRange(ctx, name, 0, -1)
			}
		}
		return nil
	})
	if err != nil {
		return nil, during("schedulers", refusal(err))
	}
	for i, s := range alive {
		alive[i].Entries = decodeEntries(lists[s.ID].Val())
	}
	slices.SortFunc(alive, func(a, b broker.Scheduler) int { return cmp.Compare(a.ID, b.ID) })
	return alive, nil
}

func decodeEntries(records []string) []broker.PeriodicEntry {
	var entries []broker.PeriodicEntry
	for _, r := range records {
		if e, err := wire.DecodePeriodic([]byte(r)); err == nil {
			entries = append(entries, inSeconds(e))
		}
	}
	return entries
}

// RecordTicks implements [broker.Timetable]. What is more than is kept goes behind
// it, if not now then with the next.
func (b *world) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	if err := errors.Join(broker.CheckTicks(ticks), b.started(ctx)); err != nil {
		return during("record ticks", err)
	}
	members, err := tickMembers(ticks)
	if err != nil {
		return err
	}
	adds := make(map[string]*redis.IntCmd, len(members))
	beyond := make(map[string]*redis.StringSliceCmd, len(members))
	_, err = b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for entry, all := range members {
			adds[entry] = p.ZAdd(ctx, b.keys.ticks(entry), all...)
			beyond[entry] = p.ZRange(ctx, b.keys.ticks(entry), 0, -broker.MaxTicks-1)
		}
		return nil
	})
	for _, add := range adds {
		if err != nil && add.Err() == nil {
			return fmt.Errorf("record ticks, after some were recorded: %w", err)
		}
	}
	if err != nil {
		return during("record ticks", refusal(err))
	}
	_, err = b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for entry, old := range beyond {
			if len(old.Val()) > 0 {
				p.ZRem(ctx, b.keys.ticks(entry), old.Val())
			}
		}
		return nil
	})
	return during("record ticks, after all were recorded", err)
}

// tickMembers returns the records of ticks, by their entries.
func tickMembers(ticks []broker.Tick) (map[string][]redis.Z, error) {
	members := make(map[string][]redis.Z)
	for _, t := range ticks {
		t.At = t.At.Truncate(time.Second)
		record, err := wire.EncodeTick(t)
		if err != nil {
			return nil, err
		}
		members[t.Entry] = append(members[t.Entry], redis.Z{Score: float64(t.At.Unix()), Member: record})
	}
	return members, nil
}

// Ticks implements [broker.Timetable]. Records that cannot be decoded are left
// out.
func (b *world) Ticks(ctx context.Context, entry string, limit int) ([]broker.Tick, error) {
	if err := errors.Join(broker.CheckEntryTicks(entry, limit), b.started(ctx)); err != nil {
		return nil, during("ticks of "+entry, err)
	}
	records, err := b.client.ZRangeArgs(ctx, redis.ZRangeArgs{
		Key: b.keys.ticks(entry), Start: 0, Stop: limit - 1, Rev: true,
	}).Result()
	if err != nil {
		return nil, during("ticks of "+entry, refusal(err))
	}
	var ticks []broker.Tick
	for _, r := range records {
		if t, err := wire.DecodeTick(entry, []byte(r)); err == nil {
			t.At = t.At.Truncate(time.Second)
			ticks = append(ticks, t)
		}
	}
	return ticks, nil
}

// ForgetTicks implements [broker.Timetable].
func (b *world) ForgetTicks(ctx context.Context, entries ...string) error {
	if err := errors.Join(broker.CheckForget(entries), b.started(ctx)); err != nil || len(entries) == 0 {
		return during("forget ticks", err)
	}
	var keys []string
	for _, entry := range entries {
		keys = append(keys, b.keys.ticks(entry))
	}
	return during("forget ticks", refusal(b.client.Del(ctx, keys...).Err()))
}

// during says what was being done when err came up, if it did.
func during(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
