package storage

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed is that a storage is asked for something that has been closed.
var ErrClosed = errors.New("the dashboard is closed")

// A lifetime is how long something may go on that outlives who has asked for it.
type lifetime struct {
	mu    sync.Mutex
	over  bool
	end   chan struct{} // closed when it is over
	going sync.WaitGroup
}

func newLifetime() *lifetime { return &lifetime{end: make(chan struct{})} }

// begin has f go on beside the caller, with what ctx carries but not until that ends: for
// patience at most, and not after the lifetime. It returns false if that is over.
func (l *lifetime) begin(ctx context.Context, patience time.Duration, f func(context.Context)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return false
	}
	l.going.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		ended := make(chan struct{})
		defer close(ended)
		go func() {
			select {
			case <-l.end:
				cancel()
			case <-ended:
			}
		}()
		f(ctx)
	})
	return true
}

// close ends the lifetime, and returns when nothing goes on any more.
func (l *lifetime) close() {
	l.mu.Lock()
	if !l.over {
		l.over = true
		close(l.end)
	}
	l.mu.Unlock()
	l.going.Wait()
}
