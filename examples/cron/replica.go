package main

import (
	"context"
	"log/slog"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// A replica is what would be a process of its own: it has its own broker, and shares with
// the other one nothing but the storage.
type replica struct {
	broker broker.Broker
	look   *periodic.Inspector
	cancel context.CancelFunc
	ended  chan error
}

func startReplica(name, url string) (*replica, error) {
	b, err := brokerurl.Open(url)
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler) // one that is killed has much to complain about
	mux := task.NewMux()
	mux.HandleFunc("second", handle(name))
	workflow.Register(mux, Nightly)
	srv, err := queue.NewServer(b, queue.Config{Logger: quiet})
	if err != nil {
		return nil, err
	}
	s := periodic.New(queue.NewClient(b), periodic.Config{Logger: quiet})
	if err := s.Register(entries...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &replica{b, s.Inspector(), cancel, make(chan error, 1)}
	go func() { r.ended <- queue.Run(ctx, srv.Serving(mux), s) }()
	return r, nil
}

// stop ends r in good order.
func (r *replica) stop() error {
	r.cancel()
	err := <-r.ended
	r.broker.Close()
	return err
}

// kill takes the storage from r, so that nothing of what it does counts any more.
func (r *replica) kill() {
	r.broker.Close()
	r.cancel()
}
