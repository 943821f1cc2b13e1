package sqlitebroker_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

func onBoth(b *testing.B, f func(*testing.B, *sqlitebroker.Broker)) {
	b.Run("file", func(b *testing.B) { benchOn(b, filepath.Join(b.TempDir(), "leat.db"), f) })
	b.Run("memory", func(b *testing.B) { benchOn(b, ":memory:", f) })
}

func benchOn(b *testing.B, path string, f func(*testing.B, *sqlitebroker.Broker)) {
	s := open(b, path)
	defer s.Close()
	f(b, s)
}

func change() broker.Change {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err)
	}
	return broker.Change{Enqueue: []broker.Entry{{
		EntryRef: broker.EntryRef{Queue: "default", ID: id.String()},
		Type:     "email:welcome",
		Payload:  []byte(`{"user_id":42,"template":"welcome"}`),
		MaxRetry: 25,
		Timeout:  30 * time.Minute,
	}}}
}

func changes(n int) []broker.Change {
	var all []broker.Change
	for range n {
		all = append(all, change())
	}
	return all
}

func apply(b *testing.B, s *sqlitebroker.Broker, all []broker.Change, want broker.LeaseRequest) []broker.Lease {
	applied, err := s.Apply(b.Context(), time.Now(), all, want)
	if err != nil {
		b.Fatal(err)
	}
	for _, err := range applied.Outcomes {
		if err != nil {
			b.Fatal(err)
		}
	}
	return applied.Leases
}

func perSecond(b *testing.B, n int) {
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "entries/s")
}

func BenchmarkEnqueue(b *testing.B) {
	onBoth(b, func(b *testing.B, s *sqlitebroker.Broker) {
		for b.Loop() {
			apply(b, s, changes(1), broker.LeaseRequest{})
		}
		perSecond(b, 1)
	})
}

func BenchmarkEnqueueFrom32(b *testing.B) {
	onBoth(b, func(b *testing.B, s *sqlitebroker.Broker) {
		b.SetParallelism(16)
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				apply(b, s, changes(1), broker.LeaseRequest{})
			}
		})
		perSecond(b, 1)
	})
}

func BenchmarkEnqueue500(b *testing.B) {
	onBoth(b, func(b *testing.B, s *sqlitebroker.Broker) {
		for b.Loop() {
			apply(b, s, changes(500), broker.LeaseRequest{})
		}
		perSecond(b, 500)
	})
}

func BenchmarkLeaseAndSettle50(b *testing.B) {
	onBoth(b, func(b *testing.B, s *sqlitebroker.Broker) {
		const size = 50
		want := broker.LeaseRequest{Queues: []broker.Share{{Queue: "default"}}, Max: size}
		fill := func() {
			b.StopTimer()
			for range 20 {
				apply(b, s, changes(500), broker.LeaseRequest{})
			}
			b.StartTimer()
		}
		var settle []broker.Change
		var settled atomic.Int64
		for i := 0; i < b.N; i++ {
			if i%200 == 0 {
				fill()
			}
			want.Until = time.Now().Add(10 * time.Second)
			leases := apply(b, s, settle, want)
			settle = settle[:0]
			for _, l := range leases {
				settle = append(settle, broker.Change{Settle: []broker.Settlement{{Token: l.Token, Entry: l.Entry, To: broker.Done}}})
			}
			settled.Add(int64(len(leases)))
		}
		b.ReportMetric(float64(settled.Load())/b.Elapsed().Seconds(), "entries/s")
	})
}
