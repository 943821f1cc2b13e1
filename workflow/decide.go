package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// The causes of decides: what the engine's own entries are for.
const (
	causeStart    = "start"    // begin a run that was started for later
	causeExpand   = "expand"   // feed a map with its elements
	causeChoose   = "choose"   // take an arm
	causeFirst    = "first"    // one of those that first waits for has ended
	causeLoop     = "loop"     // go round for the first time
	causeResolve  = "resolve"  // find out whether a step can begin
	causeWait     = "wait"     // begin to wait, for a time or a signal
	causeTimer    = "timer"    // the time has come
	causeSignal   = "signal"   // a signal was sent
	causeChild    = "child"    // carry out a run within the run
	causeJoined   = "joined"   // that run has ended
	causeLost     = "lost"     // an entry has ended otherwise than by its own settlement
	causeHalt     = "halt"     // a map goes no further
	causeAdded    = "added"    // a step that was added has failed
	causeEnd      = "end"      // all is done
	causeDeadline = "deadline" // the run is too late
	causeStop     = "stop"     // end what is open of a run that closes
	causeClose    = "close"    // nothing is open any more
	causeUnwind   = "unwind"   // begin to undo what was done
	causeUndo     = "undo"     // undo a step
	causeUndoLost = "undolost" // the entry that was to undo a step has gone
	causeUndone   = "undone"   // all that was to be undone is, or something could not be
	causeRebuild  = "rebuild"  // go on after a pause, or again after the end
)

// ofRuns are the causes of decides that are about a whole run, or that find out
// themselves what they are about.
var ofRuns = map[string]bool{
	causeStart: true, causeDeadline: true, causeStop: true, causeClose: true, causeUnwind: true, causeUndone: true,
	causeRebuild: true, causeSignal: true,
}

// closers are the causes that are wanted by runs that are not running, and in
// which states they are.
var closers = map[string][]State{
	causeChild:    {Closing},
	causeJoined:   {Paused, Closing},                            // the run within it is not kept for ever
	causeLost:     {Closing, Done, Failed, Cancelled, TimedOut}, // a run within it may go on
	causeDeadline: {Paused},
	causeStop:     {Closing},
	causeClose:    {Closing},
	causeUnwind:   {Undoing},
	causeUndo:     {Undoing},
	causeUndoLost: {Undoing},
	causeUndone:   {Undoing},
}

// A decideHandler runs a workflow's own entries.
type decideHandler struct{ engine *engine }

// ProcessTask decides what its entry asks for.
func (h decideHandler) ProcessTask(ctx context.Context, t *task.Task) error {
	running, ok := queue.FromContext(ctx)
	if !ok {
		return fmt.Errorf("decide %s: no lease in the context: %w", t.Type(), task.SkipRetry)
	}
	began := time.Now()
	v, err := h.engine.visit(ctx, running)
	if err != nil {
		return err
	}
	decide := v.decider()
	if decide == nil {
		return fmt.Errorf("decide %s: unknown cause %q: %w", v.lease.Entry, v.cause, task.SkipRetry)
	}
	v.running.OnSettle(v.abandon)
	c, err := decide(ctx)
	if err != nil {
		return stalled(err)
	}
	if v.tracer != nil {
		v.news.decided = began
	}
	v.conclude(c)
	return nil
}

// A decider computes a change. Its error is the task's.
type decider func(context.Context) (broker.Change, error)

func (v *visit) decider() decider {
	switch v.cause {
	case causeStart:
		return v.start
	case causeExpand:
		return v.expand
	case causeChoose:
		return v.choose
	case causeFirst:
		return v.findFirst
	case causeLoop:
		return v.beginLoop
	case causeResolve:
		return v.resolve
	case causeWait:
		return v.beginWait
	case causeTimer:
		return v.ring
	case causeSignal:
		return v.hear
	case causeChild:
		return v.tendChild
	case causeJoined:
		return v.joinChild
	case causeLost:
		return v.lose
	case causeHalt:
		return v.halt
	case causeAdded:
		return v.failAdded
	case causeEnd:
		return v.finish
	case causeDeadline:
		return v.expire
	case causeStop:
		return v.stop
	case causeClose:
		return v.closeDown
	case causeUnwind:
		return v.unwind
	case causeUndoLost:
		return v.loseUndo
	case causeUndone:
		return v.endUndo
	case causeRebuild:
		return v.rebuild
	}
	return nil
}

