package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A BulkRequest asks for something to be done to all tasks that are in one state,
// or to those of them that a filter takes.
type BulkRequest struct {
	Queue string     // "": all queues, one after another
	State task.State // in active, only what an active task allows; see Do
	Group string     // for aggregating: "": all groups, one after another

	Filter Filter // zero: all tasks

	// Do is what is done, as the methods of [Inspector] of that name do it. To
	// active tasks that is [broker.Cancel], and to those of them that have no
	// worker any more Run, Archive and Delete, too.
	Do broker.Act
	At time.Time // for Reschedule

	// Progress is called after each step, of at most [broker.MaxSweep] tasks,
	// with how many it has been done to so far; also while it is looked for them.
	// If it returns false, no other step is begun. nil: nothing is called.
	Progress func(done int) bool
}

// A BulkResult says what was done.
type BulkResult struct {
	Done    int  // to how many tasks it was done
	Skipped int  // how many had moved on when it was their turn
	Stopped bool // Progress has returned false
}

func (r BulkRequest) check() error {
	var faults []error
	if !slices.Contains(task.States(), r.State) {
		faults = append(faults, task.Invalid("BulkRequest.State", int(r.State), "is no state"))
	} else if !r.Do.From(r.State) && !(r.State == task.Active && r.Do.FromLapsed()) {
		faults = append(faults, task.Invalid("BulkRequest.Do", r.Do.String(), fmt.Sprintf("is not done to tasks that are %s", r.State)))
	}
	if r.Group != "" && r.State != task.Aggregating {
		faults = append(faults, task.Invalid("BulkRequest.Group", r.Group, "is only for tasks that are aggregating"))
	}
	if r.Group != "" && r.Queue == "" {
		faults = append(faults, task.Invalid("BulkRequest.Group", r.Group, "is the group of one queue"))
	}
	if (r.Do == broker.Reschedule) == r.At.IsZero() {
		faults = append(faults, task.Invalid("BulkRequest.At", r.At, "is needed to reschedule, and for nothing else"))
	}
	return errors.Join(append(faults, r.Filter.check())...)
}

// Bulk does something to many tasks, in steps of at most [broker.MaxSweep], each
// of which is one commit or several. Between them, everything else goes on. It
// says what it has done even if it returns an error, which is ctx's if that has
// ended.
//
// It is done to those tasks that were there when it began, the first of them
// first, as [ListQuery] orders them: none is run twice that fails and comes back
// while others are still waiting for their turn. Without a filter, to archive, to
// delete and to cancel does not look at them one by one but takes as many as there
// were, from the first on; so if tasks leave the state in other ways, some that
// have come since may be among them. With a Tracer it looks at each.
//
// What was stopped is resumed by asking again, for the tasks that are still there.
// To leave out those that have failed anew, set [Filter.Until] to when it was
// first begun.
//
// To find tasks takes a page for each hundred tasks of the state, and
// about a hundred bytes of memory for each one that the filter takes.
func (i *Inspector) Bulk(ctx context.Context, r BulkRequest) (BulkResult, error) {
	if err := errors.Join(checkBroker(i.broker), r.check()); err != nil {
		return BulkResult{}, fmt.Errorf("bulk: %w", err)
	}
	queues := []string{r.Queue}
	if r.Queue == "" {
		all, err := i.Queues(ctx)
		if err != nil {
			return BulkResult{}, fmt.Errorf("bulk: %w", err)
		}
		queues = all
	}
	b := &bulk{Inspector: i, BulkRequest: r}
	for _, queue := range queues {
		if err := b.doQueue(ctx, queue); err != nil {
			return b.BulkResult, fmt.Errorf("%s all %s of %s: %w", r.Do, r.State, queue, err)
		}
	}
	if r.Queue != "" && b.Done+b.Skipped == 0 {
		if err := i.exists(ctx, r.Queue); err != nil {
			return b.BulkResult, fmt.Errorf("%s all %s of %s: %w", r.Do, r.State, r.Queue, err)
		}
	}
	return b.BulkResult, nil
}

// A bulk is a request on its way.
type bulk struct {
	*Inspector
	BulkRequest
	BulkResult
}

