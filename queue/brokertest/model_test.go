package brokertest

import (
	"testing"
	"testing/synctest"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
)

// TestTheModelPassesTheSuite also tests the suite: no case asks for more than
// the specification gives.
func TestTheModelPassesTheSuite(t *testing.T) {
	Run(t, func(testing.TB) Storage {
		return storageOf(func(b broker.Broker) broker.Broker { return b })
	})
}

// storageOf returns a storage of models, opened as through makes them. The one that
// keeps events is another than the one that keeps none: a case uses either.
func storageOf(through func(broker.Broker) broker.Broker) Storage {
	m, streaming := NewModel(), NewModel()
	return Storage{
		Open: func(testing.TB) broker.Broker { return through(m) },
		OpenStreaming: func(_ testing.TB, events int) broker.Broker {
			streaming = model.New(model.Options{Events: events})
			return through(streaming)
		},
		Leftovers: func(testing.TB) []string { return append(m.Leftovers(), streaming.Leftovers()...) },
	}
}

func TestClosingTheModelEndsItsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewModel()
		closed := (&trial{T: t, b: m}).waitUntilClosed()
		if err := m.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
		closed()
	})
}

func BenchmarkTheModel(b *testing.B) {
	RunBenchmarks(b, func(testing.TB) Storage {
		m := NewModel()
		return Storage{Open: func(testing.TB) broker.Broker { return m }}
	})
}
