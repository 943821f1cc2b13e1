package sqlitebroker_test

import (
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

// enqueue returns a change that adds plain entries.
func enqueue(queue string, ids ...string) broker.Change {
	return broker.Change{Enqueue: entries(queue, ids...)}
}

func entries(queue string, ids ...string) []broker.Entry {
	var all []broker.Entry
	for _, id := range ids {
		all = append(all, broker.Entry{
			EntryRef: broker.EntryRef{Queue: queue, ID: id},
			Type:     "test:" + queue,
			Payload:  []byte("payload of " + id),
		})
	}
	return all
}

// must applies changes, all of which must take effect.
func must(t testing.TB, b *sqlitebroker.Broker, changes ...broker.Change) {
	t.Helper()
	mustAt(t, b, time.Now(), changes...)
}

// lease leases at most most entries of queue for ten seconds.
func lease(t testing.TB, b *sqlitebroker.Broker, queue string, most int) broker.Applied {
	t.Helper()
	applied, err := b.Apply(t.Context(), time.Now(), nil, broker.LeaseRequest{
		Queues: []broker.Share{{Queue: queue}},
		Max:    most,
		Until:  time.Now().Add(10 * time.Second),
	})
	if err != nil {
		t.Fatalf("Apply() = %v, want nil", err)
	}
	return applied
}

// sound demands that b's storage is.
func sound(t testing.TB, b *sqlitebroker.Broker) {
	t.Helper()
	faults, err := b.Verify(t.Context(), time.Now())
	if err != nil {
		t.Fatalf("Verify() = %v, want nil", err)
	}
	for _, fault := range faults {
		t.Errorf("Verify() says: %s", fault)
	}
}

// mustAt applies changes at now, all of which must take effect.
func mustAt(t testing.TB, b *sqlitebroker.Broker, now time.Time, changes ...broker.Change) {
	t.Helper()
	for i, err := range outcomes(t, b, now, changes...) {
		if err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
}

// outcomes applies changes at now and returns what became of each.
func outcomes(t testing.TB, b *sqlitebroker.Broker, now time.Time, changes ...broker.Change) []error {
	t.Helper()
	applied, err := b.Apply(t.Context(), now, changes, broker.LeaseRequest{})
	if err != nil {
		t.Fatalf("Apply() = %v, want nil", err)
	}
	return applied.Outcomes
}
