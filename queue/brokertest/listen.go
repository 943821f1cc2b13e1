package brokertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A hearing is somebody who listens to a broker, in real time: what is listened
// on may be a socket, for which a bubble does not wait.
type hearing struct {
	x    *trial
	mu   sync.Mutex
	all  []broker.Signal
	more chan struct{} // has something if there is more
	end  chan error
	stop context.CancelFunc
}

// listen listens to another broker on the trial's storage than its own.
func (x *trial) listen() *hearing {
	x.Helper()
	b := x.storage.Open(x.T)
	l, ok := b.(broker.Listener)
	if !ok {
		x.Fatalf("%T is no broker.Listener", b)
	}
	ctx, stop := context.WithCancel(x.Context())
	h := &hearing{x: x, more: make(chan struct{}, 1), end: make(chan error, 1), stop: stop}
	go func() { h.end <- l.Listen(ctx, h.hear) }()
	x.Cleanup(func() {
		stop()
		if err := b.Close(); err != nil {
			x.Errorf("Close() = %v, want nil", err)
		}
	})
	h.want("that it listens", broker.Signal{Kind: broker.Listening})
	return h
}

func (h *hearing) hear(s broker.Signal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, s)
	select {
	case h.more <- struct{}{}:
	default:
	}
}

// want waits until a signal was heard.
func (h *hearing) want(what string, want broker.Signal) {
	h.x.Helper()
	late := time.After(10 * time.Second)
	for !h.heard(want) {
		select {
		case <-h.more:
		case err := <-h.end:
			h.x.Fatalf("%s: Listen() = %v, want it to go on", what, err)
		case <-late:
			h.x.Fatalf("%s: heard %+v, want %+v", what, h.all, want)
		}
	}
}

func (h *hearing) heard(want broker.Signal) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.all {
		if s == want {
			return true
		}
	}
	return false
}

// listenTells: who listens is told of cancellations, and of the ends and the
// progress of what is watched.
func listenTells(x *trial) {
	h := x.listen()
	signal := func(kind broker.SignalKind, id string) broker.Signal {
		return broker.Signal{Kind: kind, Entry: broker.EntryRef{Queue: "q", ID: id}}
	}
	x.enqueue(entries("q", "unwatched", "done", "completed", "archived", "cancelled", "deleted")...)
	x.must(watching("done", "completed", "archived", "cancelled", "deleted"))
	l := x.lease("q", 4)
	x.report("half", l...)
	h.want("progress", signal(broker.ProgressSeen, "archived"))
	x.must(moving(broker.Cancel, "unwatched"))
	h.want("a cancellation", signal(broker.CancelSent, "unwatched"))
	for i, to := range []broker.Outcome{broker.Done, broker.Done, broker.Completed, broker.Archived} {
		x.must(settling(l[i], to))
	}
	x.must(moving(broker.Cancel, "cancelled"), moving(broker.Delete, "deleted"))
	for _, id := range []string{"done", "completed", "archived", "cancelled", "deleted"} {
		h.want("an end", signal(broker.EndSeen, id))
	}
	for _, kind := range []broker.SignalKind{broker.EndSeen, broker.ProgressSeen} {
		if h.heard(signal(kind, "unwatched")) {
			x.Errorf("heard %+v, of an entry that is not watched", signal(kind, "unwatched"))
		}
	}
}

// listenEnds: to listen ends with its context, and says why.
func listenEnds(x *trial) {
	h := x.listen()
	h.stop()
	select {
	case err := <-h.end:
		if err == nil {
			x.Error("Listen() = nil, want why it ended")
		}
	case <-time.After(10 * time.Second):
		x.Error("Listen() goes on ten seconds after its context has ended")
	}
}

// listenMany: all who listen are told, each of everything.
func listenMany(x *trial) {
	all := []*hearing{x.listen(), x.listen(), x.listen()}
	for i := range 20 {
		id := fmt.Sprint(i)
		x.enqueue(entry("q", id))
		x.must(watching(id), moving(broker.Delete, id))
	}
	for _, h := range all {
		for i := range 20 {
			h.want("an end", broker.Signal{Kind: broker.EndSeen, Entry: broker.EntryRef{Queue: "q", ID: fmt.Sprint(i)}})
		}
	}
}

// inRealTime returns a case that runs in no bubble.
func inRealTime(keep func(*trial)) func(*testing.T, func(testing.TB) Storage) {
	return func(t *testing.T, open func(testing.TB) Storage) { try(t, open(t), keep) }
}
