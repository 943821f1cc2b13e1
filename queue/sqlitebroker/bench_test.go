package sqlitebroker_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/leatwork/leat/queue/brokertest"
)

func BenchmarkBroker(b *testing.B) {
	b.Run("file", func(b *testing.B) { brokertest.RunBenchmarks(b, fileStorage) })
	b.Run("memory", func(b *testing.B) { brokertest.RunBenchmarks(b, memoryStorage) })
}

// Calls that come while others are committed share the next commit.
func BenchmarkEnqueueFrom32Goroutines(b *testing.B) {
	file := fileStorage(b).Open(b)
	defer file.Close()
	var made atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := applyAll(b.Context(), file, enqueue("q", fmt.Sprintf("entry-%09d", made.Add(1)))); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
