package redisbroker

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/task"
)

// groups checks that every entry that waits in a group is there once, alone or in
// a batch, that both are known, and that nothing else is in them.
func (v *verifier) groups(ctx context.Context, queue string, q *queueKeys, found map[string]sighting, m membership) error {
	base := v.b.keys.queue(queue)
	names, err := v.b.client.SMembers(ctx, base+"groups").Result()
	if err != nil {
		return err
	}
	batches, err := v.b.client.ZRange(ctx, base+"aggregation_sets", 0, -1).Result()
	if err != nil {
		return err
	}
	ours, err := v.b.client.ZRange(ctx, base+"leat:batches", 0, -1).Result()
	if err != nil {
		return err
	}
	for _, name := range ours {
		set, group, _ := strings.Cut(name, " ")
		if !slices.Contains(batches, base+"g:"+group+":"+set) {
			v.mendable(remedy{"batch", queue, group + ":" + set, ""}, "batch %s of group %s of queue %s is not known to asynq", set, group, queue)
		}
	}
	for _, key := range batches {
		if name := strings.TrimPrefix(key, base+"g:"); !slices.Contains(q.groups, name) {
			v.mendable(remedy{"batch", queue, name, ""}, "batch %s of queue %s holds nothing", name, queue)
		}
	}
	seen := make(map[string]int) // how often an id is in a group
	for _, name := range q.groups {
		group := name
		if slices.Contains(batches, base+"g:"+name) {
			group = name[:strings.LastIndex(name, ":")]
		} else if !slices.Contains(names, name) {
			v.mendable(remedy{"group", queue, name, ""}, "group %s of queue %s is not among its groups", name, queue)
		}
		if err := v.group(ctx, "g:"+name, group, queue, found, seen); err != nil {
			return err
		}
	}
	v.grouped(queue, names, q.groups, found, m.sets["leat:grouped"])
	if err := v.joined(ctx, queue); err != nil {
		return err
	}
	for id, s := range found {
		if s.state == task.Aggregating && seen[id] != 1 {
			v.mendable(remedy{"place", queue, id, ""}, "entry %s/%s is aggregating and %d times in a group, want 1", queue, id, seen[id])
		}
	}
	return nil
}

// group checks the sorted set that is a group, or a batch of it.
func (v *verifier) group(ctx context.Context, set, group, queue string, found map[string]sighting, seen map[string]int) error {
	members, err := v.b.client.ZRangeWithScores(ctx, v.b.keys.queue(queue)+set, 0, -1).Result()
	if err != nil {
		return err
	}
	for _, z := range members {
		id := z.Member.(string)
		seen[id]++
		switch s, ok := found[id]; {
		case !ok:
			v.mendable(remedy{"stranger", queue, set, id}, "group %s of queue %s names %s, which does not exist", group, queue, id)
		case s.state != task.Aggregating || s.group != group:
			v.mendable(remedy{"stranger", queue, set, id}, "group %s of queue %s names %s, which is %s in group %q", group, queue, id, s.state, s.group)
		}
		if z.Score != math.Trunc(z.Score) {
			v.mendable(remedy{"score", queue, set, id}, "group %s of queue %s holds %s with score %v, which is no integer", group, queue, id, z.Score)
		}
	}
	return nil
}

// grouped checks what is noted of entries that are scheduled into a group, and that
// no name of a group is left of which there is nothing.
func (v *verifier) grouped(queue string, names, filled []string, found map[string]sighting, noted map[string]float64) {
	expected := make(map[string]bool)
	for id := range noted {
		s := found[id]
		if s.group == "" || s.state != task.Scheduled && s.state != task.Retry {
			v.mendable(remedy{"grouped", queue, id, ""}, "queue %s notes that %s is scheduled into a group, which it is not", queue, id)
		}
		expected[s.group] = true
	}
	for id, s := range found {
		if _, ok := noted[id]; !ok && s.group != "" && s.state == task.Scheduled {
			v.mendable(remedy{"grouped", queue, id, ""}, "entry %s/%s is scheduled into group %s, which is not noted", queue, id, s.group)
		}
	}
	for _, name := range names {
		if !slices.Contains(filled, name) && !expected[name] {
			v.mendable(remedy{"empty", queue, name, ""}, "group %s of queue %s is known and holds nothing", name, queue)
		}
	}
}

