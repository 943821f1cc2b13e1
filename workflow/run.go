package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Target is what a signal can be sent to: a [Run] or a [Handle].
type Target interface{ target() Handle }

// A Handle is a run of which nobody knows what it comes to. It is a name, not a
// connection: it costs nothing to keep and may be used by several goroutines.
type Handle struct {
	ID string

	home     broker.Home
	plan     *plan.Plan // nil if it is not known
	broker   broker.Broker
	audience audience // nil: nobody is told
}

func (h Handle) target() Handle { return h }

// OpenRun returns the run with the given id of a workflow whose runs are kept beside
// queue, without asking whether there is one. A program that has the workflow uses
// [Workflow.Open].
func OpenRun(c *queue.Client, queue, id string) Handle {
	return Handle{ID: id, home: broker.Home{Queue: queue, ID: id}, broker: c.Broker(), audience: callers{c}}
}

// Queue returns the queue beside which the run is kept.
func (h Handle) Queue() string { return h.home.Queue }

// A Run is one execution of a workflow that comes to an Out.
type Run[Out any] struct {
	Handle
	Existed bool // Start found it instead of starting it
}

// control reads the run's control document, and its version.
func (h Handle) control(ctx context.Context) (control, int64, error) {
	docs, err := h.broker.Documents(ctx, h.home, controlKey)
	if err != nil {
		return control{}, 0, err
	}
	c, err := decodeControl(docs[0])
	return c, docs[0].Version, err
}

// How often Result looks: soon at first, less often as the run takes longer.
const (
	firstLook = 5 * time.Millisecond
	soonLook  = 250 * time.Millisecond // in the first seconds
	lastLook  = time.Second
)

// wait waits until the run has ended, or is stuck, or ctx ends.
func (h Handle) wait(ctx context.Context) (c control, err error) {
	began, seen := time.Now(), int64(-1)
	for look := firstLook; ; look = min(2*look, max(soonLook, time.Since(began)/100), lastLook) {
		docs, err := h.broker.Documents(ctx, h.home, controlKey)
		if err == nil && docs[0].Version != seen {
			seen = docs[0].Version
			c, err = decodeControl(docs[0])
		}
		if err != nil || c.State.Ended() || c.State == Stuck {
			return c, err
		}
		select {
		case <-ctx.Done():
			return c, context.Cause(ctx)
		case <-time.After(look):
		}
	}
}

// Wait waits until the run has ended, or ctx does. It returns nil if the run was done,
// a [RunError] if it was not or is [Stuck], or [ErrRunNotFound].
func (h Handle) Wait(ctx context.Context) error {
	c, err := h.wait(ctx)
	if err != nil {
		return fmt.Errorf("wait for run %s: %w", h.ID, err)
	}
	if c.State != Done {
		return &RunError{ID: h.ID, State: c.State, Cause: c.Failure}
	}
	return nil
}

// Result waits until the run has ended or ctx does. It returns what the run came
// to, a [RunError] if it was not done or is [Stuck], or [ErrRunNotFound].
func (r Run[Out]) Result(ctx context.Context) (out Out, err error) {
	c, err := r.wait(ctx)
	if err != nil {
		return out, fmt.Errorf("result of run %s: %w", r.ID, err)
	}
	if c.State != Done {
		return out, &RunError{ID: r.ID, State: c.State, Cause: c.Failure}
	}
	b, err := r.result(ctx, c)
	if err == nil {
		out, err = plan.Decode[Out](b)
	}
	if err != nil {
		err = fmt.Errorf("result of run %s: %w", r.ID, err)
	}
	return out, err
}

