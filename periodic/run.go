package periodic

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/leatwork/leat/internal/loop"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	// longestSleep is after how long a runner looks at the clock again, which may have
	// been set.
	longestSleep = time.Minute

	retryLeast = 50 * time.Millisecond
	retryMost  = 5 * time.Second
)

// A runner runs one entry: it sleeps until a tick is due, decides, and commits that. All
// else that happens to the entry it learns from the record.
type runner struct {
	s    *Scheduler
	name string
	stop context.CancelFunc
	wake chan struct{}

	mu      sync.Mutex
	own     *plan     // of this process; nil: none
	since   time.Time // ticks until then are nobody's, if the record does not say more: when this process first knew own, or what another has decided
	adopted bool      // the record has been made to describe it
	stored  *plan     // nil: none, or it is not valid
	doc     *document // nil: it is to be read

	// Of its own goroutine.
	exists   map[string]bool          // ids of tasks that are there already
	unfit    map[string]error         // ids of tasks that the storage does not take
	spared   map[broker.EntryRef]bool // what cannot be cancelled
	most     int                      // tasks to enqueue in one commit
	attempts int                      // that did not make all tasks, since something was decided
	unsure   []shot                   // that may have been committed
	clashed  bool                     // it was told that a stored entry has the name

	making, preparing, before, after, failing gate
}

func newRunner(s *Scheduler, name string, p *plan, stop context.CancelFunc) *runner {
	r := &runner{s: s, name: name, stop: stop, wake: make(chan struct{}, 1), most: maxFirings}
	r.exists, r.unfit, r.spared = make(map[string]bool), make(map[string]error), make(map[broker.EntryRef]bool)
	r.own, r.since = p, s.now()
	return r
}

// run runs the entry until ctx ends.
func (r *runner) run(ctx context.Context) {
	backoff := loop.Backoff{Min: retryLeast, Max: retryMost}
	complaints := loop.Complaints(ctx)
	loop.Woken(ctx, r.s.cfg.Logger, "periodic entry "+r.name, r.wake, func(ctx context.Context) (time.Duration, error) {
		wait, err := r.turn(ctx)
		if err == nil {
			backoff.Reset()
			return wait, nil
		}
		if ctx.Err() == nil && complaints.Allow(time.Now()) {
			r.report(ctx, Tick{Entry: r.name}, err)
		}
		return backoff.Next(), nil
	})
}

// turn does what is to be done now, and returns how long to wait until more is.
func (r *runner) turn(ctx context.Context) (time.Duration, error) {
	p, since, adopted, doc := r.state()
	r.clash(ctx)
	switch {
	case doc == nil:
		return 0, r.load(ctx)
	case p == nil:
		return longestSleep, nil // until there is one again, or it is dropped
	case doc.version == 0, !doc.Removed.IsZero():
		return 0, r.introduce(ctx, p, doc, since)
	case !adopted:
		return 0, r.adopt(ctx, p, doc, since)
	}
	m := moment{now: r.s.now(), since: since, most: r.most}
	v := p.decide(doc.record, m)
	if !v.idle() {
		return r.carryOut(ctx, p, doc, v, m.now)
	}
	if wait, under, err := r.fill(ctx, p, doc); under || err != nil {
		return min(wait, v.wait(m.now)), err
	}
	if p.source != FromStore && m.now.After(doc.Kept.Add(renewAfter)) {
		_, err := r.commit(ctx, p, doc, doc.record, broker.Change{})
		return 0, err
	}
	return v.wait(m.now), nil
}

// rouse has the runner look.
func (r *runner) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// introduce makes the entry known. Its ticks until then are nobody's.
func (r *runner) introduce(ctx context.Context, p *plan, doc *document, since time.Time) error {
	now := r.s.now().UTC()
	made := record{Known: now, Last: since.UTC(), Listed: doc.Listed}.noted(r.changed(p, EntryAdded, now))
	_, err := r.commit(ctx, p, doc, made, broker.Change{List: made.listing(now)})
	return err
}

// adopt has the record describe p. If p has other ticks than what it described, those
// until it was known are nobody's.
func (r *runner) adopt(ctx context.Context, p *plan, doc *document, since time.Time) error {
	changed := doc.record.noted(r.changed(p, EntryChanged, r.s.now().UTC()))
	changed.Last = p.base(doc.record, since).UTC()
	_, err := r.commit(ctx, p, doc, changed, broker.Change{})
	return err
}

func (r *runner) changed(p *plan, what What, now time.Time) Event {
	return Event{Tick: now, At: now, What: what, Why: "from " + string(p.source), By: r.s.id}
}

