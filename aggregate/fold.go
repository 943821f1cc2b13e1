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

// fold has the handler fold the members, and returns how they are settled: together.
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
	f.folded = folded
	f.decide(err)
	return []gather.Part{f}, err
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

// A folding is a batch that is folded into a task, or that has failed: either way, its
// members are settled in one change.
type folding struct {
	*batch
	ctx     context.Context
	members []*member
	folded  broker.Entry
	err     error
}

// decide decides how the members end if the fold came to err. Those that are retried are
// so at one time.
func (f *folding) decide(err error) {
	f.err = err
	var at time.Time
	room := broker.MaxParts - len(f.members)
	for _, m := range f.members {
		m.err = err
		m.decide(f.ctx)
		if room -= len(m.heirs); room < 0 {
			m.disinherit(errNoRoom)
		}
		if m.settled.To != broker.Retry {
			continue
		}
		if at.IsZero() {
			at = m.settled.At
		}
		m.settled.At = at
	}
}

var errNoRoom = errors.New("there is too much of it for one change")

// Change implements [gather.Part]: if the folded task is refused, the fold has failed.
func (f *folding) Change(refused error) broker.Change {
	switch {
	case refused == nil:
	case f.err == nil:
		f.decide(fmt.Errorf("fold into task %s: %w", f.folded, inWords(f.folded, refused)))
	default:
		for _, m := range f.members {
			m.disinherit(refused)
		}
	}
	var c broker.Change
	for _, m := range f.members {
		c.Settle, c.Enqueue = append(c.Settle, m.settled), append(c.Enqueue, m.heirs...)
	}
	if f.err == nil {
		c.Enqueue = []broker.Entry{f.folded}
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
	for _, m := range f.members {
		m.Settled(err)
	}
	if err == nil && f.err == nil {
		f.server.Tell(f.ctx, queue.Event{Kind: queue.EventEnqueued, Entry: f.folded})
	}
}
