package gather

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

const (
	// listEvery is how often all groups are listed: what asynq adds is told by nobody,
	// and a wake may get lost.
	listEvery = 10 * time.Second

	// lookEvery is how often a scout looks for what has joined a group where nothing
	// wakes it.
	lookEvery = 250 * time.Millisecond

	// lookPause is how far apart two looks are at least: what joins meanwhile is told
	// with the next one.
	lookPause = 5 * time.Millisecond

	// waitRetry is how soon after an error the storage is waited on again; after each
	// more it takes twice as long, up to lookEvery.
	waitRetry = 50 * time.Millisecond

	// pageSize is how many groups are told at a time.
	pageSize = 500
)

// A scout finds out what has joined the groups of the queues, and tells the line.
type scout struct {
	*Watcher
	line *line

	// awake is whether what joins a group wakes the scout. If not, it looks for it.
	awake atomic.Bool
	dozed chan struct{} // has an element if it may no longer be

	mu      sync.Mutex // held while something is asked
	cursors map[string]string
	listed  time.Time // when the groups were, zero: never
}

func newScout(w *Watcher, l *line) *scout {
	return &scout{Watcher: w, line: l, dozed: make(chan struct{}, 1), cursors: make(map[string]string)}
}

// patrol looks by itself: seldom if it is awake. It says when to look again.
func (s *scout) patrol(ctx context.Context) (time.Duration, error) {
	var listing error
	if time.Since(s.listed) >= listEvery {
		if listing = s.everywhere(ctx, s.list); listing == nil {
			s.listed = time.Now()
		}
	}
	if s.awake.Load() {
		return max(listEvery-time.Since(s.listed), lookEvery), listing
	}
	return lookEvery, errors.Join(listing, s.everywhere(ctx, func(ctx context.Context, queue string) error {
		_, err := s.look(ctx, queue)
		return err
	}))
}

// everywhere calls f for each queue, whatever comes of it in the others.
func (s *scout) everywhere(ctx context.Context, f func(ctx context.Context, queue string) error) error {
	var faults []error
	for queue := range s.Queues {
		faults = append(faults, f(ctx, queue))
	}
	return errors.Join(faults...)
}

// list tells the line of all groups of a queue.
func (s *scout) list(ctx context.Context, queue string) error {
	ctx, cancel := context.WithTimeout(ctx, s.Lease)
	defer cancel()
	groups, err := s.Broker.Groups(ctx, queue)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, g := range groups {
		if r := s.Queues[queue](g.Name); r != nil {
			s.line.list(now, queue, r, g)
		}
	}
	return nil
}

// look tells the line of the groups that something has joined, and reports whether one
// of these goes by no rule of the watcher, so that it is for others.
func (s *scout) look(ctx context.Context, queue string) (others bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, s.Lease)
	defer cancel()
	for {
		page, err := s.Broker.Joined(ctx, broker.JoinedRequest{Queue: queue, After: s.cursors[queue], Limit: pageSize})
		if err != nil {
			return others, err
		}
		s.cursors[queue] = page.Next
		now := time.Now()
		for _, g := range page.Groups {
			if r := s.Queues[queue](g.Name); r != nil {
				s.line.tell(now, queue, r, g)
			} else {
				others = true
			}
		}
		if !page.More {
			return others, nil
		}
	}
}

// listen looks whenever the storage wakes it, until ctx ends, or not at all if the
// storage wakes nobody.
func (s *scout) listen(ctx context.Context) {
	waker, ok := s.Broker.(broker.Waker)
	if !ok {
		return
	}
	backoff := loop.Backoff{Min: waitRetry, Max: lookEvery}
	complaints := loop.Complaints(ctx)
	for ctx.Err() == nil {
		err := s.follow(ctx, waker)
		switch {
		case err == nil:
			backoff.Reset()
			loop.Sleep(ctx, lookPause)
			continue
		case errors.Is(err, errors.ErrUnsupported):
			s.doze()
			return
		case ctx.Err() == nil && complaints.Allow(time.Now()):
			s.Log.WarnContext(ctx, "groups are not waited for", "err", err)
		}
		s.doze()
		loop.Sleep(ctx, backoff.Next())
	}
}

// follow waits for a wake, and looks. The wake goes on to others if there is something
// for them: each does so once for what has joined, so that it comes to an end.
func (s *scout) follow(ctx context.Context, waker broker.Waker) error {
	var names []string
	for queue := range s.Queues {
		names = append(names, broker.GroupsOf(queue))
	}
	lasts := time.AfterFunc(lookEvery, func() { s.awake.Store(true) })
	wake, err := waker.Wait(ctx, names)
	lasts.Stop()
	if err != nil {
		return err
	}
	s.awake.Store(true)
	queue, _ := wake.OfGroups()
	others, err := s.look(ctx, queue)
	if err != nil || others {
		s.pass(ctx, queue)
	}
	return err
}

// pass has somebody else woken who waits for the groups of a queue.
func (s *scout) pass(ctx context.Context, queue string) {
	wake := broker.Wake{Queue: broker.GroupsOf(queue)}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Lease)
	defer cancel()
	if _, err := s.Broker.Apply(ctx, time.Now(), nil, broker.LeaseRequest{Pass: []broker.Wake{wake}}); err != nil {
		s.Log.DebugContext(ctx, "others are not woken, and find by themselves what has joined groups", "err", err)
	}
}

// doze has the scout look by itself.
func (s *scout) doze() {
	s.awake.Store(false)
	select {
	case s.dozed <- struct{}{}:
	default: // it is about to
	}
}
