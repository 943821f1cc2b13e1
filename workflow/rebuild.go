package workflow

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// rebuild has a run go on from what is recorded of it: after a pause, again after its
// end, or after something of it was lost. Its control document says that it goes on;
// so what has ended before that, and has nothing following, is seen here, and what ends
// after it sees to that itself. All that rebuild does may have been done already: it is
// done again without effect.
func (v *visit) rebuild(ctx context.Context) (broker.Change, error) {
	r := &rebuilder{visit: v, open: make(map[string]bool)}
	if err := r.look(ctx); err != nil {
		return broker.Change{}, err
	}
	if r.open[v.about(causeStart).ID] {
		return v.writes(), r.wake(ctx) // it is to begin later
	}
	for _, n := range v.Settling() {
		if err := r.follow(ctx, n); err != nil {
			return broker.Change{}, err
		}
	}
	if r.fatal != nil {
		c := v.writes()
		v.close(&c, Failed, r.fatal)
		return c, nil
	}
	if err := r.apply(ctx); err != nil {
		return broker.Change{}, err
	}
	return v.writes(), r.wake(ctx)
}

// A rebuilder gathers what is to be done.
type rebuilder struct {
	*visit
	open    map[string]bool // ids of the run's open entries
	refs    []broker.EntryRef
	latches []broker.Change
	follows []broker.Change
	fatal   *StepError
}

// look finds out what is open, and then what is recorded: what ends in between is
// seen twice rather than never.
func (r *rebuilder) look(ctx context.Context) error {
	err := r.eachOpen(ctx, func(refs []broker.EntryRef) error {
		for _, ref := range refs {
			r.open[ref.ID] = true
		}
		r.refs = append(r.refs, refs...)
		return nil
	})
	if err != nil {
		return err
	}
	clear(r.values.read)
	clear(r.values.known)
	return r.values.loadAll(ctx)
}

// follow gathers what follows from n: from its outcome, if it has one, or from that of
// its items so far.
func (r *rebuilder) follow(ctx context.Context, n *plan.Node) error {
	state, failure, err := r.values.outcome(ctx, n)
	if err != nil {
		return err
	}
	switch {
	case state == StepWaiting:
		return r.goOn(ctx, n)
	case state.bad() && n.Fatal:
		if r.fatal == nil {
			r.fatal = failure
		}
		return nil
	}
	waits, err := r.waitsForAdditions(ctx, n)
	if err != nil || waits {
		return err
	}
	p := r.graph.follow(n, state)
	if n.Kind == plan.Choice && state == StepDone {
		arm, err := r.values.chosen(ctx, n)
		if err != nil {
			return err
		}
		_, p = r.take(n, arm)
	}
	return r.gather(ctx, p)
}

// goOn gathers what is to be done for a step without an outcome.
func (r *rebuilder) goOn(ctx context.Context, n *plan.Node) error {
	if n.Joins() {
		r.latches = append(r.latches, r.only(broker.Change{Open: []broker.Latch{r.join(n)}}))
	}
	if len(n.Sources) == 0 {
		if err := r.gather(ctx, broker.Part{Enqueue: []broker.Entry{r.entry(n)}}); err != nil {
			return err
		}
	}
	if n.Kind != plan.Map {
		return nil
	}
	m, begun, err := r.values.mapped(ctx, n)
	if err != nil || !begun || m.Epoch != r.control.Epoch {
		return err
	}
	return r.arriveItems(ctx, n, m)
}

// arriveItems gathers the arrivals of those of a map's items that have ended.
func (r *rebuilder) arriveItems(ctx context.Context, n *plan.Node, m mapState) error {
	member := func(i int) int { return i }
	if m.Epoch > 0 {
		missing, err := r.missing(ctx, n, m.Width)
		if err != nil {
			return err
		}
		members := make(map[int]int, len(missing))
		for k, i := range missing {
			members[i] = k
		}
		member = func(i int) int {
			if k, ok := members[i]; ok {
				return k
			}
			return -1
		}
	}
	var arrive []broker.Arrival
	err := r.values.eachItem(ctx, n, m.Width, func(i int, rec record, ok bool) error {
		if k := member(i); ok && k >= 0 && (rec.state == StepDone || m.Epoch == 0) {
			arrive = append(arrive, broker.Arrival{Latch: itemLatch(n, m.Epoch), Member: k, Mark: rec.state.bad()})
		}
		return nil
	})
	for from := 0; from < len(arrive); from += pageSize {
		r.follows = append(r.follows, r.only(broker.Change{Arrive: arrive[from:min(from+pageSize, len(arrive))]}))
	}
	return err
}