// joined checks that each group which is told to have been joined has a number of its
// own, up to the last that was given. asynq may have emptied it.
func (v *verifier) joined(ctx context.Context, queue string) error {
	all, err := v.b.client.ZRangeWithScores(ctx, v.b.keys.joined(queue), 0, -1).Result()
	if err != nil {
		return err
	}
	last, numbers := -1.0, make(map[float64]bool)
	for _, z := range all {
		if z.Member == "" {
			last = z.Score
		}
	}
	for _, z := range all {
		switch group := z.Member.(string); {
		case group == "":
			continue
		case z.Score > last || numbers[z.Score] || z.Score != math.Trunc(z.Score):
			v.mendable(remedy{"join", queue, group, ""}, "group %s of queue %s has been joined with the number %v, which was not given to it; the last is %v", group, queue, z.Score, last)
		}
		numbers[z.Score] = true
	}
	return nil
}

// claims checks that each claim is held by an entry that claims it, that none is
// held for ever by one that has ended, and that who waits behind one is known.
func (v *verifier) claims(ctx context.Context, queue string, q *queueKeys, found map[string]sighting) error {
	key := func(claim string) string { return v.b.keys.claims(queue) + claim }
	err := each(ctx, v, q.claims, func(p redis.Pipeliner, claim string) claimReplies {
		return claimReplies{p.Get(ctx, key(claim)), p.TTL(ctx, key(claim))}
	}, func(claim string, r claimReplies) {
		holder, till, ended := strings.Cut(r.holder.Val(), " ")
		s := found[holder]
		switch {
		case r.holder.Err() != nil: // it has expired meanwhile
		case ended && r.ttl.Val() < 0:
			v.mendable(remedy{"claim", queue, claim, ""}, "claim %s of queue %s is held until %s and never deleted", claim, queue, till)
		case !ended && s.claim != key(claim):
			v.mendable(remedy{"claim", queue, claim, ""}, "claim %s of queue %s is held by %s, which does not claim it", claim, queue, holder)
		case !ended && r.ttl.Val() < 0 && !s.parked && (s.state == task.Archived || s.state == task.Completed):
			v.mendable(remedy{"claim", queue, claim, ""}, "claim %s of queue %s is held for ever by %s, which is %s", claim, queue, holder, s.state)
		}
	})
	if err != nil {
		return err
	}
	return v.behind(ctx, queue, q.behind, found)
}

type claimReplies struct {
	holder *redis.StringCmd
	ttl    *redis.DurationCmd
}

// behind checks that entries which wait behind a claim and the claims agree.
func (v *verifier) behind(ctx context.Context, queue string, claims []string, found map[string]sighting) error {
	waits := make(map[string]bool)
	err := each(ctx, v, claims, func(p redis.Pipeliner, claim string) *redis.StringCmd {
		return p.Get(ctx, v.b.keys.queue(queue)+"leat:behind:"+claim)
	}, func(claim string, reply *redis.StringCmd) {
		id := reply.Val()
		if s := found[id]; !s.behind || s.claim != v.b.keys.claims(queue)+claim {
			v.mendable(remedy{"behind", queue, claim, ""}, "%s waits behind claim %s of queue %s, and does not know", id, claim, queue)
		}
		waits[id] = true
	})
	for id, s := range found {
		if s.behind && !waits[id] {
			v.mendable(remedy{"waits", queue, id, ""}, "entry %s/%s waits behind a claim that does not know", queue, id)
		}
	}
	return err
}
