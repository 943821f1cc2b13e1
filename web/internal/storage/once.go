package storage

import (
	"context"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/aside"
)

// patience is how long something that is shared may take to be read: who waits for it
// may give up before, and the others still get it.
const patience = 30 * time.Second

// A shared value is read once for all who ask for it while it is read, and for a moment
// after; for half of that, if it could not be read.
type shared[V any] struct {
	fresh time.Duration
	read  func(context.Context) (V, error)

	mu   sync.Mutex
	last *reading[V]
}

// A reading is one time at which a value is read.
type reading[V any] struct {
	done  chan struct{} // closed once the rest is set
	until time.Time     // it is fresh
	v     V
	err   error
}

// get returns the value. If ctx ends before it is read, the error is that of ctx.
func (s *shared[V]) get(ctx context.Context) (v V, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	r := s.reading(ctx)
	select {
	case <-r.done:
		return r.v, r.err
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

func (s *shared[V]) reading(ctx context.Context) *reading[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil && s.last.serves() {
		return s.last
	}
	r := &reading[V]{done: make(chan struct{})}
	s.last = r
	go func() {
		defer close(r.done)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		began := time.Now()
		r.v, r.err = aside.Call(ctx, 0, func() (V, error) { return s.read(ctx) })
		if r.until = began.Add(s.fresh); r.err != nil {
			r.until = time.Now().Add(s.fresh / 2)
		}
	}()
	return r
}

// serves reports whether who asks now may have what r comes to.
func (r *reading[V]) serves() bool {
	select {
	case <-r.done:
		return time.Now().Before(r.until)
	default:
		return true
	}
}

// drop has the value read anew for who asks next.
func (s *shared[V]) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = nil
}
