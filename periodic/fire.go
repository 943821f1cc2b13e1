package periodic

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A shot is a firing with its task.
type shot struct {
	firing
	tick  Tick
	entry broker.Entry
	known bool  // it is there already
	err   error // why there is no task

	ctx  context.Context // in which the task was made
	told func(error)     // tells the tracer whether this scheduler has enqueued it, once
}

// id returns the id of the task of f.
func (f firing) id(name string) string {
	switch {
	case f.backfill != "":
		return backfillID(name, f.backfill, f.at)
	case f.asked:
		return askID(name, f.at)
	}
	return tickID(name, f.at)
}

func (f firing) home(name string) broker.Home {
	if f.backfill != "" {
		return backfillHome(name, f.backfill)
	}
	return homeOf(name)
}

// aim makes the task of f, before which the tasks of cancels are cancelled.
func (r *runner) aim(ctx context.Context, p *plan, f firing, cancels []string) shot {
	shot := shot{firing: f, tick: p.tick(f.at), known: r.exists[f.id(p.Name)]}
	shot.tick.Backfill, shot.tick.Cancels = f.backfill, cancels
	shot.ctx, shot.told = r.traced(ctx, p, f)
	shot.entry, shot.err = r.prepare(shot.ctx, p, shot.tick)
	if shot.err == nil {
		shot.err = r.unfit[f.id(p.Name)]
	}
	if shot.err != nil {
		shot.err = fmt.Errorf("make task: %w", shot.err)
		shot.told(shot.err)
		return shot
	}
	e := &shot.entry
	e.ID, e.Home, e.DueAt = f.id(p.Name), f.home(p.Name), broker.CeilMilli(f.due)
	e.Claim = broker.Claim{} // if a default of the client wants one
	sent, fired := r.s.client.Sending(shot.ctx, e), shot.told
	shot.told = func(err error) { sent(err); fired(err) }
	return shot
}

var errNoTask = errors.New("no task was made")

// prepare makes the task of a tick, as the client would enqueue it.
func (r *runner) prepare(ctx context.Context, p *plan, tick Tick) (broker.Entry, error) {
	made, err := call(ctx, &r.making, func() (*task.Task, error) { return p.make(tick) })
	if err != nil {
		return broker.Entry{}, err
	}
	if made == nil {
		return broker.Entry{}, errNoTask
	}
	if before := r.s.cfg.Before; before != nil {
		r.hook(ctx, "Before", &r.before, func() { before(ctx, tick, made) })
	}
	options := slices.Concat(p.Options, tick.headers())
	return call(ctx, &r.preparing, func() (broker.Entry, error) { return r.s.client.Prepare(ctx, made, options...) })
}

// event returns what is told of a shot.
func (r *runner) event(s shot) Event {
	e := Event{Tick: s.at, At: r.s.now().UTC(), What: TickFired, Queue: s.entry.Queue, ID: s.entry.ID, By: r.s.id}
	switch {
	case s.err != nil:
		e.What, e.Why, e.Queue, e.ID = TickFailed, cut(s.err.Error()), "", ""
	case s.known:
		e.Why = errKnown.Error()
	case s.waits:
		e.What = TickWaits
	}
	if s.by != "" {
		e.Why = "asked for by " + s.by
	}
	return e
}

// cut returns the beginning of a text that is kept in a record.
func cut(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return string([]rune(text[:most])) + "…"
}

// add adds s to c.
func (s shot) add(c *broker.Change) {
	switch {
	case s.err != nil || s.known:
	case s.waits:
		c.Drain = append(c.Drain, s.entry)
	default:
		c.Enqueue = append(c.Enqueue, s.entry)
	}
}

// tell tells the user of a shot that was committed.
func (r *runner) tell(s shot) {
	switch {
	case s.err != nil:
		return
	case s.known:
		s.told(errKnown)
		return
	}
	s.told(nil)
	ctx := s.ctx
	r.s.noteFired(broker.Tick{Entry: r.name, TaskID: s.entry.ID, At: r.s.now()})
	if observe := r.s.client.Observer; observe != nil {
		late := max(r.s.now().Sub(s.due), 0)
		r.hook(ctx, "Observer", &r.after, func() {
			observe(ctx, queue.Event{Kind: queue.EventEnqueued, Entry: s.entry})
			observe(ctx, queue.Event{Kind: queue.EventTicked, Name: r.name, Entry: s.entry, Took: late})
		})
	}
	if after := r.s.cfg.After; after != nil {
		now := r.s.now()
		stored := broker.Stored{Entry: s.entry, State: task.Pending}
		if s.entry.DueAt.After(now) {
			stored.State = task.Scheduled
		}
		r.hook(ctx, "After", &r.after, func() { after(ctx, s.tick, queue.InfoOf(now, stored)) })
	}
}

// report tells the user and the log what is wrong with a tick or an entry.
func (s *Scheduler) report(ctx context.Context, g *gate, tick Tick, err error) {
	s.cfg.Logger.WarnContext(ctx, "periodic entry has trouble", "entry", tick.Entry, "tick", tick.Time, "err", err)
	if s.cfg.OnError == nil {
		return
	}
	if err := do(ctx, g, func() { s.cfg.OnError(ctx, tick, err) }); err != nil {
		s.cfg.Logger.ErrorContext(ctx, "callback does not work", "callback", "OnError", "err", err)
	}
}

func (r *runner) report(ctx context.Context, tick Tick, err error) {
	r.s.report(ctx, &r.failing, tick, err)
}

// hook calls one of the user's functions.
func (r *runner) hook(ctx context.Context, name string, g *gate, f func()) {
	if err := do(ctx, g, f); err != nil {
		r.s.cfg.Logger.ErrorContext(ctx, "callback does not work", "callback", name, "entry", r.name, "err", err)
	}
}
