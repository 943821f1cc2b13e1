package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// groupsAtOnce is how many groups one trip asks about.
const groupsAtOnce = 500

// Gather implements [broker.Operator].
func (b *world) Gather(ctx context.Context, now time.Time, r broker.GatherRequest) (broker.Batch, error) {
	if err := errors.Join(r.Check(), b.started(ctx)); err != nil {
		return broker.Batch{}, fmt.Errorf("gather: %w", err)
	}
	given := now
	now = b.clock.at(now)
	args := append(b.common(now), r.Queue, r.Group, r.Token, seconds(r.Grace), seconds(r.MaxDelay), r.MaxSize, r.MaxBytes,
		broker.CeilSecond(b.clock.at(r.Until)).Unix())
	both, err := b.run(ctx, gatherScript, []string{b.registry(), b.keys.queue(r.Queue)}, args...).Slice()
	if err != nil {
		return broker.Batch{}, fmt.Errorf("gather group %s of %s: %w", r.Group, r.Queue, refusal(err))
	}
	b.leave(listAt(both, 2))
	next := b.ripens(numberAt(both, 1), given)
	reply := listAt(both, 0)
	if len(reply) == 0 {
		return broker.Batch{Next: next}, nil
	}
	until := b.clock.back(time.Unix(numberAt(reply, 0), 0).UTC())
	found := broker.Batch{Queue: r.Queue, Group: r.Group, Token: r.Token, Until: until, Next: next}
	var lost []unreadable
	for i := 1; i+1 < len(reply); i += 2 {
		ref := broker.EntryRef{Queue: r.Queue, ID: textAt(reply, i)}
		body := listAt(reply, i+1)
		if len(body) == 0 {
			body = []any{nil}
		}
		e, err := b.entry(ref, textAt(body, 0), body[1:])
		if err != nil {
			lost = append(lost, unreadable{broker.Parked{EntryRef: ref, Err: err}, r.Token, r.Group})
			continue
		}
		l := broker.Lease{Entry: e, Token: r.Token, Until: until, Lost: b.lost(textAt(body, 7))}
		if joined := momentAt(body, 8); !joined.IsZero() {
			l.Ready = b.clock.back(joined)
		}
		found.Members = append(found.Members, l)
	}
	found.Parked = b.park(ctx, now, lost)
	if len(found.Members) == 0 {
		return broker.Batch{Next: next, Parked: found.Parked}, nil
	}
	return found, nil
}

// ripens returns the time that lua/gather.lua says, if now is what it was given.
func (b *world) ripens(second int64, now time.Time) time.Time {
	switch second {
	case 0:
		return time.Time{}
	case -1:
		return now
	}
	return b.clock.back(time.Unix(second, 0).UTC())
}

// park archives entries of a batch that cannot be read, as they are, and returns
// those that were.
func (b *world) park(ctx context.Context, now time.Time, lost []unreadable) []broker.Parked {
	if len(lost) == 0 {
		return nil
	}
	if _, err := b.applyOnce(ctx, now, b.parking(lost), broker.LeaseRequest{}); err != nil {
		b.log.WarnContext(ctx, "unreadable entries not parked yet", "entries", len(lost), "err", err)
		return nil
	}
	var parked []broker.Parked
	for _, u := range lost {
		parked = append(parked, u.Parked)
	}
	return parked
}

// seconds returns d in seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// Groups implements [broker.Operator].
func (b *world) Groups(ctx context.Context, queue string) ([]broker.Group, error) {
	if err := errors.Join(broker.CheckQueue(queue), b.started(ctx)); err != nil {
		return nil, fmt.Errorf("groups of %s: %w", queue, err)
	}
	groups, err := b.sizes(ctx, queue)
	if err != nil {
		return nil, fmt.Errorf("groups of %s: %w", queue, refusal(err))
	}
	if err := b.ages(ctx, queue, groups); err != nil {
		return nil, fmt.Errorf("groups of %s: %w", queue, refusal(err))
	}
	return groups, nil
}

// sizes returns the groups of a queue that hold entries, in order of their names,
// without their ages. Those whose names we do not take are left out.
func (b *world) sizes(ctx context.Context, queue string) ([]broker.Group, error) {
	names, err := b.client.SMembers(ctx, b.keys.groups(queue)).Result()
	if err != nil {
		return nil, err
	}
	found := make(map[string]*broker.Group)
	of := func(name string) *broker.Group {
		if found[name] == nil {
			found[name] = &broker.Group{Name: name}
		}
		return found[name]
	}
	err = b.cards(ctx, names, b.keys.group(queue, ""), func(name string, n int) { of(name).Size += n })
	if err != nil {
		return nil, err
	}
	// Batches come after groups: what is gathered meanwhile is counted twice rather
	// than not at all.
	batches, err := b.client.ZRange(ctx, b.keys.aggregations(queue), 0, -1).Result()
	if err != nil {
		return nil, err
	}
	err = b.cards(ctx, batches, "", func(key string, n int) {
		name := strings.TrimPrefix(key, b.keys.group(queue, ""))
		of(name[:max(strings.LastIndex(name, ":"), 0)]).Frozen += n
	})
	if err != nil {
		return nil, err
	}
	var groups []broker.Group
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if g := found[name]; g.Size+g.Frozen > 0 && task.CheckMadeName("Group", name) == nil {
			groups = append(groups, *g)
		}
	}
	return groups, nil
}

// cards tells add how many members each of the sorted sets has whose keys are
// prefix and a name.
func (b *world) cards(ctx context.Context, names []string, prefix string, add func(name string, n int)) error {
	for some := range slices.Chunk(names, groupsAtOnce) {
		replies, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, name := range some {
				p.ZCard(ctx, prefix+name)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i, name := range some {
			add(name, int(replies[i].(*redis.IntCmd).Val()))
		}
	}
	return nil
}

// ages fills in when the first and the last entry was added to each of groups.
func (b *world) ages(ctx context.Context, queue string, groups []broker.Group) error {
	for some := range slices.Chunk(groups, groupsAtOnce) {
		replies, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, g := range some {
				p.ZRangeWithScores(ctx, b.keys.group(queue, g.Name), 0, 0)
				p.ZRangeWithScores(ctx, b.keys.group(queue, g.Name), -1, -1)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := range some {
			some[i].Oldest = scoreTime(replies[2*i])
			some[i].Newest = scoreTime(replies[2*i+1])
		}
	}
	return nil
}

// scoreTime returns the score of the only member in a reply, as a time.
func scoreTime(reply redis.Cmder) time.Time {
	if members := reply.(*redis.ZSliceCmd).Val(); len(members) > 0 {
		return time.Unix(int64(members[0].Score), 0).UTC()
	}
	return time.Time{}
}
