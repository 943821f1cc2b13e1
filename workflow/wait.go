package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A waitState is the document that says until when something waits. It stays the
// same when the run is paused and goes on.
type waitState struct {
	Until time.Time `json:"until,omitzero"` // zero: for ever
	Since time.Time `json:"since,omitzero"` // zero: not known
}

// beginWait begins to wait for a time or a signal, unless the signal has come
// already. The wait holds neither a worker nor a lease: a decide is scheduled for
// its end.
func (v *visit) beginWait(ctx context.Context) (broker.Change, error) {
	c, n := v.writes(), v.node
	if state, _, err := v.values.outcome(ctx, n); err != nil || state != StepWaiting {
		return c, err
	}
	wait, begun, err := v.values.waited(ctx, n)
	if err != nil {
		return c, err
	}
	if n.Kind == plan.Await {
		box, version, err := v.inbox(ctx, n.Wait.Signal)
		if err != nil {
			return c, err
		}
		if box.waiting() > 0 {
			v.consume(&c, n, wait, box, version)
			return c, nil
		}
		c.Require = append(c.Require, broker.Condition{Key: inboxKey(n.Wait.Signal), Version: version})
	}
	if !begun {
		if n.Wait.For > 0 {
			wait.Until = time.Now().Add(n.Wait.For)
		}
		if v.tracer != nil {
			wait.Since = time.Now()
		}
		b, err := json.Marshal(wait)
		if err != nil {
			return c, err
		}
		c.Put = append(c.Put, broker.Put{Key: v.waitKey(n), Body: b})
	}
	if !wait.Until.IsZero() {
		c.Require = append(c.Require, v.values.seen(n)) // or else its time has come meanwhile
		c.Enqueue = append(c.Enqueue, v.timer(n, wait.Until))
	}
	return c, nil
}

// waited returns until when n waits, and whether it does.
func (v *values) waited(ctx context.Context, n *plan.Node) (wait waitState, begun bool, err error) {
	d, err := v.document(ctx, v.waitKey(n))
	if err != nil || d.Version == 0 {
		return wait, false, err
	}
	wait, err = decodeWait(d)
	return wait, true, err
}

func decodeWait(d broker.Document) (wait waitState, err error) {
	if err := json.Unmarshal(d.Body, &wait); err != nil {
		return wait, fmt.Errorf("document %s: %w", d.Key, err)
	}
	return wait, nil
}

// timer returns the decide that ends a wait when its time has come.
func (g graph) timer(n *plan.Node, at time.Time) broker.Entry {
	e := g.decision(causeTimer, n.Name)
	e.DueAt, e.Exit = at, g.lost(n.Name)
	return e
}

// ring ends a wait whose time has come.
func (v *visit) ring(ctx context.Context) (broker.Change, error) {
	c, n := v.writes(), v.node
	if state, _, err := v.values.outcome(ctx, n); err != nil || state != StepWaiting {
		return c, err
	}
	r := rung(n)
	v.record(&c, n, r)
	if v.tracer != nil {
		wait, _, err := v.values.waited(ctx, n)
		if err != nil {
			return c, err
		}
		v.endWait(n, r.state, wait.Since)
	}
	return c, nil
}

// rung returns what comes of a wait whose time has come.
func rung(n *plan.Node) record {
	switch {
	case n.Kind == plan.Sleep:
		return doneRecord([]byte("{}"))
	case n.Wait.Fallback != nil:
		return doneRecord(n.Wait.Fallback)
	}
	return failedRecord(StepFailed, StepError{Step: n.Name, Item: -1, Message: fmt.Sprintf("no signal %s within %s", n.Wait.Signal, n.Wait.For)})
}
