package brokertest

import (
	"fmt"
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
			Leftovers: func(testing.TB) []string { return m.leftovers() },
		}
	})
}

// leftovers names everything in m but its queues and figures.
func (m *Model) leftovers() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for queue, q := range m.queues {
		for id, e := range q.entries {
			names = append(names, fmt.Sprintf("%s entry %s/%s", e.State, queue, id))
		}
		for key, c := range q.claims {
			names = append(names, fmt.Sprintf("claim %s/%s of %s", queue, key, c.holder))
		}
	}
	for home := range m.homes {
		names = append(names, "home "+home.String())
	}
	for id := range m.servers {
		names = append(names, "server "+id)
	}
	return names
}

func BenchmarkTheModel(b *testing.B) {
	RunBenchmarks(b, func(testing.TB) Storage {
		m := NewModel()
		return Storage{Open: func(testing.TB) broker.Broker { return m }}
	})
}
