package redisbroker

import (
	"fmt"
	"strings"
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
	w := &world{keys: "asynq", clock: new(clock)}
	var leases []any
	sinces := strings.Repeat("1900000000000000000 ", 100)
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
		reply := []any{"OK", nil, leases, nil, nil, nil, sinces}
		a, err := w.hear(b.Context(), reply, "caller:1:c2wfoqo1:", time.UnixMilli(1900000000000), true)
		if err != nil || len(a.leases) != 100 {
			b.Fatalf("heard %d leases, %v, want 100", len(a.leases), err)
		}
	}
}
