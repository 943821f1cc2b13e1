package shard

import (
	"context"
	"sync"

	"github.com/leatwork/leat/queue/broker"
)

// Listen implements [broker.Listener]. It ends when one of those that have to be
// listened to cannot be.
func (b *Broker) Listen(ctx context.Context, hear func(broker.Signal)) error {
	ears := b.layout.Ears()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	deaf := make(map[string]bool, len(ears))
	for _, name := range ears {
		deaf[name] = true
	}
	var all sync.WaitGroup
	for _, name := range ears {
		all.Go(func() {
			stop(b.layout.World(name).Listen(ctx, func(s broker.Signal) {
				mu.Lock()
				defer mu.Unlock()
				if s.Kind == broker.Listening {
					delete(deaf, name)
					if len(deaf) > 0 {
						return // it is not yet listening everywhere
					}
				}
				hear(s)
			}))
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
