package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/internal/history"
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
	errGoexit     = errors.New("handler ended its goroutine with runtime.Goexit")
	errNoSettle   = errors.New("settle function returned a change that does not settle the task")
	errIgnoresRun = errors.New("handler does not know the run that the task belongs to")
)

// An attempt is a leased entry on its way to its outcome. The dispatcher makes
// it, a goroutine of its own runs the handler, and then it is the dispatcher's
// again.
type attempt struct {
	Running
	pool    *pool
	task    *task.Task
	ctx     context.Context         // the handler's
	cancel  context.CancelCauseFunc // ends ctx
	release context.CancelFunc      // ends what ctx was made from
	started time.Time
	ends    time.Time // when the handler has to end; zero: never
	until   time.Time // when the lease ends; the roster's mutex guards it

	// Whoever sets claimed decides what is recorded: the handler by returning,
	// or its watch once it gives the handler up.
	claimed atomic.Bool
	gone    chan struct{} // closed when the handler has returned

	count *history.Count // of its task's type; nil if it was not begun

	doubted atomic.Bool // its task is said to be cancelled
	asked   atomic.Bool // it is, as the storage says

	// What was decided.
	stuck     bool // the handler was given up
	err       error
	took      time.Duration
	abandoned bool                 // the lease is lost: nothing is recorded
	settled   [1]broker.Settlement // as a change has it that does nothing else
	base      broker.Change        // with the settlement, or another of the entry
	change    broker.Change        // base and companions
	refusals  int                  // how often the broker has refused base
	uncertain bool                 // an earlier call that recorded it may have taken effect

	// What is enqueued with it.
	companions []*request
	tries      int        // how often they were made others
	exhausted  bool       // OnExhausted was called
	inherit    []*request // what it returned
}

