package storage

import (
	"context"
	"time"
)

// To ask how many bytes a queue takes needs a trip or two, so it is done seldom, and nobody
// waits for it long.
const (
	measureEvery = 15 * time.Second
	measureMost  = 100 // queues
	measureWait  = 100 * time.Millisecond
)

// Memory returns how many bytes each of the first queues takes, of those that have
// answered, as far as that was found out lately. What it returns is shared and must not be
// changed.
func (s *Storage) Memory(ctx context.Context) map[string]int64 {
	measured := s.memory.reading(ctx)
	if known := s.memory.latest(); known != nil {
		return known
	}
	select {
	case <-measured.done:
	case <-ctx.Done():
	case <-time.After(measureWait):
	}
	return s.memory.latest()
}

func (s *Storage) measure(ctx context.Context) (map[string]int64, error) {
	queues, err := s.Queues(ctx)
	if err != nil {
		return nil, err
	}
	bytes := map[string]int64{}
	for _, q := range queues.Infos[:min(len(queues.Infos), measureMost)] {
		if info, err := s.Inspector.QueueInfo(ctx, q.Queue); err == nil && info.MemoryErr == nil {
			bytes[q.Queue] = info.Memory
		}
	}
	return bytes, nil
}
