package queue

import (
	"context"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

// The waiters of a client share one listener. It runs from the first that comes
// to the last that leaves.
type waiters struct {
	mu        sync.Mutex
	all       map[broker.EntryRef]map[*waiter]struct{}
	listening bool
	stop      context.CancelFunc // ends the listener, if there is one
	ended     chan struct{}      // closed when it has
}

// A waiter waits for something to happen to an entry.
type waiter struct {
	ref  broker.EntryRef
	hub  *waiters
	woke chan struct{} // something has happened
}

// join adds a waiter for ref.
func (h *waiters) join(ctx context.Context, b broker.Broker, ref broker.EntryRef) *waiter {
	w := &waiter{ref: ref, hub: h, woke: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.all) == 0 {
		h.all = make(map[broker.EntryRef]map[*waiter]struct{})
		h.listen(ctx, b)
	}
	if h.all[ref] == nil {
		h.all[ref] = make(map[*waiter]struct{})
	}
	h.all[ref][w] = struct{}{}
	return w
}

// leave takes w out. The last that leaves ends the listener and waits for that.
func (h *waiters) leave(w *waiter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if delete(h.all[w.ref], w); len(h.all[w.ref]) == 0 {
		delete(h.all, w.ref)
	}
	if len(h.all) > 0 || h.stop == nil {
		return
	}
	h.stop()
	ended := h.ended
	h.stop, h.ended = nil, nil
	h.mu.Unlock()
	<-ended
	h.mu.Lock()
}

// listen begins to listen, if b can be listened to. It goes on after ctx, which
// is that of the first waiter, has ended: others may have come.
func (h *waiters) listen(ctx context.Context, b broker.Broker) {
	l, ok := b.(broker.Listener)
	if !ok {
		return
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	h.stop, h.ended = stop, ended
	go func() { // the last to leave waits for it
		defer close(ended)
		for ctx.Err() == nil {
			_ = l.Listen(ctx, h.hear) // what it says is a hint, and so is that it says nothing
			h.deaf()
			loop.Sleep(ctx, pollAlone)
		}
	}()
}

// hear wakes those whom a signal concerns.
func (h *waiters) hear(s broker.Signal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch s.Kind {
	case broker.Listening:
		h.turn(true)
	case broker.EndSeen, broker.ProgressSeen:
		wake(h.all[s.Entry])
	}
}

func wake(some map[*waiter]struct{}) {
	for w := range some {
		select {
		case w.woke <- struct{}{}:
		default: // it is about to look
		}
	}
}

func (h *waiters) deaf() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn(false)
}

// turn notes whether there is a listener. Either way, something may have happened
// that was not told, and from now on they look more often or less.
func (h *waiters) turn(listening bool) {
	if !listening && !h.listening {
		return
	}
	h.listening = listening
	for _, some := range h.all {
		wake(some)
	}
}

// pause waits until something may have happened to the entry, or ctx ends.
func (w *waiter) pause(ctx context.Context) {
	w.hub.mu.Lock()
	d := pollAlone
	if w.hub.listening {
		d = pollListening
	}
	w.hub.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-w.woke:
	case <-t.C:
	case <-ctx.Done():
	}
}
