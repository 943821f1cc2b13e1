package sqlitebroker_test

import (
	"path/filepath"
	"testing"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/sqlitebroker"
)

func TestBroker(t *testing.T) {
	t.Run("file", func(t *testing.T) { brokertest.Run(t, fileStorage) })
	t.Run("memory", func(t *testing.T) { brokertest.Run(t, memoryStorage) })
}

// fileStorage is a file on which every broker has connections of its own.
func fileStorage(t testing.TB) brokertest.Storage {
	path := filepath.Join(t.TempDir(), "leat.db")
	return brokertest.Storage{
		Open:          func(t testing.TB) broker.Broker { return open(t, path) },
		OpenStreaming: func(t testing.TB, events int) broker.Broker { return keeping(t, path, events) },
		Leftovers:     func(t testing.TB) []string { return leftovers(t, open(t, path)) },
		OneEach:       true,
	}
}

func leftovers(t testing.TB, b *sqlitebroker.Broker) []string {
	names := b.Leftovers(t)
	if err := b.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	return names
}

// memoryStorage is one broker, since a database in memory belongs to it: the
// brokers of a case are all that one, or one that was opened to keep events.
func memoryStorage(t testing.TB) brokertest.Storage {
	opened := func(t testing.TB, b *sqlitebroker.Broker) *sqlitebroker.Broker {
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Errorf("Close() = %v, want nil", err)
			}
		})
		return b
	}
	b := opened(t, open(t, ":memory:"))
	return brokertest.Storage{
		Open: func(testing.TB) broker.Broker { return shared{b} },
		OpenStreaming: func(t testing.TB, events int) broker.Broker {
			b = opened(t, keeping(t, ":memory:", events))
			return shared{b}
		},
		Leftovers: func(t testing.TB) []string { return b.Leftovers(t) },
	}
}

// A shared broker is closed by whoever opened it.
type shared struct{ *sqlitebroker.Broker }

func (shared) Close() error { return nil }

func TestAClosedBrokerRefusesEveryCall(t *testing.T) {
	eachStorage(t, func(t *testing.T, b *sqlitebroker.Broker) { brokertest.Close(t, b) })
}

// open opens a broker, which the caller closes.
func open(t testing.TB, path string) *sqlitebroker.Broker {
	t.Helper()
	b, err := sqlitebroker.Open(path, nil)
	if err != nil {
		t.Fatalf("Open(%s) = %v, want nil", path, err)
	}
	return b
}

// keeping opens a broker that keeps events, which the caller closes.
func keeping(t testing.TB, path string, events int) *sqlitebroker.Broker {
	t.Helper()
	b, err := sqlitebroker.Open(path, &sqlitebroker.Options{Events: events})
	if err != nil {
		t.Fatalf("Open(%s) = %v, want nil", path, err)
	}
	return b
}
