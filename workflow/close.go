package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// expire closes the run because its deadline has passed.
func (v *visit) expire(context.Context) (broker.Change, error) {
	c := v.writes()
	v.close(&c, TimedOut, nil)
	return c, nil
}

// stop ends what is open of a run that closes. Nothing of it begins any more, as
// its control document says so; so what is open now is all there will be. What is
// being run is asked to stop, and waited for.
func (v *visit) stop(ctx context.Context) (broker.Change, error) {
	err := v.endOpen(ctx, func(p part) broker.Act {
		switch p.cause {
		case causeChild, causeLost, causeJoined:
			return broker.Run // they may be asleep, and end or tell of what they are about
		case causeStop, causeClose:
			return 0
		}
		return p.drop()
	})
	c := v.writes()
	c.Drain = []broker.Entry{v.about(causeClose)}
	return c, err
}

// halt ends what is open of a map's items, if so many have failed that it goes no
// further, or if it could not be fed.
func (v *visit) halt(ctx context.Context) (broker.Change, error) {
	_, ended, err := v.values.recorded(ctx, v.key(v.node))
	if err != nil {
		return v.writes(), err
	}
	latches, err := v.running.Broker().Latches(ctx, v.home, itemLatch(v.node, v.control.Epoch))
	if err != nil || !ended && !latches[0].Stopped {
		return v.writes(), err
	}
	return v.writes(), v.endOpen(ctx, func(p part) broker.Act {
		if p.node != v.node || p.item < 0 || p.cause != "" && p.cause != causeChild {
			return 0
		}
		return p.drop()
	})
}

// dropLosers ends what is open of those that were not first, and of all that only
// they need.
func (v *visit) dropLosers(ctx context.Context, winner int) error {
	loses := make([]bool, len(v.Nodes))
	for i := v.node.Index - 1; i >= 0; i-- {
		n := v.Nodes[i]
		loses[i] = n.Kind.Settles() && i != winner && len(n.Consumers) > 0
		for _, e := range n.Consumers {
			loses[i] = loses[i] && (e.Node == v.node.Index || loses[e.Node] || e.Maybe && v.Nodes[e.Node] == v.End())
		}
	}
	return v.endOpen(ctx, func(p part) broker.Act {
		if p.node == nil || !loses[p.node.Index] || p.cause != "" && p.cause != causeChild && p.cause != causeTimer {
			return 0
		}
		return p.drop()
	})
}

// drop returns what is done to an entry that nobody wants any more. That of a step that
// can be undone is kept until it is known whether it had begun.
func (p part) drop() broker.Act {
	if p.cause == "" && p.node != nil && p.node.Reversible() {
		return broker.Archive
	}
	return broker.Delete
}

// endOpen does to the open entries of the run what want says; 0 is nothing. What
// was to be ended and is being run is asked to stop.
func (v *visit) endOpen(ctx context.Context, want func(part) broker.Act) error {
	return v.eachOpen(ctx, func(refs []broker.EntryRef) error {
		var moves []broker.Move
		for _, ref := range refs {
			if ref == v.lease.Entry.EntryRef {
				continue
			}
			if act := want(v.place(ref.ID)); act != 0 {
				moves = append(moves, broker.Move{EntryRef: ref, Do: act})
			}
		}
		return v.move(ctx, moves)
	})
}

// eachOpen calls f with the open entries of the run, page by page.
func (v *visit) eachOpen(ctx context.Context, f func([]broker.EntryRef) error) error {
	r := broker.OpenRequest{Home: v.home, Limit: pageSize}
	for {
		page, err := v.running.Broker().OpenEntries(ctx, r)
		if err != nil {
			return fmt.Errorf("look for what is open of %s: %w", v.graph, err)
		}
		if err := f(page.Entries); err != nil {
			return err
		}
		if r.After = page.Next; r.After == "" {
			return nil
		}
	}
}

// move makes moves, each as far as the entry is in a state for it.
func (v *visit) move(ctx context.Context, moves []broker.Move) error {
	if len(moves) == 0 {
		return nil
	}
	tried, err := v.tried(ctx, moves)
	if err != nil {
		return err
	}
	changes := make([]broker.Change, len(moves))
	for i, m := range moves {
		changes[i] = broker.Change{Move: []broker.Move{m}}
	}
	outcomes, err := v.commit(ctx, changes...)
	if err != nil {
		return fmt.Errorf("end what is open of %s: %w", v.graph, err)
	}
	var active []broker.Move
	for i, outcome := range outcomes {
		state, refused := errors.AsType[*broker.StateError](outcome)
		switch {
		case outcome == nil:
			v.endTried(tried[moves[i].EntryRef], StepCancelled)
		case errors.Is(outcome, broker.ErrNotFound):
		case !refused:
			return fmt.Errorf("end what is open of %s: %w", v.graph, outcome)
		case state.State == task.Active && moves[i].Do != broker.Run:
			active = append(active, broker.Move{EntryRef: moves[i].EntryRef, Do: broker.Cancel})
		}
	}
	return v.move(ctx, active)
}

