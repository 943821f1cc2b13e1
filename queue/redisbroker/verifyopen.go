package redisbroker

import (
	"context"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// noteOpen notes that an entry is open, if it has a home and has not ended.
func (v *verifier) noteOpen(ref broker.EntryRef, home string, s sighting) {
	ended := (s.state == task.Archived || s.state == task.Completed) && !s.parked
	if home == "" || ended {
		return
	}
	h := parseHome(home)
	if v.open[h] == nil {
		v.open[h] = make(map[broker.EntryRef]bool)
	}
	v.open[h][ref] = true
}

// openEntries checks that of every home those are named as open that are.
func (v *verifier) openEntries(ctx context.Context) error {
	homes := make(map[string]bool)
	for h := range v.open {
		homes[homeField(h)] = true
	}
	for queue, q := range v.queues {
		for _, id := range q.opens {
			homes[homeField(broker.Home{Queue: queue, ID: id})] = true
		}
	}
	return each(ctx, v, slices.Sorted(maps.Keys(homes)), func(p redis.Pipeliner, home string) *redis.MapStringStringCmd {
		return p.HGetAll(ctx, v.b.keys.open(parseHome(home)))
	}, func(home string, reply *redis.MapStringStringCmd) {
		h := parseHome(home)
		named := make(map[broker.EntryRef]bool)
		for field := range reply.Val() {
			ref := openEntry(h, field)
			named[ref] = true
			if !v.open[h][ref] {
				v.mendable(remedy{"open", h.Queue, h.ID, ref.Queue + " " + ref.ID}, "%s names entry %s as open, which it is not", h, ref)
			}
		}
		for ref := range v.open[h] {
			if !named[ref] {
				v.mendable(remedy{"open", h.Queue, h.ID, ref.Queue + " " + ref.ID}, "%s does not name entry %s as open, which it is", h, ref)
			}
		}
	})
}

// drain checks that a home that has a drain still waits for something.
func (v *verifier) drain(home broker.Home, fields map[string]string) {
	if _, ok := fields["drain"]; ok && len(v.open[home]) == 0 {
		v.mendable(remedy{"drain", home.Queue, home.ID, ""}, "%s has a drain although nothing of it is open", home)
	}
}
