package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	// stopGrace is how long a handler may take to return after its context has
	// ended. Then its task is settled without it.
	stopGrace = time.Second

	// stuckReport is how often a handler is reported that goes on after that.
	stuckReport = time.Minute

	// maxRefusals is how often a SettleFunc may try again.
	maxRefusals = 3
)

var (
	errGoexit   = errors.New("handler ended its goroutine with runtime.Goexit")
	errNoSettle = errors.New("settle function returned a change that does not settle the task")
)

// A work is a leased entry on its way to its outcome. The dispatcher makes it,
// a goroutine of its own runs the handler, and then it is the dispatcher's
// again.
type work struct {
	Running
	pool    *pool
	task    *task.Task
	ctx     context.Context         // the handler's
	cancel  context.CancelCauseFunc // ends ctx
	release context.CancelFunc      // ends what ctx was made from
	started time.Time
	until   time.Time // when the lease ends; the roster's mutex guards it

	// Whoever sets claimed decides what is recorded: the handler by returning,
	// or its watch once it gives the handler up.
	claimed atomic.Bool
	gone    chan struct{} // closed when the handler has returned

	// What was decided.
	stuck      bool // the handler was given up
	err        error
	took       time.Duration
	abandoned  bool // the lease is lost: nothing is recorded
	settlement broker.Settlement
	change     broker.Change // with the settlement, or another of the entry
	refusals   int           // how often the broker has refused change
	uncertain  bool          // an earlier attempt to record it may have taken effect
}

// newWork returns the work for l. Its context ends with that of the server's
// Config, at the task's timeout or deadline, or when it is cancelled.
func newWork(p *pool, base context.Context, now time.Time, l broker.Lease) *work {
	w := &work{
		Running: Running{broker: p.server.broker, lease: l},
		pool:    p,
		started: now,
		until:   l.Until,
		gone:    make(chan struct{}),
	}
	e := l.Entry
	ctx, release := base, func() {}
	if d := deadline(now, e); !d.IsZero() {
		ctx, release = context.WithDeadlineCause(ctx, d, ErrTimeout)
	}
	ctx, w.cancel = context.WithCancelCause(ctx)
	ctx = task.WithRunning(ctx, task.Running{ID: e.ID, Queue: e.Queue, Retried: e.Retried, MaxRetry: e.MaxRetry})
	w.ctx, w.release = context.WithValue(ctx, runningKey{}, &w.Running), release
	w.task = task.Received(e.Type, e.Payload, e.Headers, task.NewResultWriter(w.ctx, e.ID, p.server.cfg.MaxResult))
	return w
}

// unstarted returns the work for l if its handler is not to be called.
func unstarted(p *pool, l broker.Lease) *work {
	w := newWork(p, p.base(), time.Now(), l)
	w.claimed.Store(true)
	w.only(released(l))
	w.end()
	return w
}

// deadline returns when an attempt that begins at now has to end, zero if it
// never has to.
func deadline(now time.Time, e broker.Entry) time.Time {
	if e.Timeout == 0 {
		return e.Deadline
	}
	if end := now.Add(e.Timeout); e.Deadline.IsZero() || end.Before(e.Deadline) {
		return end
	}
	return e.Deadline
}

// run runs the handler, unless the context has ended before, and has the
// outcome recorded. The handler may panic, or end the goroutine: what follows it
// is deferred.
func (w *work) run(h task.Handler) {
	w.pool.server.workers.Add(1) // for watch
	unwatch := context.AfterFunc(w.ctx, w.watch)
	err := errGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &task.PanicError{Value: v, Stack: debug.Stack()}
		}
		defer func() {
			if unwatch() {
				w.pool.server.workers.Done()
			}
			w.end()
		}()
		w.returned(err)
	}()
	if w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
		return
	}
	w.observe(Event{Kind: EventStarted})
	err = h.ProcessTask(w.ctx, w.task)
}

// end ends the context, and what has been waiting for the handler to return.
func (w *work) end() {
	w.cancel(nil)
	w.release()
	close(w.gone)
}

// returned takes what the handler returned. If it was given up before, that
// counts for nothing.
func (w *work) returned(err error) {
	if w.claimed.CompareAndSwap(false, true) {
		w.conclude(err)
		return
	}
	w.log(slog.LevelInfo, "handler returned long after its context ended, which counts for nothing", "err", err)
}

