package queue

import (
	"context"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Server leases tasks and runs them.
type Server struct {
	broker broker.Broker
	cfg    Config
}

// NewServer returns a server for b.
func NewServer(b broker.Broker, cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Server{broker: b, cfg: cfg}, nil
}

// Run serves until ctx ends.
func (s *Server) Run(ctx context.Context, h task.Handler) error { panic("not yet") }

// Start begins to serve.
func (s *Server) Start(h task.Handler) error { panic("not yet") }

// Stop takes no new work.
func (s *Server) Stop() { panic("not yet") }

// Shutdown ends the server.
func (s *Server) Shutdown(ctx context.Context) error { panic("not yet") }

// Ping returns nil if the storage answers.
func (s *Server) Ping(ctx context.Context) error { return s.broker.Ping(ctx) }
