package aggregate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leatwork/leat/internal/aside"
	"github.com/leatwork/leat/internal/gather"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// fold has the handler fold the members, and returns how they are settled: together,
// unless that has failed.
func (b *batch) fold(ctx context.Context, members []*member) ([]gather.Part, error) {
	f := &folding{batch: b, ctx: ctx, members: members}
	items := make([]any, len(members))
	for i, m := range members {
		items[i] = m.item
	}
	folded, err := aside.Call(ctx, returnGrace, func() (broker.Entry, error) {
		t, err := b.handled.handler.fold(ctx, b.leased.Group, items)
		if err != nil {
			return broker.Entry{}, err
		}
		return b.prepare(ctx, members[0].lease.Entry, t)
	})
	f.decide(err)
	if err != nil {
		return singly(members), err
	}
	f.folded = folded
	f.sent = b.server.Sending(ctx, &f.folded)
	return []gather.Part{f}, nil
}

// prepare returns t as it is to be enqueued with the settlement of members, of which
// first is the first.
func (b *batch) prepare(ctx context.Context, first broker.Entry, t *task.Task) (broker.Entry, error) {
	if t == nil {
		return broker.Entry{}, task.Invalid("task", nil, "must not be nil: the batch is to be folded into one")
	}
	e, err := b.server.Prepare(context.WithoutCancel(ctx), first.EntryRef, t)
	if err == nil && e.Queue == b.leased.Queue && e.Group == b.leased.Group {
		err = task.Invalid("group", e.Group, "is the one that was folded, and would be again")
	}
	return e, err
}

// singly returns members as parts of their own.
func singly(members []*member) []gather.Part {
	parts := make([]gather.Part, len(members))
	for i, m := range members {
		parts[i] = m
	}
	return parts
}

// A folding is a batch that is folded into a task: its members are settled in the change
// that enqueues that.
type folding struct {
	*batch
	ctx     context.Context
	members []*member
	folded  broker.Entry
	sent    func(error) // tells the tracer what became of that
	err     error
	rest    []*member // that are settled singly, after the others
}

// decide decides how the members end if the fold came to err. Those that are retried are
// so at one time.
func (f *folding) decide(err error) {
	f.err = err
	var at time.Time
	for _, m := range f.members {
		m.err = err
		m.decide(f.ctx)
		if m.settled.To != broker.Retry {
			continue
		}
		if at.IsZero() {
			at = m.settled.At
		}
		m.settled.At = at
	}
}

// Change implements [gather.Part]. If the folded task is refused, the fold has failed,
// and the first member goes ahead of the rest: what follows them all may be too much for
// one change.
func (f *folding) Change(refused error) broker.Change {
	switch {
	case refused != nil && f.err != nil:
		return f.members[0].Change(refused)
	case refused != nil:
		why := inWords(f.folded, refused)
		f.sent(why)
		f.decide(fmt.Errorf("fold into task %s: %w", f.folded, why))
		f.members, f.rest = f.members[:1], f.members[1:]
		return f.members[0].Change(nil)
	}
	c := broker.Change{Enqueue: []broker.Entry{f.folded}}
	for _, m := range f.members {
		c.Settle = append(c.Settle, m.settled)
		m.trace.Settle(&c.Settle[len(c.Settle)-1], m.err)
	}
	return c
}

// inWords returns why a folded task was refused, as a client says it.
func inWords(e broker.Entry, refused error) error {
	if claimed, ok := errors.AsType[*broker.ClaimedError](refused); ok {
		return &queue.DuplicateError{ID: e.ID, Key: claimed.Key, Holder: claimed.Holder}
	}
	if errors.Is(refused, broker.ErrExists) {
		return queue.ErrTaskIDConflict
	}
	return refused
}

// Settled implements [gather.Part].
func (f *folding) Settled(err error) {
	if f.err == nil {
		f.sent(err)
	}
	for _, m := range f.members {
		m.Settled(err)
	}
	f.leased.Settle(singly(f.rest)...)
	if err == nil && f.err == nil {
		f.server.Tell(f.ctx, queue.Event{Kind: queue.EventEnqueued, Entry: f.folded})
	}
}