// watch is called when the context has ended. A handler that does not return
// soon is given up: its task is settled with the reason why the context ended,
// and its slot is reported until it returns.
func (w *work) watch() {
	defer w.pool.server.workers.Done()
	if w.goneWithin(stopGrace) {
		return
	}
	w.reportStuck()
	if w.claimed.CompareAndSwap(false, true) {
		w.stuck = true
		w.conclude(context.Cause(w.ctx))
	}
	for !w.goneWithin(stuckReport) {
		w.reportStuck()
	}
	if w.stuck {
		w.pool.freed <- struct{}{}
	}
}

// goneWithin waits until the handler has returned, and reports false if it has
// not after d. Once the server has ended it no longer matters.
func (w *work) goneWithin(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-w.gone:
		return true
	case <-w.pool.server.over:
		return true
	case <-t.C:
		return false
	}
}

func (w *work) reportStuck() {
	cause, took := context.Cause(w.ctx), time.Since(w.started)
	w.log(slog.LevelWarn, "handler goes on after its context ended, and keeps its slot", "cause", cause, "took", took)
	w.observe(Event{Kind: EventStuck, Err: cause, Took: took})
}

// conclude decides what is recorded if the handler returned err.
func (w *work) conclude(err error) {
	w.handBack(func() { w.decide(sound(err)) })
}

// refused decides what is recorded instead after the broker has refused a
// change.
func (w *work) refused(by error) {
	w.handBack(func() {
		w.refusals++
		w.propose(fmt.Errorf("settle %s: %w", w.lease.Entry, by))
	})
}

// handBack calls decide and gives the work back to the dispatcher, even if one
// of the user's functions ends the goroutine.
func (w *work) handBack(decide func()) {
	decided := false
	defer func() {
		if !decided {
			w.err, w.abandoned = errGoexit, false
			w.only(defaults.settlement(w.ctx, time.Now(), w.lease, w.task, errGoexit))
		}
		w.pool.finished <- w
	}()
	decide()
	decided = true
}

// decide takes err as what the handler returned.
func (w *work) decide(err error) {
	w.err, w.took = err, time.Since(w.started)
	cause := context.Cause(w.ctx)
	switch {
	case cause == ErrLeaseLost:
		w.abandoned = true
	case err != nil && interruption(cause) && !asksFor(err):
		w.only(released(w.lease))
	default:
		w.settlement = w.outcome(err)
		w.propose(nil)
	}
}

// interruption reports whether a context that ended with cause was ended by
// the server or the program going down, which is no fault of the task.
func interruption(cause error) bool {
	return cause != nil && cause != ErrTimeout && cause != ErrCancelled
}

// outcome returns the settlement for err, after the ErrorHandler has seen it.
func (w *work) outcome(err error) broker.Settlement {
	cfg := w.pool.server.cfg
	if _, snoozed := errors.AsType[*task.SnoozeError](err); err != nil && !snoozed {
		cfg.handleError(w.ctx, w.task, err)
	}
	return cfg.settlement(w.ctx, time.Now(), w.lease, w.task, err)
}

// propose makes the change that is to record the settlement: the one that the
// handler asked for, or another one if the broker refused that. A success that
// cannot be recorded with all that belongs to it is none.
func (w *work) propose(refused error) {
	settle := w.settleFunc()
	switch {
	case settle == nil, w.refusals > maxRefusals && w.err != nil:
		w.only(w.settlement)
	case w.refusals > maxRefusals:
		w.fail(refused)
	default:
		change, err := w.ask(settle, refused)
		if err != nil {
			w.fail(err)
			return
		}
		w.change = change
	}
}

// ask calls settle, and checks what it returns.
func (w *work) ask(settle SettleFunc, refused error) (c broker.Change, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = sound(&task.PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	c = settle(w.settlement, refused)
	if _, ok := settles(c, w.settlement); !ok {
		return broker.Change{}, errNoSettle
	}
	return c, nil
}

// only has s recorded and nothing else.
func (w *work) only(s broker.Settlement) {
	w.settlement, w.change = s, broker.Change{Settle: []broker.Settlement{s}}
	w.OnSettle(nil)
}

// fail has the task recorded as failed with err, and nothing else.
func (w *work) fail(err error) {
	w.err = err
	w.only(w.outcome(err))
}

// observe tells the observer about the work's entry.
func (w *work) observe(e Event) {
	if e.Entry.ID == "" {
		e.Entry = w.lease.Entry
	}
	w.pool.server.cfg.Observer.observe(w.ctx, w.pool.server.cfg.Logger, e)
}

func (w *work) log(level slog.Level, msg string, args ...any) {
	e := w.lease.Entry
	args = append([]any{"queue", e.Queue, "id", e.ID, "type", e.Type}, args...)
	w.pool.server.cfg.Logger.Log(w.ctx, level, msg, args...)
}
