package periodic

import (
	"context"
	"errors"
	"time"

	"github.com/leatwork/leat/queue"
)

// A Tracer is a [queue.Tracer] that knows of ticks. If that of a scheduler's client is one,
// it is told of them.
type Tracer interface {
	queue.Tracer

	// Tick is called before the task of a tick is made. The context that it returns is the
	// one in which that is done. fired is called with nil if the task was enqueued by this
	// scheduler, or with why it was not; if nobody knows, it is not called.
	Tick(ctx context.Context, t TracedTick) (_ context.Context, fired func(error))
}

// A TracedTick is a tick, as far as a [Tracer] needs to know it.
type TracedTick struct {
	Entry    string // the periodic entry
	Spec     string // when it ticks
	ID       string // of the task: the same for all schedulers that set out to fire the tick
	Time     time.Time
	Backfill string // of which it is part; "" if of none
	Asked    bool   // somebody wants it run now
}

// Why the task of a tick is not enqueued by a scheduler that was about to.
var (
	errKnown    = errors.New("the task was there already")
	errNotFired = errors.New("another scheduler was faster, or the tick is tried again")
)

// traced tells the client's tracer of f, whose task is about to be made in ctx. fired is
// never nil.
func (r *runner) traced(ctx context.Context, p *plan, f firing) (_ context.Context, fired func(error)) {
	if t, ok := r.s.client.Tracer.(Tracer); ok {
		ctx, fired = t.Tick(ctx, TracedTick{
			Entry: p.Name, Spec: p.Schedule, ID: f.id(p.Name), Time: f.at.UTC(), Backfill: f.backfill, Asked: f.asked,
		})
	}
	if fired == nil {
		fired = func(error) {}
	}
	return ctx, fired
}
