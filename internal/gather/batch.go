package gather

import (
	"context"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

// extendRetry is how soon after an error a lease is extended again.
const extendRetry = time.Second

// A Batch is members of a group that are leased together, and are to be run and settled.
type Batch struct {
	Queue, Group string

	// Members are the leases of those that are to be run. Their Until is that of the
	// beginning, and their Documents are not read.
	Members []broker.Lease

	rule  *Rule
	watch *watch
	until time.Time // of the lease
	ctx   context.Context
	stop  func() // ends that the lease is extended
}

func newBatch(w *watch, g *group, leased broker.Batch) *Batch {
	return &Batch{
		Queue: g.queue, Group: g.groupName.group, Members: leased.Members,
		rule: g.rule, watch: w, until: leased.Until, ctx: w.working, stop: func() {},
	}
}

// run runs those of the members that are fit, and ends the others.
func (w *watch) run(b *Batch, members []broker.Lease) {
	var ended []Part
	b.Members = nil
	for _, m := range members {
		if s, settled, unfit := w.Unfit(w.working, m); unfit {
			ended = append(ended, &single{s, settled})
		} else {
			b.Members = append(b.Members, m)
		}
	}
	if len(ended) > 0 {
		w.settle(w.working, ended)
	}
	if len(b.Members) == 0 {
		return
	}
	ctx, lose := context.WithCancelCause(w.working)
	defer lose(nil)
	b.keep(ctx, lose)
	defer b.stop()
	b.rule.Run(ctx, b)
}

// keep keeps the batch leased until b.stop is called. Its context ends when the lease is
// lost.
func (b *Batch) keep(ctx context.Context, lose context.CancelCauseFunc) {
	keeping, stop := context.WithCancel(ctx)
	var kept sync.WaitGroup
	kept.Go(func() {
		wait := b.watch.Lease / 3
		for keeping.Err() == nil {
			loop.Sleep(keeping, wait)
			if keeping.Err() != nil {
				return
			}
			held, left := b.extend(keeping)
			if !held && keeping.Err() == nil {
				lose(b.watch.Lost)
				return
			}
			wait = left
		}
	})
	b.stop = sync.OnceFunc(func() { stop(); kept.Wait() })
}

// extend extends the lease, and reports whether it is held, as far as is known, and how
// long to wait until it is to be extended again.
func (b *Batch) extend(ctx context.Context) (held bool, wait time.Duration) {
	interval := b.watch.Lease / 3
	ctx, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	now := time.Now()
	until := broker.CeilSecond(now.Add(b.watch.Lease))
	answer, err := b.watch.Broker.Extend(ctx, now, until, b.Members[0].Ref())
	switch {
	case err == nil && len(answer) == 1:
		b.until = until
		return answer[0] != broker.Lost, interval
	default:
		left := time.Until(b.until)
		return left > 0, min(extendRetry, interval, left)
	}
}