// tried returns those entries of steps, that are to be ended, which may have been tried: a
// tracer is told of them. Without one they are not looked for.
func (v *visit) tried(ctx context.Context, moves []broker.Move) (map[broker.EntryRef]*broker.Stored, error) {
	if v.tracer == nil || v.control.Trace == nil {
		return nil, nil
	}
	found := make(map[broker.EntryRef]*broker.Stored)
	for _, m := range moves {
		if m.Do != broker.Delete && m.Do != broker.Archive || v.place(m.ID).cause != "" && v.place(m.ID).cause != causeUndo {
			continue
		}
		e, err := v.running.Broker().Entry(ctx, m.EntryRef)
		if errors.Is(err, broker.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read entry %s: %w", m.EntryRef, err)
		}
		if e.State != task.Active {
			found[m.EntryRef] = &e
		}
	}
	return found, nil
}

// endTried tells a tracer that an entry of a step, if it is not nil, has ended otherwise
// than by an attempt.
func (v *visit) endTried(e *broker.Stored, state StepState) {
	if e == nil || v.tracer == nil {
		return
	}
	at := *v
	at.part, at.lease.Entry = v.place(e.ID), e.Entry
	if at.node == nil {
		return
	}
	s := at.tracedPart()
	s.State, s.Ended, s.Headers = state, time.Now(), e.Headers
	v.tracer.EndStep(v.ctx, v.traced(), s)
}

// closeDown ends a run of which nothing is open any more, or begins to undo it.
func (v *visit) closeDown(ctx context.Context) (broker.Change, error) {
	c := v.writes()
	list, err := v.undoable(ctx)
	switch {
	case err != nil:
		return c, err
	case len(list) == 0:
		v.end(&c, v.control.closed())
		return c, v.endWaits(ctx)
	default:
		next := v.control.with(Undoing, fmt.Sprintf("%d steps", len(list)))
		next.Undone = true
		v.turn(&c, next)
		c.Enqueue = append(c.Enqueue, v.about(causeUnwind))
	}
	return c, nil
}

// endWaits tells a tracer of what still waits in a run that ends.
func (v *visit) endWaits(ctx context.Context) error {
	if v.tracer == nil {
		return nil
	}
	for _, n := range v.Nodes {
		if n.Wait == nil {
			continue
		}
		wait, begun, err := v.values.waited(ctx, n)
		if err != nil {
			return err
		}
		if state, _, err := v.values.outcome(ctx, n); err != nil {
			return err
		} else if begun && state == StepWaiting {
			v.endWait(n, StepCancelled, wait.Since)
		}
	}
	return nil
}

// lose decides what follows from an entry that has ended otherwise than by its own
// settlement. Nothing does if somebody has it run again meanwhile, or had.
func (v *visit) lose(ctx context.Context) (broker.Change, error) {
	c := v.writes()
	switch {
	case v.node.Kind == plan.First && v.control.State == Running:
		return v.findFirst(ctx) // which the entry was to do
	case v.node.Kind == plan.First:
		return c, nil
	}
	if v.standsForRun() {
		child, err := v.loseChild(ctx)
		switch {
		case err != nil, child != "" && !child.Ended():
			return c, err
		case child != "" && !v.control.State.Ended():
			return v.joinChild(ctx)
		}
	}
	if v.control.State.Ended() {
		return c, nil
	}
	failure, state, begun, err := v.loss(ctx)
	if err != nil || failure == nil {
		return c, err
	}
	if err := v.noteLost(ctx, state); err != nil {
		return c, err
	}
	r := failedRecord(state, *failure)
	if v.node.Reversible() {
		doubt, err := v.values.document(ctx, v.doubtKey(v.node, v.item))
		if err != nil {
			return c, err
		}
		r.unknown = begun || doubt.Version > 0
		if v.control.State == Closing {
			c.Move = append(c.Move, broker.Move{EntryRef: v.subject(), Do: broker.Delete}) // see drop
		}
	}
	if v.node == v.End() {
		if v.control.State == Running {
			v.close(&c, Failed, failure)
		}
		return c, nil
	}
	v.settleFailure(&c, r)
	return c, nil
}

