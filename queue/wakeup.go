package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

// waitRetry is how soon after an error the storage is waited on again; after each
// more it takes twice as long, up to Config.PollInterval.
const waitRetry = 50 * time.Millisecond

// errRestarted: nothing is to be waited for any more, or another pool's queues, too.
var errRestarted = errors.New("wait was ended by the server")

// A doorman waits for the wakes of the storage while a pool of the server has room
// for tasks, and leads each of them to a pool or to the timekeeper.
type doorman struct {
	server *Server
	waker  broker.Waker  // nil: the storage wakes nobody
	room   chan struct{} // a pool may have got room

	// awake is whether what the storage announces reaches the server at once. If
	// not, the server looks for it more often.
	awake atomic.Bool

	mu      sync.Mutex
	guarded []string           // queues that are waited for
	stop    context.CancelFunc // ends that
}

func newDoorman(s *Server) *doorman {
	d := &doorman{server: s, room: make(chan struct{}, 1)}
	d.waker, _ = s.broker.(broker.Waker)
	d.awake.Store(d.waker != nil)
	return d
}

// watch leads wakes in until ctx ends, or for good if the storage has none.
func (d *doorman) watch(ctx context.Context) {
	backoff := loop.Backoff{Min: waitRetry, Max: d.server.cfg.PollInterval}
	complaints := loop.Complaints(ctx)
	for ctx.Err() == nil {
		pools := d.withRoom()
		if len(pools) == 0 {
			select {
			case <-d.room:
			case <-ctx.Done():
			}
			continue
		}
		w, err := d.wait(ctx, pools)
		switch {
		case err == nil:
			backoff.Reset()
			d.lead(ctx, w)
		case errors.Is(err, errors.ErrUnsupported):
			d.server.cfg.Logger.InfoContext(ctx, "storage wakes nobody and is polled", "interval", d.server.cfg.PollInterval, "err", err)
			d.oversleep()
			return
		case errors.Is(err, errRestarted):
		default:
			if complaints.Allow(time.Now()) {
				d.server.cfg.Logger.WarnContext(ctx, "storage is not waited on", "err", err)
			}
			d.oversleep()
			loop.Sleep(ctx, backoff.Next())
		}
	}
}

// oversleep has the server look for work by itself, now and more often.
func (d *doorman) oversleep() {
	d.awake.Store(false)
	d.server.nudge(nil)
	d.server.timekeeper.nudge()
}

// withRoom returns the pools that have room.
func (d *doorman) withRoom() (pools []*pool) {
	for _, p := range d.server.pools {
		if p.room.Load() {
			pools = append(pools, p)
		}
	}
	return pools
}

// wait returns the next wake for one of pools. A wait that lasts shows that the
// storage can be waited on.
func (d *doorman) wait(ctx context.Context, pools []*pool) (broker.Wake, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	queues := queuesOf(pools)
	d.guard(queues, stop)
	defer d.guard(nil, nil)
	if slices.ContainsFunc(d.withRoom(), func(p *pool) bool { return !slices.Contains(queues, p.queues[0]) }) {
		return broker.Wake{}, errRestarted // it had got room before this was guarded
	}
	lasts := time.AfterFunc(d.server.cfg.PollInterval, func() { d.awake.Store(true) })
	defer lasts.Stop()
	w, err := d.waker.Wait(ctx, queues)
	if err != nil && ctx.Err() != nil {
		err = errRestarted
	}
	return w, err
}

// queuesOf returns the queues of pools, each once.
func queuesOf(pools []*pool) (queues []string) {
	for _, p := range pools {
		for _, queue := range p.queues {
			if !slices.Contains(queues, queue) {
				queues = append(queues, queue)
			}
		}
	}
	return queues
}

func (d *doorman) guard(queues []string, stop context.CancelFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.guarded, d.stop = queues, stop
}

// hasRoom notes that p has got room. If its queues are not waited for and others
// are, they are added.
func (d *doorman) hasRoom(p *pool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stop != nil && !slices.Contains(d.guarded, p.queues[0]) {
		d.stop()
	}
	select {
	case d.room <- struct{}{}:
	default: // it is about to look
	}
}

// lead brings w to who can follow it.
func (d *doorman) lead(ctx context.Context, w broker.Wake) {
	d.awake.Store(true)
	if !w.At.IsZero() {
		d.server.timekeeper.tell(w)
		return
	}
	var to *pool
	for _, p := range d.server.pools {
		if slices.Contains(p.queues, w.Queue) && (to == nil || !to.room.Load()) {
			to = p
		}
	}
	if to == nil {
		return
	}
	select {
	case to.wakes <- w:
	case <-ctx.Done():
	}
}
