package periodic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// commitTime is how long a commit may take that has begun, also in a shutdown.
const commitTime = 5 * time.Second

// shoot commits c with next as the record, and what has become of shots.
func (r *runner) shoot(ctx context.Context, p *plan, doc *document, next record, c broker.Change, shots []shot) error {
	for _, s := range shots {
		s.add(&c)
		next = next.noted(r.event(s))
		if !s.asked && s.backfill == "" && s.err == nil {
			next.Fired = s.at.UTC()
		}
	}
	r.resolve()
	r.unsure = shots
	done, err := r.commit(ctx, p, doc, next, c)
	switch {
	case err != nil:
		return err // it is not known what was committed until the record is read
	case !done:
		r.resolve()
		return nil
	}
	r.unsure = nil
	for _, s := range shots {
		r.tell(s)
	}
	return nil
}

// commit writes next as the record, together with c, and reports whether it has. If
// somebody was faster it takes theirs, and returns no error.
func (r *runner) commit(ctx context.Context, p *plan, doc *document, next record, c broker.Change) (bool, error) {
	now := r.s.now().UTC()
	if p.source != FromStore {
		next.Source, next.Spec, next.Kept = p.source, p.spec, now
		c.Close = now.Add(keepUnused + 2*p.period(next.Last))
	}
	if c.List != nil {
		next.Listed = c.List.At
	}
	c.Home, c.Put = homeOf(r.name), []broker.Put{next.put(doc.version)}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	outcome, err := apply(ctx, r.s.broker, now, c)
	if err != nil {
		r.forget()
		return false, fmt.Errorf("commit %s: %w", r.name, err)
	}
	if outcome != nil {
		return false, r.refused(outcome, doc, c)
	}
	clear(r.exists)
	clear(r.unfit)
	clear(r.spared)
	r.most, r.attempts = maxFirings, 0
	r.mu.Lock()
	r.adopted = true
	r.mu.Unlock()
	return true, r.know(document{record: next, version: doc.version + 1})
}

// period returns about how far apart the ticks of p are.
func (p *plan) period(at time.Time) time.Duration {
	one := p.timetable.Next(at)
	two := p.timetable.Next(one)
	if one.IsZero() || two.IsZero() {
		return 0
	}
	return two.Sub(one)
}

// refused learns from what the broker says of a change that it has not made.
func (r *runner) refused(outcome error, doc *document, c broker.Change) error {
	conflict, conflicted := errors.AsType[*broker.ConflictError](outcome)
	exists, there := errors.AsType[*broker.ExistsError](outcome)
	state, stuck := errors.AsType[*broker.StateError](outcome)
	switch {
	case conflicted:
		r.attempts = 0
		r.outdate(doc)
		return r.learn(conflict.Document)
	case there && !r.exists[exists.Entry.ID]:
		r.exists[exists.Entry.ID] = true
	case stuck && !r.spared[state.Entry]:
		r.spared[state.Entry] = true // it has ended, or is parked
	case errors.Is(outcome, broker.ErrNotFound): // what was to be cancelled has ended
	case len(c.Enqueue)+len(c.Drain) > 1:
		r.most = 1 // it is one of them, or that they are too much together
	case len(c.Enqueue)+len(c.Drain) == 1:
		r.unfit[append(c.Enqueue, c.Drain...)[0].ID] = outcome
	default:
		r.forget()
		return fmt.Errorf("commit %s: %w", r.name, outcome)
	}
	return nil
}

// resolve tells the user of what was committed, now that the record says what was.
func (r *runner) resolve() {
	unsure := r.unsure
	r.unsure = nil
	_, _, _, doc := r.state()
	for _, s := range unsure {
		switch {
		case doc != nil && doc.tells(s.entry.ID, r.s.id):
			r.tell(s)
		case s.err == nil:
			s.told(errNotFired)
		}
	}
}

// tells reports whether r says that a task was enqueued, or waits to be, by a scheduler.
func (r record) tells(id, by string) bool {
	for _, e := range r.History {
		if e.ID == id && e.By == by {
			return true
		}
	}
	return false
}

// apply applies one change. An outcome is what the broker says of the change, an error
// that it could not be asked or did not answer.
func apply(ctx context.Context, b broker.Broker, now time.Time, c broker.Change) (outcome, err error) {
	applied, err := b.Apply(ctx, now, []broker.Change{c}, broker.LeaseRequest{})
	switch {
	case errors.Is(err, broker.ErrRefused):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", queue.ErrUnknown, err)
	case len(applied.Outcomes) != 1:
		return nil, fmt.Errorf("%w: broker answered one change with %d outcomes", queue.ErrUnknown, len(applied.Outcomes))
	}
	return applied.Outcomes[0], nil
}
