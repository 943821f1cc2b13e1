package shard

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// archives remembers how the archived entries of queues lie in worlds.
type archives struct {
	mu    sync.Mutex
	parts map[string]archive // by queue
}

// An archive is how many archived entries of a queue each world has.
type archive struct {
	of  map[string]int
	all int
	at  time.Time
}

// archiveAge is how old what is remembered may be.
const archiveAge = 10 * time.Second

// shareOut has every world keep its part of archives.
func (b *Broker) shareOut(ctx context.Context, now time.Time, names []string, asks map[string]broker.AdvanceRequest) error {
	largest := make(map[string]float64, len(names))
	for _, q := range asks[names[0]].Queues {
		a, err := b.archive(ctx, now, q)
		if err != nil {
			return err
		}
		for name, n := range a.of {
			largest[name] = max(largest[name], float64(n)/float64(a.all))
		}
	}
	for _, name := range names {
		ask, part := asks[name], largest[name]
		if part == 0 {
			continue // it has none, as far as is known
		}
		ask.Keep.Count = int(math.Ceil(float64(ask.Keep.Count) * part))
		ask.Keep.Bytes = int64(math.Ceil(float64(ask.Keep.Bytes) * part))
		asks[name] = ask
	}
	return nil
}

// archive returns how the archive of a queue lies. One that holds nothing is not
// remembered.
func (b *Broker) archive(ctx context.Context, now time.Time, queue string) (archive, error) {
	b.archives.mu.Lock()
	a := b.archives.parts[queue]
	b.archives.mu.Unlock()
	if a.all > 0 && now.Sub(a.at).Abs() < archiveAge {
		return a, nil
	}
	names := b.layout.Of(queue)
	counts, errs := parallel(names, func(name string) ([]broker.Counts, error) {
		return b.layout.World(name).Counts(ctx, now, queue)
	})
	a = archive{of: make(map[string]int, len(names)), at: now}
	for i, name := range names {
		if errs[i] != nil {
			return archive{}, errs[i]
		}
		if n := counts[i][0].Archived; n > 0 {
			a.of[name] = n
			a.all += n
		}
	}
	b.archives.mu.Lock()
	defer b.archives.mu.Unlock()
	if b.archives.parts == nil {
		b.archives.parts = make(map[string]archive)
	}
	b.archives.parts[queue] = a
	return a, nil
}
