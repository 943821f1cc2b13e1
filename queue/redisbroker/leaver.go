package redisbroker

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/leatwork/leat/queue/broker"
)

// A leaver leaves wakes for worlds that cannot: it is told of them by the answers of
// their scripts, and nobody waits for it. What comes together is left together, in
// the order in which it came.
type leaver struct {
	client redis.UniversalClient
	keys   keys
	log    *slog.Logger

	work   sync.Mutex // held while some are being left
	mu     sync.Mutex
	wakes  map[string]pair // by queue: what is to be left
	queues []string        // in order
	some   chan struct{}   // that there are any
	close  func()          // ends run, which then leaves what is to be left
	closed chan struct{}
	ended  chan struct{}
}

// A pair is the wakes of one queue.
type pair struct {
	ready bool
	due   int64 // in ms; 0 if there is none
}

// newLeaver returns a leaver that keeps what is to be left until it runs.
func newLeaver(w *world) *leaver {
	l := &leaver{
		client: w.client, keys: w.keys, log: w.log, wakes: make(map[string]pair),
		some: make(chan struct{}, 1), closed: make(chan struct{}), ended: make(chan struct{}),
	}
	l.close = sync.OnceFunc(func() { close(l.closed); <-l.ended })
	return l
}

// leave takes in what a script has answered, as lua/lib/wake.lua has it.
func (b *world) leave(told []any) {
	for _, t := range told {
		words, _ := t.([]any)
		b.leaver.leave(textAt(words, 0), pair{textAt(words, 1) != "", numberAt(words, 2)})
	}
}

// leave has p be left soon.
func (l *leaver) leave(queue string, p pair) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, known := l.wakes[queue]
	if !known {
		l.queues = append(l.queues, queue)
	}
	all.ready = all.ready || p.ready
	if all.due == 0 || p.due != 0 && p.due < all.due {
		all.due = p.due
	}
	l.wakes[queue] = all
	select {
	case l.some <- struct{}{}:
	default: // it knows
	}
}

// run leaves wakes until l is closed.
func (l *leaver) run() {
	defer close(l.ended)
	for {
		select {
		case <-l.some:
			l.leaveAll()
		case <-l.closed:
			l.leaveAll()
			return
		}
	}
}

// leaveAll leaves what has come until now, and returns when all of it has been. What
// cannot be left is lost, as a wake may be.
func (l *leaver) leaveAll() {
	l.work.Lock()
	defer l.work.Unlock()
	l.mu.Lock()
	wakes, queues := l.wakes, l.queues
	l.wakes, l.queues = make(map[string]pair), nil
	l.mu.Unlock()
	if len(queues) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell) //nolint:forbidigo // no call waits for it
	defer cancel()
	_, err := l.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, queue := range queues {
			p.ZAddLT(ctx, l.keys.wake(queue), wakes[queue].members()...)
		}
		return nil
	})
	if err != nil {
		l.log.DebugContext(ctx, "wakes are lost", "queues", len(queues), "err", err)
	}
}

func (p pair) members() (all []redis.Z) {
	if p.ready {
		all = append(all, redis.Z{Member: wakeReady})
	}
	if p.due != 0 {
		all = append(all, redis.Z{Score: float64(p.due), Member: wakeDue})
	}
	return all
}

// forget deletes the wakes of a queue.
func (l *leaver) forget(ctx context.Context, queue string) error {
	names := []string{queue, broker.GroupsOf(queue)}
	keys := make([]string, len(names))
	l.mu.Lock()
	for i, name := range names {
		delete(l.wakes, name)
		keys[i] = l.keys.wake(name)
	}
	l.queues = slices.DeleteFunc(l.queues, func(q string) bool { return slices.Contains(names, q) })
	l.mu.Unlock()
	return refusal(l.client.Del(ctx, keys...).Err())
}
