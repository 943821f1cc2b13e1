package sqlitebroker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

const (
	// listenInterval is how often somebody who listens looks for what other
	// processes have told.
	listenInterval = 100 * time.Millisecond

	// mostSignals is how many signals are kept.
	mostSignals = 1000
)

var (
	insertSignal  = prepared(`INSERT INTO leat_signal (kind, queue, entry) VALUES (?, ?, ?)`)
	deleteSignals = prepared(`DELETE FROM leat_signal WHERE num <= ?`)
	selectSignals = prepared(`SELECT num, kind, queue, entry FROM leat_signal WHERE num > ? ORDER BY num`)
	lastSignal    = prepared(`SELECT max(num) FROM leat_signal`)
)

// signal tells those who listen once t is committed.
func (t *tx) signal(kind broker.SignalKind, ref broker.EntryRef) {
	t.on(insertSignal).int(int64(kind)).text(ref.Queue).text(ref.ID).exec()
	t.on(deleteSignals).int(t.db.LastInsertRowID() - mostSignals).exec()
	t.signalled = true
}

// A bell wakes those who listen in this process.
type bell struct {
	mu    sync.Mutex
	ropes map[chan struct{}]bool
}

// hang returns what receives an element soon after each ring.
func (b *bell) hang() chan struct{} {
	rope := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ropes == nil {
		b.ropes = make(map[chan struct{}]bool)
	}
	b.ropes[rope] = true
	return rope
}

func (b *bell) take(rope chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.ropes, rope)
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for rope := range b.ropes {
		select {
		case rope <- struct{}{}:
		default: // it is about to wake
		}
	}
}

// Listen implements [broker.Listener]. What this broker commits is told at once,
// and what others do within a tenth of a second. It ends when the broker is
// closed.
func (b *Broker) Listen(ctx context.Context, hear func(broker.Signal)) error {
	rope := b.writer.bell.hang()
	defer b.writer.bell.take(rope)
	last, err := b.lastSignal(ctx)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	hear(broker.Signal{Kind: broker.Listening})
	tick := time.NewTicker(listenInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("listen: %w", ctx.Err())
		case <-rope:
		case <-tick.C:
		}
		signals, err := b.signalsAfter(ctx, &last)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		for _, s := range signals {
			hear(s)
		}
	}
}

func (b *Broker) lastSignal(ctx context.Context) (last int64, err error) {
	err = b.read(ctx, func(c *conn) { c.on(lastSignal).first(func(r *row) { last = r.int() }) })
	return last, err
}

// signalsAfter returns the signals after the last one, and moves last on.
func (b *Broker) signalsAfter(ctx context.Context, last *int64) (signals []broker.Signal, err error) {
	end := *last
	err = b.read(ctx, func(c *conn) {
		c.on(selectSignals).int(*last).each(func(r *row) {
			end = r.int()
			signals = append(signals, broker.Signal{
				Kind:  broker.SignalKind(r.int()),
				Entry: broker.EntryRef{Queue: r.text(), ID: r.text()},
			})
		})
	})
	*last = end
	return signals, err
}
