package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	// backgroundRetry is how soon a background that has failed is run again; after
	// each more failure it takes twice as long, up to backgroundRest. One that has
	// run for that long begins anew.
	backgroundRetry = time.Second
	backgroundRest  = time.Minute
)

// A Background is what a server runs beside the tasks for its handler, as it
// was registered with [task.Mux.Background]. It shows the server to packages that
// build on this one.
//
// The server calls each function once it begins to take tasks, on a goroutine of
// its own, and ends the context at [Server.Stop] or at the beginning of
// [Server.Shutdown], which waits for it no longer than for the handlers. One that
// goes on after that is reported in the log, and left alone. An error, a panic or
// a runtime.Goexit is logged as well, and the function called again after a second,
// after each more failure twice as late, up to a minute; what it returns once its
// context has ended says nothing. A function that returns nil is not called again.
//
// All methods may be called from several goroutines, also after the server has
// ended.
type Background struct {
	broker broker.Broker
	queues []string // that the server serves
	cfg    Config
	worker string // its name in the records of attempts

	history *history.Keeper // nil: it keeps none
}

type backgroundKey struct{}

// NewBackground returns a background that no server has: what runs in it by
// [Background.Run] runs by itself as it would beside a server that has cfg, except that
// no tasks are leased. It returns the errors of [NewServer].
func NewBackground(b broker.Broker, cfg Config) (*Background, error) {
	s, err := NewServer(b, cfg)
	if err != nil {
		return nil, fmt.Errorf("new background: %w", err)
	}
	s.queues = slices.Sorted(maps.Keys(s.cfg.Queues))
	s.history = s.cfg.historyOf(b, s.queues)
	return s.background(), nil
}

// Run calls run until it has returned nil or ctx has ended, again after a pause if it
// fails, and returns once it has returned. ctx is that of a background for it.
// Meanwhile, Run does what time makes due in the queues that the Config names, as a
// server does, and keeps the history of what it is told. It is for a background that no
// server has.
func (b *Background) Run(ctx context.Context, name string, run func(ctx context.Context) error) error {
	ctx, over := context.WithCancel(ctx)
	var loops sync.WaitGroup
	loops.Go(func() { loop.Paced(ctx, b.cfg.Logger, "advance", b.advance) })
	if b.history != nil {
		w := newScribe(b.history, func() bool { return false })
		loops.Go(func() { w.keep(ctx, b.cfg.Logger) })
	}
	b.keepRunning(context.WithValue(ctx, backgroundKey{}, b), name, run)
	over()
	loops.Wait()
	return nil
}

// advance does what time has made due, and says when to do it again.
func (b *Background) advance(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.LeaseDuration)
	defer cancel()
	a, err := b.broker.Advance(ctx, time.Now(), broker.AdvanceRequest{Queues: b.queues, Limit: advanceLimit, Keep: b.cfg.Archive.keep()})
	if err != nil {
		return advanceInterval, err
	}
	b.cfg.reportAdvanced(ctx, a)
	return advanceWait(a, time.Now(), advanceInterval), nil
}

// BackgroundFromContext returns the background that has ctx, and whether it is
// that of one; that of a handler is not.
func BackgroundFromContext(ctx context.Context) (*Background, bool) {
	b, ok := ctx.Value(backgroundKey{}).(*Background)
	return b, ok
}

// Broker returns the broker whose tasks the server runs.
func (b *Background) Broker() broker.Broker { return b.broker }

// Serves reports whether the server serves the named queue, one that its handler
// has reserved included.
func (b *Background) Serves(queue string) bool { return slices.Contains(b.queues, queue) }

// Unfit returns how the lease l ends of a task that is not to be run, because its workers
// have died too often or it is too late for it, and whether it is one. settled is to be
// called once with what becomes of that, as that of [TracedAttempt].
func (b *Background) Unfit(ctx context.Context, l broker.Lease) (s broker.Settlement, settled func(error), unfit bool) {
	how, why := b.cfg.unfit(time.Now(), l.Entry)
	if why == nil {
		return s, nil, false
	}
	_, trace := b.Begin(ctx, l)
	s = endedAs(l, how, why)
	trace.Settle(&s, why)
	return s, trace.Settled, true
}

// Parked reports an entry that cannot be read, in the log and as an [EventParked].
func (b *Background) Parked(ctx context.Context, p broker.Parked) { b.cfg.parked(ctx, p) }

// Patience is how long what is run in the background may go on once its context has
// ended, so that there is time left to record what has come of it.
func (b *Background) Patience() time.Duration {
	most := b.cfg.ShutdownTimeout
	return max(most-stopGrace-endGrace, most/2)
}

// Config returns how the server works, with every default filled in.
func (b *Background) Config() Config { return b.cfg }