// noteLost notes that a step has ended of which nobody else tells a tracer.
func (v *visit) noteLost(ctx context.Context, state StepState) error {
	if v.tracer == nil || v.node == v.End() || v.node.Unit == nil || v.node.Unit.Workflow {
		return nil
	}
	e, err := v.running.Broker().Entry(ctx, v.subject())
	gone := errors.Is(err, broker.ErrNotFound)
	if err != nil && !gone {
		return fmt.Errorf("read entry %s: %w", v.subject(), err)
	}
	told := false
	if gone || e.End == 0 {
		told, err = v.swept(ctx)
	}
	if told || err != nil {
		return err
	}
	s := v.tracedPart()
	s.Queue, s.State, s.Ended, s.Headers = v.subject().Queue, state, time.Now(), e.Headers
	v.news.steps = append(v.news.steps, s)
	return nil
}

// swept reports whether the entry was ended by the run itself, which has told of that: as
// it closes, its map goes no further, or another was first.
func (v *visit) swept(ctx context.Context) (bool, error) {
	if v.control.State != Running {
		return true, nil
	}
	if v.node.Kind == plan.Map && v.item >= 0 {
		latches, err := v.running.Broker().Latches(ctx, v.home, itemLatch(v.node, v.control.Epoch))
		if err != nil || latches[0].Stopped {
			return true, err
		}
	}
	for _, n := range v.Nodes {
		if n.Kind != plan.First || !n.Losers {
			continue
		}
		if state, _, err := v.values.outcome(ctx, n); err != nil || state == StepDone {
			return true, err
		}
	}
	return false, nil
}

// loss returns why what was lost has failed, or nil if it has not, and whether it
// had begun.
func (v *visit) loss(ctx context.Context) (failure *StepError, state StepState, begun bool, err error) {
	if settled, err := v.settledAlready(ctx); settled || err != nil {
		return nil, 0, false, err
	}
	failure = &StepError{Step: v.node.Name, Item: v.item}
	ref := v.subject()
	entry, err := v.running.Broker().Entry(ctx, ref)
	switch {
	case errors.Is(err, broker.ErrNotFound):
		failure.Message = "was deleted before it was done"
		return failure, StepCancelled, true, nil // nobody knows
	case err != nil:
		return nil, 0, false, fmt.Errorf("read entry %s: %w", ref, err)
	case !entry.State.Ended():
		return nil, 0, false, nil
	}
	clear(v.values.read) // it may have been done while the entry was looked for
	if settled, err := v.settledAlready(ctx); settled || err != nil {
		return nil, 0, false, err
	}
	begun = mayHaveBegun(entry)
	switch entry.End {
	case 0:
		failure.Message = "was archived by hand"
		return failure, StepCancelled, begun, nil
	case broker.Cancelled:
		failure.Message = "was cancelled"
		return failure, StepCancelled, begun, nil
	}
	failure.Message = "was archived as " + entry.End.String()
	if entry.LastErr != "" {
		failure.Message += ": " + entry.LastErr
	}
	return failure, StepFailed, begun, nil
}

// mayHaveBegun reports whether an entry that has ended may have left a step half done:
// it was stopped in the midst of it, or its worker died.
func mayHaveBegun(e broker.Stored) bool {
	died := func(a broker.Attempt) bool { return a.Err == broker.LeaseRanOut }
	return e.End == broker.Cancelled || e.Crashes > 0 || slices.ContainsFunc(e.Attempts, died)
}

// settledAlready reports whether what was lost has an outcome all the same.
func (v *visit) settledAlready(ctx context.Context) (bool, error) {
	switch {
	case v.added:
		_, ok, err := v.values.recorded(ctx, v.addedKey(v.node, v.item))
		return ok, err
	case v.node.Kind == plan.Map && v.item >= 0:
		r, ok, err := v.values.recorded(ctx, v.unitKey(v.node, v.item))
		return ok && (r.state == StepDone || v.control.Epoch == 0), err
	case v.node.Kind == plan.Loop && v.item >= 0:
		return v.roundOver(ctx)
	case v.node.Kind == plan.Map:
		return v.fed(ctx)
	}
	state, _, err := v.values.outcome(ctx, v.node)
	return state != StepWaiting, err
}

// subject names the entry that was lost.
func (v *visit) subject() broker.EntryRef {
	switch {
	case v.added, v.item >= 0:
		if v.node.Unit.Workflow && !v.added {
			return v.decision(causeChild, v.name).EntryRef
		}
		queue := v.node.Unit.Queue
		if v.added {
			queue = v.lease.Entry.Headers[addedQueue]
		}
		return broker.EntryRef{Queue: queue, ID: v.root() + v.name}
	}
	return v.entry(v.node).EntryRef
}
