// Package wake keeps the wakes of a broker in memory, as rule 10 of package
// broker has it, for brokers whose storage has nothing to wait on.
package wake

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A Board keeps wakes until somebody waits for them. Its zero value keeps none.
// Its methods may be called from several goroutines.
type Board struct {
	mu     sync.Mutex
	queues map[string]kept
	line   []*waiter // who waits, the first one first
	closed bool
}

// kept are the wakes of one queue.
type kept struct {
	ready bool
	due   time.Time // zero: none
}

// A waiter waits for a wake of one of queues.
type waiter struct {
	queues []string
	given  chan broker.Wake // closed if none will come
	prod   chan struct{}    // has an element if it is to look
}

// Leave gives w to the first who waits for its queue, or keeps it.
func (b *Board) Leave(w broker.Wake) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	for i, who := range b.line {
		if slices.Contains(who.queues, w.Queue) {
			b.line = slices.Delete(b.line, i, i+1)
			who.given <- w
			return
		}
	}
	if b.queues == nil {
		b.queues = make(map[string]kept)
	}
	k := b.queues[w.Queue]
	if w.At.IsZero() {
		k.ready = true
	} else if k.due.IsZero() || w.At.Before(k.due) {
		k.due = w.At
	}
	b.queues[w.Queue] = k
}

// Forget drops what is kept of queue.
func (b *Board) Forget(queue string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.queues, queue)
}

// Wait returns the next wake of one of queues, as [broker.Waker] has it.
func (b *Board) Wait(ctx context.Context, queues []string) (broker.Wake, error) {
	return b.WaitLooking(ctx, queues, func() (time.Duration, error) { return 0, nil })
}

// WaitLooking is like Wait, and meanwhile has look look for wakes that others have
// left elsewhere, and leave them here: before it takes one that is kept, whenever
// the time has passed that it returned last, if that is not 0, and at each Prod. An
// error of look is that of the wait.
func (b *Board) WaitLooking(ctx context.Context, queues []string, look func() (again time.Duration, err error)) (broker.Wake, error) {
	if err := broker.CheckWait(queues); err != nil {
		return broker.Wake{}, fmt.Errorf("wait: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return broker.Wake{}, fmt.Errorf("wait: %w: %w", broker.ErrRefused, err)
	}
	if _, err := look(); err != nil {
		return broker.Wake{}, err
	}
	w, who := b.take(queues)
	if who == nil {
		return w, nil
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		again, err := look()
		if err != nil {
			b.leave(who)
			return broker.Wake{}, err
		}
		if timer.Stop(); again > 0 {
			timer.Reset(again)
		}
		select {
		case w, ok := <-who.given:
			if !ok {
				return broker.Wake{}, fmt.Errorf("wait: %w: %w", broker.ErrRefused, broker.ErrClosed)
			}
			return w, nil
		case <-ctx.Done():
			b.leave(who)
			return broker.Wake{}, fmt.Errorf("wait: %w", ctx.Err())
		case <-timer.C:
		case <-who.prod:
		}
	}
}

// Prod has all who wait look once more.
func (b *Board) Prod() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, who := range b.line {
		select {
		case who.prod <- struct{}{}:
		default: // it is about to
		}
	}
}

// take returns a wake that is kept, or somebody who stands in line for one.
func (b *Board) take(queues []string) (broker.Wake, *waiter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	who := &waiter{queues: slices.Clone(queues), given: make(chan broker.Wake, 1), prod: make(chan struct{}, 1)}
	if b.closed {
		close(who.given)
		return broker.Wake{}, who
	}
	soonest := ""
	for _, queue := range queues {
		k := b.queues[queue]
		if k.ready {
			k.ready = false
			b.keep(queue, k)
			return broker.Wake{Queue: queue}, nil
		}
		if !k.due.IsZero() && (soonest == "" || k.due.Before(b.queues[soonest].due)) {
			soonest = queue
		}
	}
	if soonest != "" {
		k := b.queues[soonest]
		w := broker.Wake{Queue: soonest, At: k.due}
		k.due = time.Time{}
		b.keep(soonest, k)
		return w, nil
	}
	b.line = append(b.line, who)
	return broker.Wake{}, who
}

func (b *Board) keep(queue string, k kept) {
	if k == (kept{}) {
		delete(b.queues, queue)
		return
	}
	b.queues[queue] = k
}

// leave takes who out of the line. What it was given meanwhile goes to the next.
func (b *Board) leave(who *waiter) {
	b.mu.Lock()
	b.line = slices.DeleteFunc(b.line, func(other *waiter) bool { return other == who })
	b.mu.Unlock()
	select {
	case w, ok := <-who.given:
		if ok {
			b.Leave(w)
		}
	default: // nothing
	}
}

// Close ends every Wait, now and later, with an error that matches
// [broker.ErrClosed].
func (b *Board) Close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.Rouse()
}

// Rouse ends every Wait that is under way, as Close does.
func (b *Board) Rouse() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, who := range b.line {
		close(who.given)
	}
	b.line = nil
}
