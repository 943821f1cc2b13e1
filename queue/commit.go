package queue

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A committer has what many goroutines enqueue at once stored in few calls: what
// comes while one call is under way goes together in the next. Nobody waits for
// company: who comes while there is none calls at once, in its own goroutine. Two
// calls at once would share the storage, and each would carry half.
type committer struct {
	mu      sync.Mutex
	busy    bool // a call is under way
	waiting []*parcel
}

// A parcel is what one goroutine wants stored.
type parcel struct {
	ctx     context.Context
	changes []broker.Change
	bytes   int
	load    *load // nil while it waits

	done     chan struct{} // closed when these are set
	outcomes []error
	err      error
}

// A load is the parcels that travel in one call. The call ends early if nobody
// waits for it any more.
type load struct {
	ctx     context.Context
	cancel  context.CancelFunc
	parcels []*parcel
	left    int // how many somebody waits for
}

// apply stores changes, of bytes bytes, as the function of that name does; now is
// the time of it if they travel alone.
func (m *committer) apply(ctx context.Context, b broker.Broker, now time.Time, changes []broker.Change, bytes int) ([]error, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, ok := b.(broker.Direct); ok {
		return apply(ctx, b, now, changes)
	}
	p := m.enter(ctx, changes, bytes)
	if p == nil {
		defer m.leave(b)
		return apply(ctx, b, now, changes)
	}
	select {
	case <-p.done:
		return p.outcomes, p.err
	case <-ctx.Done():
		return nil, m.withdraw(p, ctx.Err())
	}
}

// enter returns nil if the caller is to call at once, or else the parcel that waits.
func (m *committer) enter(ctx context.Context, changes []broker.Change, bytes int) *parcel {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.busy {
		m.busy = true
		return nil
	}
	p := &parcel{ctx: ctx, changes: changes, bytes: bytes, done: make(chan struct{})}
	m.waiting = append(m.waiting, p)
	return p
}

// leave has those served who wait. The caller has its answer, so a goroutine does
// it, which ends when nobody waits.
func (m *committer) leave(b broker.Broker) {
	l := m.next()
	if l == nil {
		return
	}
	go func() {
		for ; l != nil; l = m.next() {
			l.carry(b)
		}
	}()
}

// next returns what travels next, or nil if nobody waits.
func (m *committer) next() *load {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) == 0 {
		m.busy = false
		return nil
	}
	n := fitting(m.waiting)
	l := &load{parcels: slices.Clone(m.waiting[:n]), left: n}
	l.ctx, l.cancel = context.WithCancel(context.WithoutCancel(l.parcels[0].ctx))
	for _, p := range l.parcels {
		p.load = l
	}
	m.waiting = slices.Delete(m.waiting, 0, n)
	return l
}

// fitting returns how many of parcels travel together, from the first on.
func fitting(parcels []*parcel) int {
	changes, bytes := 0, 0
	for i, p := range parcels {
		changes += len(p.changes)
		bytes += p.bytes
		if i > 0 && (changes > parcelChanges || bytes > parcelBytes) {
			return i
		}
	}
	return len(parcels)
}

// carry makes the call, and hands out the answer.
func (l *load) carry(b broker.Broker) {
	defer l.cancel()
	var all []broker.Change
	for _, p := range l.parcels {
		all = append(all, p.changes...)
	}
	outcomes, err := apply(l.ctx, b, time.Now(), all)
	for _, p := range l.parcels {
		if p.err = err; err == nil {
			p.outcomes, outcomes = outcomes[:len(p.changes):len(p.changes)], outcomes[len(p.changes):]
		}
		close(p.done)
	}
}

// withdraw takes p back because of why.
func (m *committer) withdraw(p *parcel, why error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.load == nil {
		m.waiting = slices.DeleteFunc(m.waiting, func(other *parcel) bool { return other == p })
		return why
	}
	if p.load.left--; p.load.left == 0 {
		p.load.cancel()
	}
	return fmt.Errorf("%w: %w", ErrUnknown, why)
}
