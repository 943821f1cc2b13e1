package storage

import (
	"context"
	"sync"
	"time"
)

// A memory is how many bytes queues take: of those that were asked, and answered. To ask
// takes a trip or two for each, so it is done seldom, and nobody waits for it long.
type memory struct {
	mu    sync.Mutex
	bytes map[string]int64
	next  time.Time     // when it is to be measured again
	busy  chan struct{} // closed when what is being measured is known; nil: nothing is
}

const (
	measureEvery = 15 * time.Second
	measureMost  = 100 // queues
	measureWait  = 100 * time.Millisecond
)

// Memory returns how many bytes each of the first queues takes, as far as that was found
// out lately. What it returns is shared and must not be changed.
func (s *Storage) Memory(ctx context.Context, queues []string) map[string]int64 {
	s.memory.mu.Lock()
	if s.memory.busy == nil && !s.Now().Before(s.memory.next) {
		s.memory.busy = make(chan struct{})
		go s.measure(context.WithoutCancel(ctx), queues[:min(len(queues), measureMost)])
	}
	known, busy := s.memory.bytes, s.memory.busy
	s.memory.mu.Unlock()
	if known != nil || busy == nil {
		return known
	}
	select {
	case <-busy:
	case <-ctx.Done():
	case <-time.After(measureWait):
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return s.memory.bytes
}

func (s *Storage) measure(ctx context.Context, queues []string) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	bytes := map[string]int64{}
	for _, q := range queues {
		if info, err := s.Inspector.QueueInfo(ctx, q); err == nil && info.MemoryErr == nil {
			bytes[q] = info.Memory
		}
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	s.memory.bytes, s.memory.next = bytes, s.Now().Add(measureEvery)
	close(s.memory.busy)
	s.memory.busy = nil
}