// operate commits what change makes of the run's control document, again if that
// has changed meanwhile. want says what is to be done, in an error.
func (h Handle) operate(ctx context.Context, want string, change func(control) (control, broker.Change, error)) error {
	for {
		c, version, err := h.control(ctx)
		if err != nil {
			return fmt.Errorf("%s run %s: %w", want, h.ID, err)
		}
		next, made, err := change(c)
		if err != nil {
			return err
		}
		made.Home, made.List = h.home, next.listing()
		made.Put = append(made.Put, next.put(version))
		outcome, err := apply(ctx, h.broker, made)
		switch {
		case err != nil:
			return fmt.Errorf("%s run %s: %w", want, h.ID, err)
		case outcome == nil:
			return nil
		case !isPassing(outcome):
			return fmt.Errorf("%s run %s: %w", want, h.ID, outcome)
		}
	}
}

// refuse returns the error for a state that does not allow what is wanted.
func (h Handle) refuse(want string, c control) error {
	return &RunStateError{ID: h.ID, State: c.State, Want: want}
}

// graphOf returns the graph of a run whose plan this program may not have: enough
// to give names.
func (h Handle) graphOf(c control) graph {
	p := h.plan
	if p == nil || p.Hash != c.Plan {
		p = &plan.Plan{Name: c.Workflow, Queue: h.home.Queue, Blobs: h.blobs()}
	}
	return graph{p, h.home, c}
}

// blobs returns where large outputs of the run are kept, as far as this program knows.
func (h Handle) blobs() plan.Blobs {
	if h.plan == nil {
		return plan.Blobs{}
	}
	return h.plan.Blobs
}

// Cancel closes the run: nothing of it begins any more, what runs is asked to stop
// and waited for, runs within it are cancelled, what can be undone is, and the run ends
// as [Cancelled]. Cancel returns when that is certain, not when it is done: [Handle.Wait]
// waits for it. A run that is closing already, or has ended, is left alone, with a
// [RunStateError].
func (h Handle) Cancel(ctx context.Context) error {
	return h.operate(ctx, "cancel", func(c control) (control, broker.Change, error) {
		if !c.State.open() {
			return c, broker.Change{}, h.refuse("cancel", c)
		}
		next := c.closing(Cancelled, nil)
		return next, broker.Change{Enqueue: []broker.Entry{h.graphOf(next).about(causeStop)}}, nil
	})
}

// Pause has nothing new of the run begin. What runs goes on, runs within it too, and is
// recorded; times and the deadline go on, too. A run that is paused already is left alone.
func (h Handle) Pause(ctx context.Context) error {
	return h.operate(ctx, "pause", func(c control) (control, broker.Change, error) {
		if !c.State.open() {
			return c, broker.Change{}, h.refuse("pause", c)
		}
		return c.with(Paused, ""), broker.Change{}, nil
	})
}

// Resume has a paused run go on, with all that became ready meanwhile; and a run that
// is stuck go on being closed or undone. It fails with a [RunStateError] for any other.
func (h Handle) Resume(ctx context.Context) error {
	started := func(error) {}
	err := h.operate(ctx, "resume", func(c control) (control, broker.Change, error) {
		switch c.State {
		case Paused:
			next := c.with(Running, "resumed")
			return next, broker.Change{Enqueue: []broker.Entry{h.graphOf(next).anew(causeRebuild)}}, nil
		case Stuck:
			next := h.graphOf(c.unstuck())
			started = next.begins(ctx, h.audience, nil)
			if !c.Undone { // it was not even closed
				return next.control, broker.Change{Enqueue: []broker.Entry{next.anew(causeStop)}}, nil
			}
			return next.control, broker.Change{Enqueue: []broker.Entry{next.about(causeUnwind)}}, nil
		}
		return c, broker.Change{}, h.refuse("resume", c)
	})
	started(err)
	return err
}

// Delete has a run deleted that has ended, or is stuck: whoever serves the queue beside
// which it is kept does so next. Until then it is still found.
func (h Handle) Delete(ctx context.Context) error {
	return h.operate(ctx, "delete", func(c control) (control, broker.Change, error) {
		if !c.State.Ended() && c.State != Stuck {
			return c, broker.Change{}, h.refuse("delete", c)
		}
		return c, broker.Change{Close: time.Now()}, nil
	})
}
