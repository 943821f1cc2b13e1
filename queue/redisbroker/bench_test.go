package redisbroker_test

import (
	"testing"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue/brokertest"
)

func BenchmarkBroker(b *testing.B) {
	server := redistest.Start(b, redistest.Options{})
	brokertest.RunBenchmarks(b, func(t testing.TB) brokertest.Storage {
		return storage(server, redistest.Prefix())
	})
}
