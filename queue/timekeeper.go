package queue

import (
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// How long a server waits at most until it looks again for what has become due.
const (
	// Somebody else may have scheduled it meanwhile.
	advanceInterval = time.Second

	// The same, where the storage tells of that: less than the silence after which
	// a broker takes no lease back.
	quietInterval = 2 * time.Second

	// The same, where nothing is told because there is no room for it.
	fullInterval = 250 * time.Millisecond
)

const (
	// advancePause is how long it waits at least after a call that did nothing.
	advancePause = 50 * time.Millisecond

	// mostMisses is how often in a row a timekeeper may come too late.
	mostMisses = 2
)

// A timekeeper decides when a server advances its queues. Where the storage wakes
// those who wait, it is enough if one server of a fleet keeps the time of what is
// next due: one that was given a wake with a time, or has found something due. If
// others are faster again and again, they keep it too, and this one looks now and
// then, as the rest of the fleet does.
type timekeeper struct {
	sooner chan struct{} // the next call may be earlier than it was

	mu     sync.Mutex
	at     time.Time   // when the next call is; zero: now
	told   broker.Wake // the one with the earliest time; none if that is zero
	next   time.Time   // when Advance has something to do, as it said last
	misses int         // calls in a row that were made in time, for nothing
	idle   bool        // others keep the time
}

func newTimekeeper() *timekeeper { return &timekeeper{sooner: make(chan struct{}, 1)} }

// nudge has the server advance now.
func (k *timekeeper) nudge() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.earlier(time.Time{})
}

// tell has the server advance at w.At.
func (k *timekeeper) tell(w broker.Wake) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.told.At.IsZero() || w.At.Before(k.told.At) {
		k.told = w
	}
	k.earlier(w.At)
}

func (k *timekeeper) earlier(at time.Time) {
	if !at.Before(k.at) {
		return
	}
	k.at = at
	select {
	case k.sooner <- struct{}{}:
	default: // it is about to look
	}
}

// remaining returns how long after now the next call is.
func (k *timekeeper) remaining(now time.Time) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at.Sub(now)
}

// after returns how long to wait after a call that was made at began, did a and
// ended at now. Something that was not told is found within most.
func (k *timekeeper) after(a broker.Advanced, began, now time.Time, most time.Duration) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	told := !k.told.At.IsZero() && !k.told.At.After(began)
	if told {
		k.told = broker.Wake{}
	}
	switch kept := !k.idle && !k.next.IsZero() && !k.next.After(began); {
	case a.Total() > 0:
		k.idle, k.misses = false, 0
	case told || kept:
		k.misses++
		k.idle = k.misses >= mostMisses
	}
	k.next = a.Next
	if k.idle && most == quietInterval {
		a.Next = time.Time{}
	}
	wait := advanceWait(a, now, most)
	if !k.told.At.IsZero() {
		wait = max(min(wait, k.told.At.Sub(now)), 0)
	}
	k.at = now.Add(wait)
	return wait
}

// advanceWait returns how long to wait, at most most, after a call that did a and
// ended at now. A broker that announces work and does none is not asked without
// end.
func advanceWait(a broker.Advanced, now time.Time, most time.Duration) time.Duration {
	if a.Next.IsZero() {
		return most
	}
	wait := min(a.Next.Sub(now), most)
	if wait <= 0 && a.Total() == 0 {
		return advancePause
	}
	return max(wait, 0)
}

// leave returns the wakes that others of queues need if this server goes.
func (k *timekeeper) leave(queues []string) (wakes []broker.Wake) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.told.At.IsZero() {
		wakes = append(wakes, k.told)
	}
	if k.idle || k.next.IsZero() {
		return wakes
	}
	for _, queue := range queues {
		wakes = append(wakes, broker.Wake{Queue: queue, At: k.next})
	}
	return wakes
}
