package queue

import (
	"context"

	"github.com/leatwork/leat/internal/loop"
)

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
