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

// grace is how long a reading that has been ended is waited for, if whoever reads does not
// heed that.
const grace = time.Second

// A shared value is read once for all who ask for it while it is read, and for a moment
// after; for half of that, if it could not be read.
type shared[V any] struct {
	fresh time.Duration
	read  func(context.Context) (V, error)
	life  *lifetime

	mu    sync.Mutex
	last  *reading[V]
	known V // what was read last, however long ago
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
	if !s.life.begin(ctx, patience, func(ctx context.Context) { s.fill(ctx, r) }) {
		r.err = ErrClosed
		close(r.done)
	}
	return r
}

// fill reads the value.
func (s *shared[V]) fill(ctx context.Context, r *reading[V]) {
	defer close(r.done)
	began := time.Now()
	r.v, r.err = aside.Call(ctx, grace, func() (V, error) { return s.read(ctx) })
	if r.err != nil {
		r.until = time.Now().Add(s.fresh / 2)
		return
	}
	r.until = began.Add(s.fresh)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = r.v
}

// latest returns what was read last.
func (s *shared[V]) latest() V {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
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