// waitsForAdditions reports whether what n has added is still to be waited for, and
// gathers the arrivals of what has ended of it.
func (r *rebuilder) waitsForAdditions(ctx context.Context, n *plan.Node) (bool, error) {
	if n.Kind != plan.Step {
		return false, nil
	}
	records, err := r.values.addedRecords(ctx, n)
	if err != nil || len(records) == 0 {
		return false, err
	}
	waits := false
	for i, rec := range records {
		if rec.state == StepWaiting {
			waits = true
			continue
		}
		arrival := broker.Arrival{Latch: r.addedLatch(n), Member: i, Mark: rec.state.bad()}
		r.follows = append(r.follows, r.only(broker.Change{Arrive: []broker.Arrival{arrival}}))
	}
	return waits, nil
}

// gather takes in entries and arrivals, each in a change of its own, so that what has
// been done does not keep the rest from being done. A step that has an outcome, or
// whose entry is open, is left out.
func (r *rebuilder) gather(ctx context.Context, p broker.Part) error {
	for _, a := range p.Arrive {
		r.follows = append(r.follows, r.only(broker.Change{Arrive: []broker.Arrival{a}}))
	}
	for _, e := range p.Enqueue {
		at := r.place(e.ID)
		state, _, err := r.values.outcome(ctx, at.node)
		if err != nil {
			return err
		}
		if at.cause == causeExpand && state == StepWaiting {
			fed, err := r.fedOf(ctx, at.node)
			if err != nil {
				return err
			}
			if fed {
				continue
			}
		}
		if state == StepWaiting && !r.open[e.ID] {
			c := r.only(broker.Change{Enqueue: []broker.Entry{e}})
			c.Require = append(c.Require, r.values.seen(at.node))
			r.follows = append(r.follows, c)
		}
	}
	return nil
}

// fedOf is fed of another node.
func (r *rebuilder) fedOf(ctx context.Context, n *plan.Node) (bool, error) {
	at := *r.visit
	at.part = part{node: n, item: -1, name: n.Name}
	return at.fed(ctx)
}

// only returns c as a change of the run as it stands.
func (r *rebuilder) only(c broker.Change) broker.Change {
	c.Home, c.Require = r.home, r.writes().Require
	return c
}

// apply makes the changes: the latches first.
func (r *rebuilder) apply(ctx context.Context) error {
	for _, changes := range [][]broker.Change{r.latches, r.follows} {
		for from := 0; from < len(changes); from += 100 {
			outcomes, err := r.commit(ctx, changes[from:min(from+100, len(changes))]...)
			if err != nil {
				return fmt.Errorf("go on with %s: %w", r.graph, err)
			}
			for _, outcome := range outcomes {
				switch {
				case outcome == nil, errors.Is(outcome, broker.ErrExists):
				case isPassing(outcome):
					return fmt.Errorf("go on with %s: %w: %w", r.graph, outcome, task.Snooze(0))
				default:
					return fmt.Errorf("go on with %s: %w", r.graph, outcome)
				}
			}
		}
	}
	return nil
}

// maxWoken is how many of the entries that fell asleep in a pause are woken at its
// end; the rest wakes by itself.
const maxWoken = 1000

// wake has what fell asleep in a pause run now.
func (r *rebuilder) wake(ctx context.Context) error {
	if r.control.Epoch > 0 && len(r.refs) < 2 {
		return nil
	}
	var moves []broker.Move
	for _, ref := range r.refs[:min(maxWoken, len(r.refs))] {
		e, err := r.running.Broker().Entry(ctx, ref)
		if errors.Is(err, broker.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("wake what is open of %s: %w", r.graph, err)
		}
		if e.State == task.Retry && strings.Contains(e.LastErr, pausedText) {
			moves = append(moves, broker.Move{EntryRef: ref, Do: broker.Run})
		}
	}
	return r.move(ctx, moves)
}
