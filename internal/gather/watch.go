package gather

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
)

// A Watcher has batches run of the groups of some queues, as soon as they are ripe. All
// of its fields must be set. It is used once.
type Watcher struct {
	Broker broker.Broker

	// Queues says of each queue by which rule a group of it goes, always the same; nil:
	// by none.
	Queues map[string]func(group string) *Rule

	// Lease is for how long a batch is leased at a time.
	Lease time.Duration

	// Patience is how long batches may go on once the watcher is to end.
	Patience time.Duration

	// Lost and Stopped are what the context of a batch ends with: its lease is lost, or
	// the watcher has run out of patience.
	Lost, Stopped error

	// Unfit returns how the lease of a member ends that is not to be run, what is called
	// as [Part] has it once it has ended, and true for one that is not.
	Unfit func(context.Context, broker.Lease) (_ broker.Settlement, settled func(error), unfit bool)

	// Parked is told of entries that cannot be read.
	Parked func(context.Context, broker.Parked)

	Log *slog.Logger
}

// A watch is one that is under way.
type watch struct {
	*Watcher
	line    *line
	working context.Context // of the batches
	hands   sync.WaitGroup
	alone   sync.Mutex // held while a member is run that is to be alone
}

// Run watches until ctx ends, and then waits for the batches: those that take too long
// are told to end. Nothing that it has started is left when it returns.
func (w *Watcher) Run(ctx context.Context) error {
	working, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	run := &watch{Watcher: w, line: newLine(), working: working}
	scout := newScout(w, run.line)
	var scouting sync.WaitGroup
	scouting.Go(func() { scout.listen(ctx) })
	scouting.Go(func() { loop.Woken(ctx, w.Log, "look for groups", scout.dozed, scout.patrol) })
	run.serve(ctx, scout)
	scouting.Wait()
	patience := time.AfterFunc(w.Patience, func() { stop(w.Stopped) })
	defer patience.Stop()
	run.hands.Wait()
	return nil
}

// serve has hands ask for batches of the groups that are ripe, until ctx ends. What there
// are no hands for, others are told of.
func (w *watch) serve(ctx context.Context, scout *scout) {
	for ctx.Err() == nil {
		turn := w.line.take(time.Now())
		for _, g := range turn.ripe {
			w.hands.Go(func() {
				defer w.line.freed(g.rule)
				w.ask(ctx, g)
			})
		}
		for _, queue := range turn.spare {
			w.hands.Go(func() { scout.pass(ctx, queue) })
		}
		w.rest(ctx, turn.next)
	}
}

// rest waits until next, if that is not zero, or until there may be something to do.
func (w *watch) rest(ctx context.Context, next time.Time) {
	var clock <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		clock = t.C
	}
	select {
	case <-ctx.Done():
	case <-w.line.stirred:
	case <-clock:
	}
}
