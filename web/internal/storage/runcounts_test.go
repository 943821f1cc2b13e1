package storage_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/web/internal/storage"
)

// stalled is a storage that does not tell its queues before it is released.
type stalled struct {
	broker.Broker
	asked   atomic.Int64
	begun   chan struct{}
	release chan struct{}
}

func (b *stalled) Queues(ctx context.Context) ([]string, error) {
	if b.asked.Add(1) == 1 {
		close(b.begun)
	}
	<-b.release
	return b.Broker.Queues(ctx)
}

func TestNobodyWaitsLongerForTheCountsOfRunsThanHeWants(t *testing.T) {
	b := &stalled{Broker: model.New(model.Options{}), begun: make(chan struct{}), release: make(chan struct{})}
	s := storage.New(b, 0)
	first := make(chan error, 1)
	go func() {
		_, err := s.RunCounts(t.Context())
		first <- err
	}()
	<-b.begun
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.RunCounts(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who gives up is told %v", err)
	}
	close(b.release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if n := b.asked.Load(); n != 1 {
		t.Errorf("the runs were counted %d times at once", n)
	}
}
