package redisbroker

import (
	"fmt"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// benchmarkEntry is an entry as most are.
func benchmarkEntry() broker.Entry {
	return broker.Entry{
		EntryRef: broker.EntryRef{Queue: "default", ID: "d5b05d66-ff91-49a0-b35f-47962b1996be"},
		Type:     "email:welcome",
		Payload:  []byte(`{"user_id":123456,"mail":"welcome"}`),
		MaxRetry: 25,
		Timeout:  30 * time.Minute,
	}
}

// BenchmarkPack packs a hundred changes of each kind, and no server.
func BenchmarkPack(b *testing.B) {
	e := benchmarkEntry()
	done := broker.Settlement{Token: "5b0d66-ff91-49a0-b35f-47962b1996be:12:17", Entry: e, To: broker.Done}
	for _, bench := range []struct {
		name   string
		change broker.Change
	}{
		{"enqueue", broker.Change{Enqueue: []broker.Entry{e}}},
		{"settle", broker.Change{Settle: []broker.Settlement{done}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			w := &world{keys: "asynq"}
			changes := make([]broker.Change, 100)
			for i := range changes {
				changes[i] = bench.change
			}
			outcomes := make([]error, len(changes))
			b.ReportAllocs()
			for b.Loop() {
				if parts := w.batches(time.UnixMilli(1900000000000), changes, outcomes); len(parts) != 1 {
					b.Fatalf("%d batches, want 1", len(parts))
				}
			}
		})
	}
}

// BenchmarkHear reads an answer that has leased a hundred entries.
func BenchmarkHear(b *testing.B) {
	w := &world{keys: "asynq"}
	var leases []any
	for i := range 100 {
		e := benchmarkEntry()
		e.ID = fmt.Sprint(e.ID, "-", i)
		msg, err := w.encode(e)
		if err != nil {
			b.Fatal(err)
		}
		leases = append(leases, e.Queue, e.ID, string(msg), nil)
	}
	b.ReportAllocs()
	for b.Loop() {
		var a answer
		for some := leases; len(some) > 0; some = some[4:] {
			a.lease(w, some[:4], broker.Lease{Token: "token", Until: time.UnixMilli(1900000000000)})
		}
		if len(a.leases) != 100 {
			b.Fatalf("heard %d leases, want 100", len(a.leases))
		}
	}
}
