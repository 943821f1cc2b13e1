package storage

import (
	"context"
	"time"

	"github.com/leatwork/leat/internal/history"
)

// Span is how far figures reach back, and of which queue they are.
type Span struct {
	Queue string // "": all of them together
	Back  time.Duration
	Types bool // told by type of task, too
}

// kept is how long figures of the history are kept for others who want them: servers add
// to it once a minute.
const kept = 10 * time.Second

// mostSpans is of how many spans figures are kept.
const mostSpans = 100

// Figures returns the history of figures, shared by all who ask for the same. The error
// may be about some documents only: then there are figures beside it.
func (s *Storage) Figures(ctx context.Context, want Span) (history.Figures, error) {
	r, err := s.spanOf(want).get(ctx)
	if err != nil {
		return history.Figures{}, err
	}
	return r.figures, r.err
}

// A figures is what [history.Read] returns.
type figures struct {
	figures history.Figures
	err     error // about some documents
}

func (s *Storage) spanOf(want Span) *shared[figures] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.spans[want]; one != nil {
		return one
	}
	if s.spans == nil || len(s.spans) == mostSpans {
		s.spans = map[Span]*shared[figures]{}
	}
	one := &shared[figures]{fresh: kept, life: s.life, read: func(ctx context.Context) (figures, error) { return s.readFigures(ctx, want) }}
	s.spans[want] = one
	return one
}

func (s *Storage) readFigures(ctx context.Context, want Span) (figures, error) {
	now := s.Now()
	r := history.Request{Queues: []string{want.Queue}, From: now.Add(-want.Back), To: now, Types: want.Types}
	if want.Queue == "" {
		queues, err := s.Queues(ctx)
		if err != nil {
			return figures{}, err
		}
		r.Queues = nil
		for _, i := range queues.Infos {
			r.Queues = append(r.Queues, i.Queue)
		}
	}
	f, err := history.Read(ctx, s.Broker, r)
	if err != nil && f.Len() == 0 {
		return figures{}, err
	}
	return figures{f, err}, nil
}
