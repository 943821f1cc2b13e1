package brokertest

import (
	"testing"

	"github.com/leatwork/leat/queue/broker"
)

// TestTheModelPassesTheSuite also tests the suite: no case asks for more than
// the specification gives.
func TestTheModelPassesTheSuite(t *testing.T) {
	Run(t, func(testing.TB) Storage {
		m := NewModel()
		return Storage{
			Open:      func(testing.TB) broker.Broker { return m },
			Leftovers: func(testing.TB) []string { return m.Leftovers() },
		}
	})
}

func BenchmarkTheModel(b *testing.B) {
	RunBenchmarks(b, func(testing.TB) Storage {
		m := NewModel()
		return Storage{Open: func(testing.TB) broker.Broker { return m }}
	})
}
