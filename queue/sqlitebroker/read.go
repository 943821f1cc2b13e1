package sqlitebroker

import (
	"context"
	"errors"
	"sync"

	"github.com/leatwork/leat/queue/broker"
)

var beginRead = prepared(`BEGIN`)

// mostReaders is how many reads go on at once on a file.
const mostReaders = 4

// A readers gives out connections for reading. They see the last commit, and
// neither wait for the writer nor keep it waiting.
type readers struct {
	open  func() (*conn, error)
	slots chan struct{} // holds an element for each connection in use

	mu     sync.Mutex
	idle   []*conn
	closed bool
}

func newReaders(open func() (*conn, error)) *readers {
	return &readers{open: open, slots: make(chan struct{}, mostReaders)}
}

// read runs f on a connection that shows one state of the database throughout.
func (b *Broker) read(ctx context.Context, f func(*conn)) error {
	if err := ctx.Err(); err != nil {
		return refused(err)
	}
	look := func(c *conn) error { return c.look(ctx, f) }
	if b.readers == nil {
		return b.writer.alone(ctx, look)
	}
	return b.readers.use(ctx, look)
}

// use runs f on one of the connections, which is not used again if f panics.
func (r *readers) use(ctx context.Context, f func(*conn) error) error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return refused(ctx.Err())
	}
	c, err := r.get()
	if err != nil {
		return refused(err)
	}
	err = c.guard(func() error { return f(c) })
	if _, panicked := errors.AsType[*panicError](err); panicked {
		c.discard()
		return err
	}
	r.put(c)
	return err
}

// get returns a connection. One is opened without the lock, since that can take its time.
func (r *readers) get() (*conn, error) {
	if c, err := r.take(); c != nil || err != nil {
		return c, err
	}
	return r.open()
}

// take returns an idle connection, or nil if there is none.
func (r *readers) take() (*conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, broker.ErrClosed
	}
	n := len(r.idle)
	if n == 0 {
		return nil, nil
	}
	c := r.idle[n-1]
	r.idle = r.idle[:n-1]
	return c, nil
}

func (r *readers) put(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, c)
}

// close ends all reading, when the reads that have begun are done.
func (r *readers) close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	for range mostReaders {
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
	}
	var faults []error
	for _, c := range r.idle {
		faults = append(faults, c.guard(c.close))
	}
	r.idle = nil
	return errors.Join(faults...)
}

// look runs f in a transaction that writes nothing.
func (c *conn) look(ctx context.Context, f func(*conn)) error {
	err := c.see(ctx, f)
	c.end()
	return err
}

func (c *conn) see(ctx context.Context, f func(*conn)) error {
	defer c.db.SetInterrupt(c.db.SetInterrupt(ctx))
	c.err = nil
	c.on(beginRead).exec()
	f(c)
	if c.err != nil && ctx.Err() != nil {
		return refused(ctx.Err())
	}
	return refused(c.err)
}
