package shard_test

import (
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