// doQueue does it to the tasks of one queue.
func (b *bulk) doQueue(ctx context.Context, queue string) error {
	groups, err := b.groups(ctx, queue)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if b.sweeps() {
			err = b.sweep(ctx, broker.SweepRequest{Queue: queue, State: b.State, Group: g.Name, Do: b.Do}, g.Size)
		} else {
			err = b.pick(ctx, queue, g.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// groups returns the groups that are asked for; in a state without groups, one
// that has no name, and the size of the state.
func (b *bulk) groups(ctx context.Context, queue string) ([]broker.Group, error) {
	if b.State != task.Aggregating {
		counts, err := b.broker.Counts(ctx, time.Now(), queue)
		if err != nil {
			return nil, err
		}
		return []broker.Group{{Size: counts[0].In(b.State)}}, nil
	}
	groups, err := b.broker.Groups(ctx, queue)
	if err != nil || b.Group == "" {
		return groups, err
	}
	return slices.DeleteFunc(groups, func(g broker.Group) bool { return g.Name != b.Group }), nil
}

// sweeps reports whether the broker may take the first tasks of the state, again
// and again, without a look at them, which a tracer wants. If what was run may come back into the state,
// that could meet it again.
func (b *bulk) sweeps() bool {
	if !b.Filter.isZero() || b.Tracer != nil || b.State == task.Active || b.Do == broker.Reschedule {
		return false
	}
	return b.Do != broker.Run || b.State == task.Scheduled || b.State == task.Aggregating
}

// sweep does it to the first n tasks that r is about.
func (b *bulk) sweep(ctx context.Context, r broker.SweepRequest, n int) error {
	for n > 0 && !b.Stopped {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.Limit = min(n, atOnce)
		done, err := b.broker.Sweep(ctx, time.Now(), r)
		if err != nil {
			return err
		}
		b.Done += done
		if n -= done; done == 0 {
			return nil
		}
		b.report()
	}
	return nil
}

// report calls Progress.
func (b *bulk) report() {
	if b.Progress != nil && !b.Stopped {
		b.Stopped = !b.Progress(b.Done)
	}
}

// pick does it to the tasks that the filter takes. They are all found before the
// first of them is touched: what comes back, or is put off, is not met again.
func (b *bulk) pick(ctx context.Context, queue, group string) error {
	var ids []string
	// The newest first: what comes meanwhile is not waited for.
	r := broker.ListRequest{Queue: queue, State: b.State, Group: group, Newest: true, Limit: atOnce}
	for !b.Stopped {
		found, err := b.broker.List(ctx, r)
		if err != nil {
			return err
		}
		now := time.Now()
		for _, s := range found {
			if b.Filter.takes(now, s) {
				ids = append(ids, strings.Clone(s.ID)) // it may be part of the whole answer
			}
		}
		b.report()
		if len(found) < r.Limit {
			break
		}
		r.After = found[len(found)-1].Place
	}
	slices.Reverse(ids)
	return b.moveAll(ctx, queue, ids)
}

// atOnce is how many tasks are looked at, or something is done to, in one call to
// the broker: few enough for a Redis to do it between two other calls that do not
// notice. docs/million.md has what it comes to.
const atOnce = 100

// moveAll does it to the tasks with these ids.
func (b *bulk) moveAll(ctx context.Context, queue string, ids []string) error {
	for step := range slices.Chunk(ids, atOnce) {
		if b.Stopped {
			return nil
		}
		if err := b.move(ctx, queue, step); err != nil {
			return err
		}
		b.report()
	}
	return nil
}

// move does it to some tasks in one call, to each in a change of its own: one that
// has moved on does not keep the others.
func (b *bulk) move(ctx context.Context, queue string, ids []string) error {
	var changes []broker.Change
	var moved []func()
	for _, id := range ids {
		m := broker.Move{EntryRef: broker.EntryRef{Queue: queue, ID: id}, Do: b.Do, At: b.At}
		changes = append(changes, broker.Change{Move: []broker.Move{m}})
		moved = append(moved, b.tracing(ctx, m))
	}
	outcomes, err := apply(ctx, b.broker, time.Now(), changes)
	if err != nil {
		return err
	}
	for n, outcome := range outcomes {
		switch {
		case outcome == nil:
			b.Done++
			moved[n]()
		case errors.Is(outcome, broker.ErrNotFound), errors.Is(outcome, broker.ErrState):
			b.Skipped++
		default:
			err = outcome
		}
	}
	return err
}
