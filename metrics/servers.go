package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leatwork/leat/queue"
)

var (
	serverStates  = prometheus.NewDesc("leat_server_states", "Servers of this process by state.", []string{"state"}, nil)
	serverSlots   = prometheus.NewDesc("leat_server_slots", "How many tasks the servers of this process run at once.", nil, nil)
	serverRunning = prometheus.NewDesc("leat_server_running_tasks", "How many tasks the servers of this process have leased.", nil, nil)
	beatAge       = prometheus.NewDesc("leat_server_beat_age_seconds", "For how long the storage has answered no heartbeat of a server, since it was started.", nil, nil)
	beatsFailed   = prometheus.NewDesc("leat_server_failed_beats", "How many heartbeats in a row have failed.", nil, nil)
	sweeperLag    = prometheus.NewDesc("leat_sweeper_lag_seconds", "For how long it should have been done, and was not, what time makes due.", nil, nil)
)

func describeServers(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{serverStates, serverSlots, serverRunning, beatAge, beatsFailed, sweeperLag} {
		ch <- d
	}
}

// health returns how the servers are that have not ended, and how many have, which are
// kept no longer.
func (m *Metrics) health() (alive []queue.Health, ended int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.servers = slices.DeleteFunc(m.servers, func(s Server) bool {
		h := s.Health()
		if h.State == "closed" {
			m.ended++
			return true
		}
		alive = append(alive, h)
		return false
	})
	return alive, m.ended
}

// collectServers tells of all servers of this process together; of what should be small,
// the most.
func collectServers(ch chan<- prometheus.Metric, alive []queue.Health, ended int) {
	if len(alive)+ended == 0 {
		return
	}
	states := map[string]int{"new": 0, "active": 0, "stopped": 0, "draining": 0, "closed": ended}
	var slots, running, failed int
	var age, lag time.Duration
	for _, h := range alive {
		if states[h.State]++; h.State == "new" {
			continue
		}
		slots += h.Concurrency
		running += h.Running
		failed, lag = max(failed, h.Beat.Failed), max(lag, h.Sweep.Lag)
		last := h.Beat.Last
		if last.IsZero() {
			last = h.Started
		}
		age = max(age, time.Since(last))
	}
	for state, n := range states {
		ch <- gauge(serverStates, float64(n), state)
	}
	ch <- gauge(serverSlots, float64(slots))
	ch <- gauge(serverRunning, float64(running))
	ch <- gauge(beatAge, age.Seconds())
	ch <- gauge(beatsFailed, float64(failed))
	ch <- gauge(sweeperLag, lag.Seconds())
}

func gauge(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func counter(d *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
}