// Settlement returns how the lease l ends of a task that was run in the background
// since began, if that came to err: by the policies of the server, as of a task whose
// handler returned err. result is what the task leaves, nil if nothing. The
// ErrorHandler is told of err, so it is to be called once.
func (b *Background) Settlement(ctx context.Context, l broker.Lease, began time.Time, result []byte, err error) broker.Settlement {
	e := l.Entry
	t := task.Received(e.Type, e.Payload, e.Headers, task.NewResultWriter(ctx, e.ID, b.cfg.MaxResult))
	if err = sound(err); err != nil {
		ctx = WithEntry(ctx, e)
		if _, snoozed := errors.AsType[*task.SnoozeError](err); !snoozed {
			b.cfg.handleError(ctx, t, err)
		}
	}
	now := time.Now()
	s := b.cfg.settlement(ctx, now, l, t, err)
	s.Result, s.Attempt = result, attemptRecord(began, now, b.worker, err)
	return s
}

// Interrupted reports whether what was run in the background with ctx, and came to err,
// was interrupted by the server going down, as [ErrShutdown] says it, and is to be
// released.
func Interrupted(ctx context.Context, err error) bool {
	return err != nil && errors.Is(context.Cause(ctx), ErrShutdown) && !asksFor(sound(err))
}

// Heirs returns what the server's OnExhausted function wants enqueued in the commit that
// records s, of a task that has come to err: nothing unless s archives it. sent is that of
// [Client.Sending].
func (b *Background) Heirs(ctx context.Context, s broker.Settlement, err error) (entries []broker.Entry, sent func(error)) {
	if s.To != broker.Archived || s.End != 0 && s.End != broker.Poison {
		return nil, func(error) {}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.cfg.LeaseDuration)
	defer cancel()
	ctx = WithEntry(ctx, s.Entry)
	heirs := b.cfg.heirs(ctx, b.broker, s, err)
	for _, r := range heirs {
		entries = append(entries, r.entry)
	}
	return entries, func(err error) {
		for _, r := range heirs {
			r.tellSent(err)
		}
	}
}

// Prepare is [Client.Prepare] of the server's client, for a change that settles of,
// which has made t: unless t has options of its own, it goes to the same queue, and its
// id begins with that of the other, so that a storage in shards has both in one.
func (b *Background) Prepare(ctx context.Context, of broker.EntryRef, t *task.Task) (broker.Entry, error) {
	if t == nil {
		return b.cfg.Client.Prepare(ctx, nil)
	}
	s, err := task.Resolve(time.Now(), []task.Option{task.Queue(of.Queue)}, t.Defaults(), t.Options())
	if err != nil {
		return b.cfg.Client.Prepare(ctx, t) // which says so
	}
	return b.cfg.Client.Prepare(among(ctx, kinOf(of.ID)), t, task.Queue(s.Queue))
}

// Tell tells the server's Observer of e, or the client's that an entry was enqueued. What
// has become of a task is counted in the history, too.
func (b *Background) Tell(ctx context.Context, e Event) {
	b.Count(e)
	b.cfg.tell(ctx, e)
}

// Count counts e, that a task has started or was settled, in the history of the server,
// without telling anybody.
func (b *Background) Count(e Event) {
	c := b.history.Of(e.Entry.Queue, e.Entry.Type)
	switch e.Kind {
	case EventStarted:
		c.Began(e.Waited)
	case EventSettled:
		c.Settled(e.Outcome, e.Failed, e.Took)
	default: // that is not counted
	}
}

// Tracer returns the server's tracer, nil if it has none.
func (b *Background) Tracer() Tracer { return b.cfg.Tracer }

// Begin tells the server's tracer that it is the turn of l, as [Tracer] has it. The
// attempt that it returns is never nil: if the tracer does not know it, or there is none,
// what it is told goes nowhere.
func (b *Background) Begin(ctx context.Context, l broker.Lease) (context.Context, TracedAttempt) {
	return b.cfg.begin(ctx, l)
}

// Batch tells the server's tracer that members, which Begin has returned, are about to be
// run together, as [Tracer] has it. done is never nil.
func (b *Background) Batch(ctx context.Context, queue, group string, members []TracedAttempt) (_ context.Context, done func(error)) {
	if b.cfg.Tracer == nil {
		return ctx, func(error) {}
	}
	known := slices.DeleteFunc(slices.Clone(members), func(m TracedAttempt) bool { return m == untraced{} })
	ctx, done = b.cfg.Tracer.Batch(ctx, queue, group, known)
	if done == nil {
		done = func(error) {}
	}
	return ctx, done
}

// Sending is [Client.Sending] of the server's client.
func (b *Background) Sending(ctx context.Context, entries ...*broker.Entry) (sent func(error)) {
	return b.cfg.Client.Sending(ctx, entries...)
}
