package workflowtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest/model"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// CrashBefore has the worker die when a step of this name has returned, before what has
// come of it is recorded; for a map that is one of its items. Once its lease has run
// out, after ten seconds, the step is run again by the worker that takes its place.
//
// The name is that of the step in a workflow, or of the step itself; so an undoing has
// the name of the step that undoes. It fails the test if there is none of it, or if it
// has not come to that when the test ends. Each call is for one crash.
func (e *Engine) CrashBefore(step string) { e.t.Helper(); e.plan(step, false) }

// CrashAfter is [Engine.CrashBefore], except that the worker dies right after what has
// come of the step is recorded, and what that made ready with it. The step is not run
// again, unless it failed and is to be retried.
func (e *Engine) CrashAfter(step string) { e.t.Helper(); e.plan(step, true) }

func (e *Engine) plan(step string, after bool) {
	e.t.Helper()
	if !e.nodes[step] {
		e.t.Fatalf("workflowtest: the engine's workflows do not have step %q", step)
	}
	e.expect(&crash{what: step, after: after, at: func(c commit, _ int) bool { return c.step == step || c.typ == step }})
}

// CrashEverywhere runs test with an engine of its own as often as it takes for the
// worker to die once before and once after everything that it commits to storage, be it
// a step's outcome or a decision of the engine's; and first of all without that, and
// last, since only then it knows that there is no more. Each is a subtest of t, in a
// bubble of package testing/synctest, and logs what was committed when the worker died.
//
// It finds out whether a program bears that steps are run more than once: test has to
// come to the same end each time. What test counts must be its own.
func CrashEverywhere(t *testing.T, test func(*testing.T, *Engine), flows ...workflow.Registrable) {
	t.Helper()
	if !t.Run("no crash", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, New(t, flows...)) })
	}) {
		return
	}
	for i, more := 0, true; more; i++ { // workers are not always equally fast, so that their commits are counted anew
		more = false
		for _, after := range []bool{false, true} {
			c := &crash{after: after, maybe: true, at: func(_ commit, n int) bool { return n == i }}
			t.Run(fmt.Sprintf("%v commit %d", c, i+1), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					e := New(t, flows...)
					e.expect(c)
					test(t, e)
				})
			})
			more = more || c.come
		}
		if i == 0 && !more {
			t.Error("workflowtest.CrashEverywhere: the test has no run carried out")
		}
	}
}

// A crash is the death of a worker that is to come.
type crash struct {
	after bool
	what  string                     // the step or commit
	at    func(c commit, n int) bool // whether this, the n-th commit, is the one
	maybe bool                       // it need not come
	come  bool
}

// String says when.
func (c *crash) String() string {
	if c.after {
		return strings.TrimSpace("after " + c.what)
	}
	return strings.TrimSpace("before " + c.what)
}

// expect has the worker die.
func (e *Engine) expect(c *crash) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.crashes = append(e.crashes, c)
}

// demandCrashes fails the test for crashes that have not come.
func (e *Engine) demandCrashes() {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.crashes {
		switch {
		case c.come && c.maybe:
			e.t.Logf("workflowtest: a worker died %v", c)
		case !c.come && !c.maybe:
			e.t.Errorf("workflowtest: the crash %v has not come", c)
		}
	}
}

// A commit is what is to be recorded of one entry of a run.
type commit struct {
	step string // that it is about, "" if none
	typ  string // of the task
	what string
}

// commitOf reads the id of an entry, which is run~tag~step, run~tag~step~item, or
// run~tag~~cause~step.
func commitOf(e broker.Entry) commit {
	_, part, _ := strings.Cut(strings.TrimPrefix(e.ID, e.Home.ID+joint), joint)
	c := commit{typ: e.Type}
	if cause, decide := strings.CutPrefix(part, joint); decide {
		c.what = strings.Join(strings.FieldsFunc(cause, func(r rune) bool { return r == task.Joint }), " ")
		return c
	}
	c.what = strings.ReplaceAll(part, joint, " ")
	c.step, _, _ = strings.Cut(part, joint)
	return c
}

const joint = string(task.Joint)

// errDead is what a worker gets that has crashed.
var errDead = fmt.Errorf("the worker has crashed: %w", broker.ErrRefused)

// A worker is the broker that one server has, until it crashes.
type worker struct {
	*model.Model
	engine *Engine
	dead   chan struct{}
	die    sync.Once
}

// fails returns an error if the worker is dead.
func (w *worker) fails() error {
	select {
	case <-w.dead:
		return errDead
	default:
		return nil
	}
}

// Apply implements [broker.Broker]: the worker may die before it, or after it.
func (w *worker) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if err := w.fails(); err != nil {
		return broker.Applied{}, err
	}
	before, after := w.engine.due(changes)
	if before {
		w.die.Do(func() { close(w.dead) })
		return broker.Applied{}, errDead
	}
	if after {
		want.Max = 0 // a dead worker takes nothing
	}
	applied, err := w.Model.Apply(ctx, now, changes, want)
	if after {
		w.die.Do(func() { close(w.dead) })
		err = errors.Join(err, errDead)
	}
	return applied, err
}

// due counts what changes commit, and reports whether the worker is to die before or
// after that.
func (e *Engine) due(changes []broker.Change) (before, after bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, change := range changes {
		for _, s := range change.Settle {
			if s.Entry.Home.IsZero() || s.To == broker.Released {
				continue
			}
			if c := e.meet(commitOf(s.Entry)); c != nil {
				before, after = before || !c.after, after || c.after
			}
		}
	}
	return before, after
}

// meet counts one commit, and returns the crash that is to come with it, or nil.
func (e *Engine) meet(now commit) *crash {
	n := e.commits
	e.commits++
	for _, c := range e.crashes {
		if !c.come && c.at(now, n) {
			c.come, c.what = true, now.what
			return c
		}
	}
	return nil
}

// Extend implements [broker.Broker].
func (w *worker) Extend(ctx context.Context, now, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	if err := w.fails(); err != nil {
		return nil, err
	}
	return w.Model.Extend(ctx, now, until, leases...)
}

// Advance implements [broker.Broker].
func (w *worker) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	if err := w.fails(); err != nil {
		return broker.Advanced{}, err
	}
	return w.Model.Advance(ctx, now, r)
}

// Gather implements [broker.Broker].
func (w *worker) Gather(ctx context.Context, now time.Time, r broker.GatherRequest) (broker.Batch, error) {
	if err := w.fails(); err != nil {
		return broker.Batch{}, err
	}
	return w.Model.Gather(ctx, now, r)
}
