package redisbroker

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// A line is a connection on which somebody waits: a client that has no other. It is
// no part of the broker's pool, because it blocks: closing it is the only way to
// have it stop.
type line struct {
	client   *redis.Client
	address  string
	answered bool // something has been, ever; of whoever has taken it
}

func (l *line) hangUp() { _ = l.client.Close() } // it may be closed already

// lines are those of a broker.
type lines struct {
	client redis.UniversalClient

	mu     sync.Mutex
	open   map[*line]bool // whether somebody waits there
	closed bool
}

// take returns a line to where key lies, which is the caller's until it is given
// back.
func (a *lines) take(ctx context.Context, key string) (*line, error) {
	o, err := a.options(ctx, key)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, broker.ErrClosed
	}
	for l, busy := range a.open {
		if busy {
			continue
		}
		if l.address == o.Addr {
			a.open[l] = true
			return l, nil
		}
		delete(a.open, l) // the key has moved
		l.hangUp()
	}
	l := &line{client: redis.NewClient(o), address: o.Addr}
	a.open[l] = true
	return l, nil
}

// give gives l back. If it is not usable, nobody else gets it.
func (a *lines) give(l *line, usable bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if usable && !a.closed {
		a.open[l] = false
		return
	}
	delete(a.open, l)
	l.hangUp()
}

// options are those of the client of a line to where key lies.
func (a *lines) options(ctx context.Context, key string) (*redis.Options, error) {
	var o redis.Options
	switch c := a.client.(type) {
	case *redis.Client:
		o = *c.Options()
	case *redis.ClusterClient:
		node, err := c.MasterForKey(ctx, key)
		if err != nil {
			return nil, err
		}
		o = *node.Options()
	default:
		return nil, fmt.Errorf("with a client that is a %T: %w", a.client, errors.ErrUnsupported)
	}
	o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns, o.PipelinePoolSize = 1, 0, 0, 0, -1
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.Limiter = -1, 1, false, nil
	o.DialTimeout, o.ReadTimeout, o.WriteTimeout = dialTimeout, ioTimeout, ioTimeout
	o.MaintNotificationsConfig, o.ClientSideCache, o.ClientSideCacheConfig = noMaintenance(), nil, nil
	return &o, nil
}

// lookAgain looks where keys of a cluster lie now.
func (a *lines) lookAgain(ctx context.Context) {
	if c, ok := a.client.(*redis.ClusterClient); ok {
		c.ReloadState(ctx)
	}
}

func (a *lines) areClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// close ends all calls that wait, and refuses later ones.
func (a *lines) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for l := range a.open {
		l.hangUp()
	}
	clear(a.open)
}
