package sqlitebroker

import (
	"context"
	"sync"
)

var beginRead = prepared(`BEGIN`)

// mostReaders is how many reads go on at once on a file.
const mostReaders = 4

// A readers gives out connections for reading. They see the last commit, and
// neither wait for the writer nor keep it waiting.
type readers struct {
	open  func() (*conn, error)
	slots chan struct{} // holds an element for each connection in use

	mu   sync.Mutex
	idle []*conn
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

// use runs f on one of the connections.
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
	defer r.put(c)
	return f(c)
}

func (r *readers) get() (*conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.idle); n > 0 {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return c, nil
	}
	return r.open()
}

func (r *readers) put(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, c)
}

// look runs f in a transaction that writes nothing.
func (c *conn) look(ctx context.Context, f func(*conn)) error {
	defer c.end()
	defer c.db.SetInterrupt(c.db.SetInterrupt(ctx))
	c.err = nil
	c.on(beginRead).exec()
	f(c)
	if c.err != nil && ctx.Err() != nil {
		return refused(ctx.Err())
	}
	return refused(c.err)
}
