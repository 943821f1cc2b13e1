package shard_test

import (
	"context"
	"slices"
	"testing"

	"github.com/leatwork/leat/internal/shard"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/brokertest/model"
)

// models returns n empty worlds.
func models(n int) []shard.World {
	var all []shard.World
	for range n {
		all = append(all, model.New(model.Options{}))
	}
	return all
}

func TestOneOfSeveralWorldsKeepsAllPromises(t *testing.T) {
	brokertest.Run(t, func(testing.TB) brokertest.Storage {
		worlds := models(16)
		return brokertest.Storage{
			Open: func(testing.TB) broker.Broker {
				return brokertest.Rooted(shard.New(shard.NewHashed(worlds...)), "root")
			},
			Leftovers: func(testing.TB) []string { return nil },
		}
	})
}

// A register keeps what a model of its own is told of servers, and knows the
// queues of other models.
type register struct {
	shard.World
	worlds map[string]shard.World
}

func (r *register) Queues(ctx context.Context) ([]string, error) {
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

func TestQueuesThatLieApartKeepAllPromisesOfOneQueue(t *testing.T) {
	brokertest.Run(t, func(testing.TB) brokertest.Storage {
		r := &register{model.New(model.Options{}), make(map[string]shard.World)}
		layout := shard.NewPerQueue(r, func(queue string) shard.World {
			r.worlds[queue] = model.New(model.Options{})
			return r.worlds[queue]
		})
		return brokertest.Storage{
			Open:      func(testing.TB) broker.Broker { return shard.New(layout) },
			Leftovers: func(testing.TB) []string { return nil },
			OneQueue:  true,
		}
	})
}
