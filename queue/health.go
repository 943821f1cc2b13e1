package queue

import (
	"context"
	"time"

	"github.com/leatwork/leat/internal/loop"
)

// A Health is how a server is, as far as it knows without asking anybody.
type Health struct {
	ID      string    // of its record
	State   string    // "new", "active", "stopped", "draining" or "closed": see [Server]
	Started time.Time // zero: it was not

	// Beat is how the server says that it is alive, which it does every five seconds, and
	// which the storage has to answer. Sweep is how it does what time makes due: entries
	// that are scheduled, those whose worker was lost, and what is kept no longer. It does
	// that every two seconds at least; what others do about it does not count.
	Beat, Sweep Pulse

	Concurrency int // how many tasks it runs at once, besides those of queues that are reserved
	Running     int // how many it has leased, those included
}

var stateWords = [...]string{
	stateNew: "new", stateActive: "active", stateStopped: "stopped", stateDraining: "draining", stateClosed: "closed",
}

// Health returns how the server is. It takes no trip to the storage, and waits for
// nothing.
func (s *Server) Health() Health {
	now := time.Now()
	h := Health{
		ID:          s.identity.ID,
		State:       stateWords[s.state.Load()],
		Beat:        s.beats.at(now),
		Sweep:       s.sweeps.at(now),
		Concurrency: s.cfg.Concurrency,
		Running:     s.roster.size(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Started = s.identity.Started
	return h
}

// checkHealth reports to the HealthCheckFunc whether the storage answers, until
// ctx ends.
func (s *Server) checkHealth(ctx context.Context) {
	interval := s.cfg.HealthCheckInterval
	loop.Sleep(ctx, interval)
	loop.Every(ctx, s.cfg.Logger, "health", interval, func(ctx context.Context) error {
		ping, cancel := context.WithTimeout(ctx, interval)
		defer cancel()
		if err := s.broker.Ping(ping); ctx.Err() == nil {
			s.cfg.reportHealth(ctx, err)
		}
		return nil
	})
}
