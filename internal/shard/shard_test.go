package shard_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/leatwork/leat/internal/shard"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/brokertest/model"
)

// models returns n empty worlds that keep about so many events.
func models(n, events int) []shard.World {
	var all []shard.World
	for range n {
		all = append(all, model.New(model.Options{Events: events}))
	}
	return all
}

func TestOneOfSeveralWorldsKeepsAllPromises(t *testing.T) {
	brokertest.Run(t, func(testing.TB) brokertest.Storage {
		open := func(worlds []shard.World) broker.Broker {
			return brokertest.Rooted(shard.New(shard.NewHashed(worlds...)), "root")
		}
		worlds := models(16, 0)
		return brokertest.Storage{
			Open:          func(testing.TB) broker.Broker { return open(worlds) },
			OpenStreaming: func(_ testing.TB, events int) broker.Broker { return open(models(16, events)) },
			Leftovers:     func(testing.TB) []string { return nil },
		}
	})
}

// A register keeps what a model of its own is told of servers, and knows the
// models of queues: who listens to it hears of all.
type register struct {
	shard.World
	mu     sync.Mutex
	worlds map[string]shard.World
	listen []func(shard.World) // what is done with each one that comes
}

func (r *register) open(queue string) shard.World {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := model.New(model.Options{})
	r.worlds[queue] = w
	for _, listen := range r.listen {
		listen(w)
	}
	return w
}

func (r *register) Queues(ctx context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, w := range r.worlds {
		queues, err := w.Queues(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, queues...)
	}
	slices.Sort(all)
	return all, nil
}

func (r *register) Listen(ctx context.Context, hear func(broker.Signal)) error {
	signals := make(chan broker.Signal, 1000)
	listen := func(w shard.World) {
		ready := make(chan bool, 1)
		go w.Listen(ctx, func(s broker.Signal) { //nolint:errcheck // it ends with ctx
			if s.Kind == broker.Listening {
				ready <- true
				return
			}
			signals <- s
		})
		<-ready
	}
	r.mu.Lock()
	for _, w := range r.worlds {
		listen(w)
	}
	r.listen = append(r.listen, func(w shard.World) {
		if ctx.Err() == nil {
			listen(w)
		}
	})
	r.mu.Unlock()
	hear(broker.Signal{Kind: broker.Listening})
	for {
		select {
		case s := <-signals:
			hear(s)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestQueuesThatLieApartKeepAllPromisesOfOneQueue(t *testing.T) {
	brokertest.Run(t, func(testing.TB) brokertest.Storage {
		r := &register{World: model.New(model.Options{}), worlds: make(map[string]shard.World)}
		layout := shard.NewPerQueue(r, r.open)
		return brokertest.Storage{
			Open:      func(testing.TB) broker.Broker { return shard.New(layout) },
			Leftovers: func(testing.TB) []string { return nil },
			OneQueue:  true,
		}
	})
}