// conclude has c committed with the settlement of the decide. If that is refused
// because something has changed meanwhile, it is decided anew.
func (v *visit) conclude(c broker.Change) {
	var learned refusals
	good := v.news
	v.running.OnSettle(func(s broker.Settlement, refused error) broker.Change {
		v.untold()
		if s.To != broker.Done && s.To != broker.Completed {
			return v.abandon(s, refused)
		}
		if refused != nil {
			conflict := errors.Is(refused, broker.ErrConflict)
			if !conflict && v.learn(&learned, refused) == impossible {
				s.To, s.Failed, s.Entry.LastErr = broker.Archived, true, refused.Error()
				return v.abandon(s, nil)
			}
			if conflict {
				s.To, s.At = broker.Retry, time.Now()
				return broker.Change{Settle: []broker.Settlement{s}}
			}
		}
		done := c
		done.Settle = []broker.Settlement{s}
		learned.apply(&done)
		v.news = good
		v.told()
		return done
	})
}

// abandon settles a decide that has failed. If it was for good the step fails that it
// was to begin, and of any other the run.
func (v *visit) abandon(s broker.Settlement, refused error) broker.Change {
	v.untold()
	if refused != nil {
		var none refusals
		if v.learn(&none, refused) != again {
			return broker.Change{Settle: []broker.Settlement{s}}
		}
	}
	switch {
	case s.To == broker.Archived && ofRuns[v.cause] && (v.control.State == Closing || v.control.State == Undoing):
		c := v.change(s)
		v.strand(&c, s.Entry.LastErr) // nobody else goes on with it
		v.told()
		return c
	case s.To != broker.Archived || !v.control.State.open():
		return broker.Change{Settle: []broker.Settlement{s}}
	}
	c := v.change(s)
	if !slices.Contains(beginners, v.cause) {
		v.close(&c, Failed, &StepError{Step: v.blamed(), Item: -1, Message: reason(s.Entry.LastErr)})
		return c
	}
	v.settleFailure(&c, failedRecord(StepFailed, StepError{Step: v.node.Name, Item: v.item, Message: reason(s.Entry.LastErr)}))
	switch v.cause {
	case causeExpand:
		c.Enqueue = append(c.Enqueue, v.decision(causeHalt, v.node.Name)) // a part of it may have been fed
	case causeJoined:
		c.Move = append(c.Move, v.dismissal())
	}
	return c
}

// beginners are the causes of decides that are a step's, so that their failure is its.
var beginners = []string{causeExpand, causeChoose, causeLoop, causeWait, causeChild, causeJoined}

// blamed returns the name of the step that a decide is about.
func (v *visit) blamed() string {
	if v.node == v.End() {
		return ""
	}
	return v.node.Name
}

// commit applies changes, and returns what came of each.
func (v *visit) commit(ctx context.Context, changes ...broker.Change) ([]error, error) {
	applied, err := v.running.Broker().Apply(ctx, time.Now(), changes, broker.LeaseRequest{})
	if err == nil && len(applied.Outcomes) != len(changes) {
		err = fmt.Errorf("broker answered %d changes with %d outcomes", len(changes), len(applied.Outcomes))
	}
	return applied.Outcomes, err
}

// finish ends the run with its result.
func (v *visit) finish(ctx context.Context) (broker.Change, error) {
	c := v.writes()
	state, failure, err := v.values.ready(ctx, v.node)
	switch {
	case err != nil:
		return c, err
	case state.bad():
		v.close(&c, Failed, failure)
		return c, nil
	case state != StepDone:
		return c, fmt.Errorf("the end of %s is %s: %w", v.graph, state, task.SkipRetry)
	}
	r, err := v.resultRecord(ctx)
	if err != nil {
		return c, err
	}
	c.Quota = v.Terms.MaxRun
	c.Put = append(c.Put, broker.Put{Key: resultKey, Body: r.encode(), If: broker.AnyVersion})
	v.end(&c, v.control.done())
	return c, nil
}

// resolve finds out what becomes of a step of whose inputs one has failed, or was
// skipped, or that may do without it.
func (v *visit) resolve(ctx context.Context) (broker.Change, error) {
	c, n := v.writes(), v.node
	if state, _, err := v.values.outcome(ctx, n); err != nil || n.Kind != plan.Map && state != StepWaiting {
		return c, err
	}
	state, failure, err := v.values.ready(ctx, n)
	if err == nil && n.Kind == plan.Map && state == StepDone {
		state, failure, err = v.values.mapOutcome(ctx, n)
	}
	switch {
	case err != nil:
		return c, err
	case n.Kind == plan.End && state.bad():
		v.close(&c, Failed, failure)
	case state.bad():
		v.record(&c, n, failedRecord(StepFailed, because(n, failure)))
	case state == StepSkipped:
		v.record(&c, n, skippedRecord())
	case state == StepDone && n.Kind == plan.Gate:
		v.record(&c, n, doneRecord(nil))
	case state == StepDone:
		c.Enqueue = append(c.Enqueue, v.entry(n))
	}
	return c, nil
}

// because returns the failure of n for that of something it needs.
func because(n *plan.Node, cause *StepError) StepError {
	if cause == nil {
		return StepError{Step: n.Name, Item: -1, Message: "failed"}
	}
	return *cause
}
