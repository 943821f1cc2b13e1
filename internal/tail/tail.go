package tail

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A Happening is that a task has come into a state, or that the figures of a queue are
// others than they were.
type Happening struct {
	At      time.Time `json:"at"`
	Queue   string    `json:"queue"`
	ID      string    `json:"id,omitempty"`
	State   string    `json:"state,omitempty"` // "deleted" is one here
	Type    string    `json:"type,omitempty"`
	Error   string    `json:"error,omitempty"`
	Figures []Figure  `json:"figures,omitempty"` // instead of a task: those that are others
}

// A Figure is one of a queue that has changed.
type Figure struct {
	Name string `json:"name"` // a state, "processed" or "failed"
	Was  int    `json:"was"`
	Is   int    `json:"is"`
}

// Deleted is the [Happening].State of a task that is stored no more.
const Deleted = "deleted"

// A Source tells what has happened. It is not for several goroutines.
type Source interface {
	// Next returns what has happened since the last call, the oldest first; nothing if
	// that is so.
	Next(ctx context.Context) ([]Happening, error)

	// Kept reports whether everything is told. If not, it is what is seen by looking.
	Kept() bool
}

// Open returns a source of what happens in queues, or in all if none is named, from a
// time on. It finds out whether the storage keeps events: whether there is one.
func Open(ctx context.Context, i *queue.Inspector, from time.Time, queues ...string) (Source, error) {
	kept, err := i.Events(ctx, "", 1)
	switch {
	case len(kept) > 0:
		return &stream{inspector: i, from: from, queues: queues}, nil
	case err == nil, errors.Is(err, errors.ErrUnsupported), errors.Is(err, broker.ErrRefused):
		return newLooker(ctx, i, from, queues)
	default:
		return nil, err
	}
}

// perCall is how many events are read at once.
const perCall = 1000

// A stream tells the events that the storage keeps.
type stream struct {
	inspector *queue.Inspector
	from      time.Time
	queues    []string
	after     string
}

func (s *stream) Kept() bool { return true }

// Next implements [Source]. What is older than from is read, and not told.
func (s *stream) Next(ctx context.Context) (happened []Happening, err error) {
	for {
		events, err := s.inspector.Events(ctx, s.after, perCall)
		if err != nil {
			return happened, err
		}
		for _, e := range events {
			s.after = e.Cursor
			if e.At.Before(s.from) || len(s.queues) > 0 && !slices.Contains(s.queues, e.Entry.Queue) {
				continue
			}
			happened = append(happened, Happening{At: e.At, Queue: e.Entry.Queue, ID: e.Entry.ID, State: stateName(e.State)})
		}
		if len(events) < perCall || len(happened) >= perCall {
			return happened, nil
		}
	}
}

func stateName(s task.State) string {
	if s == 0 {
		return Deleted
	}
	return s.String()
}