// newAttempt returns the attempt for l. Its context ends with that of the server's
// Config, at the task's timeout or deadline, or when it is cancelled.
func newAttempt(p *pool, base context.Context, now time.Time, l broker.Lease) *attempt {
	a := &attempt{
		Running: Running{server: p.server, lease: l, trace: untraced{}},
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
	ctx, a.cancel = context.WithCancelCause(ctx)
	a.ctx, a.release = context.WithValue(WithEntry(ctx, e), runningKey{}, &a.Running), release
	a.ends, _ = a.ctx.Deadline()
	a.task = task.Received(e.Type, e.Payload, e.Headers, task.NewResultWriter(a.ctx, e.ID, p.server.cfg.MaxResult))
	return a
}

// unstarted returns the attempt for l if its handler is not to be called.
func unstarted(p *pool, l broker.Lease) *attempt {
	a := newAttempt(p, p.base(), time.Now(), l)
	a.claimed.Store(true)
	if l.Lost != nil { // of which no other lease tells
		a.ctx, a.trace = p.server.cfg.begin(a.ctx, l)
		a.trace.PutOff("release")
	}
	a.settleAlone(released(l))
	a.change = a.base
	a.tellSettle()
	a.end()
	return a
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

// run runs the handler, unless the task is not fit to be run or the context has
// ended before, and has the outcome recorded. The handler may panic, or end the
// goroutine: what follows it is deferred.
func (a *attempt) run(h task.Handler) {
	a.count = a.server.history.Of(a.lease.Entry.Queue, a.lease.Entry.Type)
	a.ctx, a.trace = a.server.cfg.begin(a.ctx, a.lease)
	if how, why := a.server.cfg.unfit(time.Now(), a.lease.Entry); why != nil {
		a.claimed.Store(true)
		a.end()
		a.handBack(func() { a.settleAs(how, why) })
		return
	}
	a.server.workers.Add(1) // for watch
	unwatch := context.AfterFunc(a.ctx, a.watch)
	err := errGoexit
	defer func() {
		if v := recover(); v != nil {
			err = &task.PanicError{Value: v, Stack: debug.Stack()}
		}
		defer func() {
			if unwatch() {
				a.server.workers.Done()
			}
			a.end()
		}()
		a.returned(err)
	}()
	if a.ctx.Err() != nil {
		err = context.Cause(a.ctx)
		return
	}
	waited := a.waited()
	a.count.Began(waited)
	a.observe(Event{Kind: EventStarted, Waited: waited})
	err = h.ProcessTask(a.ctx, a.task)
}

// tellRecorded tells the tracers that the outcome was recorded, or why it was not.
func (a *attempt) tellRecorded(unrecorded error) {
	a.tellSent(unrecorded)
	a.trace.Settled(unrecorded)
}

// giveUp tells the tracers that nobody records the outcome any more.
func (a *attempt) giveUp() {
	why := ErrServerClosed
	switch {
	case a.abandoned:
		why = ErrLeaseLost
	case a.uncertain:
		why = fmt.Errorf("%w: %w", ErrUnknown, ErrServerClosed)
	}
	a.tellRecorded(why)
}

// waited returns for how long the task was ready before the attempt began, 0 if that is
// not known. Ready is rounded up to a millisecond, so that one which began at once may seem
// to have begun before.
func (a *attempt) waited() time.Duration {
	if a.lease.Ready.IsZero() {
		return 0
	}
	return max(a.started.Sub(a.lease.Ready), time.Nanosecond)
}

// end ends the context, and what has been waiting for the handler to return.
func (a *attempt) end() {
	a.cancel(nil)
	a.release()
	close(a.gone)
}

// returned takes what the handler returned. If it was given up before, that
// counts for nothing.
func (a *attempt) returned(err error) {
	if a.claimed.CompareAndSwap(false, true) {
		a.conclude(err)
		return
	}
	a.log(slog.LevelInfo, "handler returned long after its context ended, which counts for nothing", "err", err)
}

// watch is called when the context has ended. A handler that does not return
// soon is given up: its task is settled with the reason why the context ended,
// and its slot is reported until it returns.
func (a *attempt) watch() {
	defer a.server.workers.Done()
	if a.goneWithin(stopGrace) {
		return
	}
	a.reportStuck()
	if a.claimed.CompareAndSwap(false, true) {
		a.stuck = true
		a.conclude(context.Cause(a.ctx))
	}
	for !a.goneWithin(stuckReport) {
		a.reportStuck()
	}
	if a.stuck {
		a.pool.freed <- struct{}{}
	}
}

// goneWithin waits until the handler has returned, and reports false if it has
// not after d. Once the server has ended it no longer matters.
func (a *attempt) goneWithin(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-a.gone:
		return true
	case <-a.server.over:
		return true
	case <-t.C:
		return false
	}
}

func (a *attempt) reportStuck() {
	cause, took := context.Cause(a.ctx), time.Since(a.started)
	a.log(slog.LevelWarn, "handler goes on after its context ended, and keeps its slot", "cause", cause, "took", took)
	a.observe(Event{Kind: EventStuck, Err: cause, Took: took})
}

// conclude decides what is recorded if the handler returned err.
func (a *attempt) conclude(err error) {
	a.flush()
	a.handBack(func() { a.decide(sound(err)) })
}

// refused decides what is recorded instead after the broker has refused a
// change.
func (a *attempt) refused(by error) {
	a.handBack(func() {
		if a.adjusted(by) {
			return
		}
		a.refusals++
		a.propose(fmt.Errorf("settle %s: %w", a.lease.Entry, by))
	})
}

// handBack calls decide and gives the attempt back to the dispatcher, even if one
// of the user's functions ends the goroutine.
func (a *attempt) handBack(decide func()) {
	decided := false
	defer func() {
		if !decided {
			a.err, a.abandoned = errGoexit, false
			a.settleAlone(noCallbacks.settlement(a.ctx, time.Now(), a.lease, a.task, errGoexit))
			a.change, a.companions = a.base, nil
		}
		a.tellSettle()
		a.pool.finish(a)
	}()
	decide()
	a.accompany()
	decided = true
}

// tellSettle tells the tracer of the settlement that is to be recorded.
func (a *attempt) tellSettle() {
	if a.abandoned || a.server.cfg.Tracer == nil {
		return
	}
	a.trace.Settle(settles(a.change, &a.settled[0]), a.err)
}

// decide takes err as what the handler returned.
func (a *attempt) decide(err error) {
	if err == nil && isRun(a.lease.Entry.Home) && a.settleFunc() == nil {
		err = errIgnoresRun
	}
	a.err, a.took = err, time.Since(a.started)
	cause := context.Cause(a.ctx)
	switch {
	case cause == ErrLeaseLost:
		a.abandoned = true
	case a.asked.Load() && err != nil && !errors.Is(err, task.Revoke):
		a.settleAs(broker.Cancelled, err)
	case err != nil && interruption(cause) && !asksFor(err):
		a.settleAlone(released(a.lease))
	default:
		a.settled[0] = a.outcome(err)
		a.propose(nil)
	}
}

// isRun reports whether h is that of a run, which waits to be told what came of a task.
// A home beside a queue that the engine has made up only keeps what is open.
func isRun(h broker.Home) bool {
	return !h.IsZero() && !strings.ContainsRune(h.Queue, task.Joint)
}

// interruption reports whether a context that ended with cause was ended by
// the server or the program going down, which is no fault of the task.
func interruption(cause error) bool {
	return cause != nil && cause != ErrTimeout && cause != ErrCancelled
}

// outcome returns the settlement for err, after the ErrorHandler has seen it.
func (a *attempt) outcome(err error) broker.Settlement {
	cfg, ctx := a.server.cfg, a.naming(a.ctx)
	if _, snoozed := errors.AsType[*task.SnoozeError](err); err != nil && !snoozed {
		cfg.handleError(ctx, a.task, err)
	}
	now := time.Now()
	s := cfg.settlement(ctx, now, a.lease, a.task, err)
	s.Attempt = a.record(now, err)
	return s
}

// record returns what is kept of the attempt, which ended at now with err.
func (a *attempt) record(now time.Time, err error) *broker.Attempt {
	return attemptRecord(a.started, now, a.server.worker, err)
}

func attemptRecord(began, now time.Time, worker string, err error) *broker.Attempt {
	r := &broker.Attempt{Started: began, Ended: now, Worker: worker}
	if err != nil {
		r.Err = cut(err.Error(), maxAttemptErr)
		r.Stack = stackOf(err)
	}
	return r
}

// ownFrames is what the lines of a stack begin with that are this package's.
const ownFrames = "\ngithub.com/leatwork/leat/queue."

// stackOf returns what is kept of where a handler panicked: whole lines, as many as may be,
// down to what called it, and indented without tabs, which not everybody shows.
func stackOf(err error) string {
	p, ok := errors.AsType[*task.PanicError](err)
	if !ok {
		return ""
	}
	trace, _, _ := strings.Cut(p.Trace(), ownFrames)
	trace = strings.TrimSuffix(strings.ReplaceAll(trace, "\t", "    "), "\n")
	kept := cut(trace, maxAttemptStack)
	if len(kept) < len(trace) {
		kept = kept[:strings.LastIndexByte(kept, '\n')+1]
	}
	return strings.TrimSuffix(kept, "\n")
}

// settleAs has the task archived in a way that is not its handler's.
func (a *attempt) settleAs(how broker.End, why error) {
	a.err = why
	s := endedAs(a.lease, how, why)
	s.Result = a.task.ResultWriter().Result()
	if how == broker.Cancelled {
		s.Attempt = a.record(time.Now(), why)
	}
	a.settleAlone(s)
}

// propose makes the change that is to record the settlement: the one that the
// handler asked for, or another one if the broker refused that. A success that
// cannot be recorded with all that belongs to it is none.
func (a *attempt) propose(refused error) {
	settle := a.settleFunc()
	switch {
	case settle == nil, a.refusals > maxRefusals && a.err != nil:
		a.settleAlone(a.settled[0])
	case a.refusals > maxRefusals:
		a.fail(refused)
	default:
		base, err := a.ask(settle, refused)
		if err != nil {
			a.fail(err)
			return
		}
		a.base = base
	}
}

// ask calls settle, and checks what it returns.
func (a *attempt) ask(settle SettleFunc, refused error) (c broker.Change, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = sound(&task.PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	c = settle(a.settled[0], refused)
	if settles(c, &a.settled[0]) == nil {
		return broker.Change{}, errNoSettle
	}
	return c, nil
}

// settleAlone has s recorded and nothing else.
func (a *attempt) settleAlone(s broker.Settlement) {
	a.settled[0], a.base = s, broker.Change{Settle: a.settled[:]}
	a.OnSettle(nil)
}

// fail has the task recorded as failed with err, and nothing else.
func (a *attempt) fail(err error) {
	a.err = err
	a.settleAlone(a.outcome(err))
}

// observe tells the observer about the attempt's entry.
func (a *attempt) observe(e Event) {
	if e.Entry.ID == "" {
		e.Entry = a.lease.Entry
	}
	a.server.cfg.Observer.observe(a.ctx, a.server.cfg.Logger, e)
}

func (a *attempt) log(level slog.Level, msg string, args ...any) {
	a.server.cfg.Logger.Log(a.naming(a.ctx), level, msg, args...)
}