// clash tells that what this process has of that name is not run, because another is
// stored.
func (r *runner) clash(ctx context.Context) {
	r.mu.Lock()
	clash := r.own != nil && r.doc.isStored()
	r.mu.Unlock()
	if clash && !r.clashed {
		r.report(ctx, Tick{Entry: r.name}, &ExistsError{Entry: r.name, Source: FromStore})
	}
	r.clashed = clash
}

// carryOut commits v, and says how long to wait if that is to be tried again.
func (r *runner) carryOut(ctx context.Context, p *plan, doc *document, v verdict, now time.Time) (time.Duration, error) {
	var open []broker.EntryRef
	if p.Overlap.needsOpen(v.fire) {
		var err error
		if open, err = r.open(ctx, homeOf(r.name), maxFirings); err != nil {
			return 0, err
		}
	}
	v = p.Overlap.overlap(v, r.describe(ctx, p, open), now)
	var c broker.Change
	var cancels []string
	if p.Overlap == CancelPrevious && len(v.fire) > 0 {
		c.Move = r.cancel(open)
		var err error
		if cancels, err = r.cancels(ctx, c.Move, now); err != nil {
			return 0, err
		}
	}
	shots := r.aimAll(ctx, p, v.fire, cancels)
	if again := r.failed(ctx, shots); again > 0 {
		return again, nil
	}
	return 0, r.shoot(ctx, p, doc, v.apply(doc.record), c, shots)
}

// describe says what is open, for the history.
func (r *runner) describe(ctx context.Context, p *plan, open []broker.EntryRef) (texts []string) {
	for i, ref := range open {
		text := ref.ID + " is open"
		if i == 0 && p.Overlap == SkipOverlap { // which tells of it
			if e, err := r.s.broker.Entry(ctx, ref); err == nil && e.State == task.Archived {
				text = ref.ID + " is parked"
			}
		}
		texts = append(texts, text)
	}
	return texts
}

// cancel returns the moves that cancel what is open.
func (r *runner) cancel(open []broker.EntryRef) (moves []broker.Move) {
	for _, ref := range open {
		if !r.spared[ref] {
			moves = append(moves, broker.Move{EntryRef: ref, Do: broker.Cancel})
		}
	}
	return moves
}

// cancels returns the ids of what is cancelled by moves, and before them of what those
// were to make way for in turn that have not begun. If they are many it leaves some out
// before the last one.
func (r *runner) cancels(ctx context.Context, moves []broker.Move, now time.Time) (ids []string, err error) {
	for _, m := range moves[:min(len(moves), maxCancels)] {
		e, err := r.s.broker.Entry(ctx, m.EntryRef)
		if err != nil && !errors.Is(err, broker.ErrNotFound) {
			return nil, fmt.Errorf("read %s: %w", m.EntryRef, err)
		}
		waits := e.State == task.Pending || e.State == task.Retry || e.State == task.Scheduled && !e.DueAt.After(now)
		if tick, ok := tickOf(e.Headers); ok && waits {
			ids = append(ids, tick.Cancels...)
		}
		ids = append(ids, m.ID)
	}
	if len(ids) > maxCancels {
		ids = slices.Delete(ids, maxCancels-1, len(ids)-1)
	}
	return ids, nil
}

// open returns what is open of a home, not many more than most.
func (r *runner) open(ctx context.Context, home broker.Home, most int) (open []broker.EntryRef, err error) {
	req := broker.OpenRequest{Home: home, Limit: most}
	for {
		page, err := r.s.broker.OpenEntries(ctx, req)
		if err != nil {
			return nil, fmt.Errorf("open tasks of %s: %w", home.ID, err)
		}
		open = append(open, page.Entries...)
		if req.After = page.Next; page.Next == "" || len(open) >= most {
			return open, nil
		}
	}
}

// aimAll makes the tasks of firings, before which the tasks of cancels are cancelled.
func (r *runner) aimAll(ctx context.Context, p *plan, fire []firing, cancels []string) (shots []shot) {
	for _, f := range fire {
		shots = append(shots, r.aim(ctx, p, f, cancels))
	}
	return shots
}

// failed returns how long to wait before the tasks that could not be made are tried
// again; 0: that was tried often enough, or there are none.
func (r *runner) failed(ctx context.Context, shots []shot) time.Duration {
	bad := false
	for _, s := range shots {
		if s.err == nil {
			continue
		}
		if bad = true; ctx.Err() == nil {
			r.report(ctx, s.tick, s.err)
		}
	}
	if !bad {
		return 0
	}
	again := retryLeast // whoever goes on tries anew
	if ctx.Err() == nil {
		if r.attempts++; r.attempts == Attempts {
			r.attempts = 0
			return 0
		}
		clear(r.unfit) // the storage may take them by then
		again = time.Duration(r.attempts) * time.Second
	}
	for _, s := range shots {
		if s.err == nil {
			s.told(errNotFired) // this time
		}
	}
	return again
}
