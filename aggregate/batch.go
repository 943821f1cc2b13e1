package aggregate

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/leatwork/leat/internal/aside"
	"github.com/leatwork/leat/internal/gather"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// returnGrace is how long a handler may take to return once its context has ended.
const returnGrace = time.Second

// A batch is tasks on their way through a handler.
type batch struct {
	server  *queue.Background
	handled handled
	leased  *gather.Batch
	began   time.Time
	members []*member
}

// A member is one task of a batch, and a [gather.Part] if it is settled by itself.
type member struct {
	batch *batch
	ctx   context.Context
	lease broker.Lease
	trace queue.TracedAttempt
	task  *task.Task
	item  any
	err   error // what came of it

	settled broker.Settlement
	heirs   []broker.Entry
	sent    func(error) // tells the tracer what became of the heirs; nil: it knows, or there are none
}

func newBatch(ctx context.Context, server *queue.Background, h handled, leased *gather.Batch) *batch {
	b := &batch{server: server, handled: h, leased: leased, began: time.Now()}
	for _, l := range leased.Members {
		e := l.Entry
		m := &member{batch: b, lease: l}
		m.ctx, m.trace = server.Begin(ctx, l)
		m.task = task.Received(e.Type, e.Payload, e.Headers, task.NewResultWriter(m.ctx, e.ID, server.Config().MaxResult))
		b.members = append(b.members, m)
	}
	return b
}

// run calls the handler, and settles the members.
func (b *batch) run(ctx context.Context) {
	ctx, cancel := b.limited(ctx)
	defer cancel()
	fit, parts := b.decodeAll(ctx)
	ctx, done := b.traced(ctx, fit)
	var err error
	if len(fit) > 0 {
		var outcome []gather.Part
		outcome, err = b.handle(ctx, fit)
		parts = append(parts, outcome...)
	}
	if errors.Is(context.Cause(ctx), queue.ErrLeaseLost) {
		lose(parts)
		done(queue.ErrLeaseLost)
		return
	}
	b.leased.Settle(parts...)
	b.report(ctx, err)
	done(err)
}

// decodeAll returns the members that the handler is to be called with, and how the others
// are settled.
func (b *batch) decodeAll(ctx context.Context) (fit []*member, parts []gather.Part) {
	for _, m := range b.members {
		m.tell(queue.Event{Kind: queue.EventStarted, Waited: m.waited()})
		if m.item, m.err = b.decode(ctx, m.task); m.err == nil {
			fit = append(fit, m)
			continue
		}
		m.decide(ctx)
		parts = append(parts, m)
	}
	return fit, parts
}

// traced returns the handler's context, as the tracer has it, and what tells that what
// the handler came to.
func (b *batch) traced(ctx context.Context, members []*member) (_ context.Context, done func(error)) {
	if len(members) == 0 || b.server.Tracer() == nil {
		return ctx, func(error) {}
	}
	traces := make([]queue.TracedAttempt, len(members))
	for i, m := range members {
		traces[i] = m.trace
	}
	return b.server.Batch(ctx, b.leased.Queue, b.leased.Group, traces)
}

// decode returns the item of a task. Its type may have methods of its own for that.
func (b *batch) decode(ctx context.Context, t *task.Task) (any, error) {
	return aside.Call(ctx, returnGrace, func() (any, error) { return b.handled.handler.decode(t) })
}

// handle calls the handler, and returns how the members are settled, and what the
// handler came to as a whole.
func (b *batch) handle(ctx context.Context, members []*member) ([]gather.Part, error) {
	if b.handled.handler.fold != nil {
		return b.fold(ctx, members)
	}
	return b.each(ctx, members)
}

// limited returns a context that ends when the handler's time is over.
func (b *batch) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	least := b.handled.rule.Timeout
	if least == 0 {
		for _, m := range b.members {
			if t := m.lease.Entry.Timeout; t > 0 && (least == 0 || t < least) {
				least = t
			}
		}
	}
	if least == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, least, queue.ErrTimeout)
}

// lose reports that the members of parts are somebody else's.
func lose(parts []gather.Part) {
	for _, p := range parts {
		p.Settled(queue.ErrLeaseLost)
	}
}

// report tells what became of the batch.
func (b *batch) report(ctx context.Context, err error) {
	level, took := slog.LevelDebug, time.Since(b.began)
	args := []any{"queue", b.leased.Queue, "group", b.leased.Group, "tasks", len(b.members), "took", took}
	if err != nil {
		level, args = slog.LevelWarn, append(args, "err", err)
	}
	b.server.Config().Logger.Log(ctx, level, "batch was run", args...)
	of := broker.Entry{EntryRef: broker.EntryRef{Queue: b.leased.Queue}, Group: b.leased.Group}
	b.server.Tell(ctx, queue.Event{Kind: queue.EventBatched, Entry: of, Count: len(b.members), Err: err, Took: took})
}

// decide decides how the member's lease ends: by the policies of the server, or back to
// its group if that has interrupted it.
func (m *member) decide(ctx context.Context) {
	if queue.Interrupted(ctx, m.err) {
		m.settled = broker.Settlement{Token: m.lease.Token, Entry: m.lease.Entry, To: broker.Released}
		return
	}
	m.settled = m.batch.server.Settlement(m.ctx, m.lease, m.batch.began, m.task.ResultWriter().Result(), m.err)
	m.heirs, m.sent = m.batch.server.Heirs(m.ctx, m.settled, m.err)
}

// Change implements [gather.Part].
func (m *member) Change(refused error) broker.Change {
	if refused != nil {
		m.disinherit(refused)
	}
	c := broker.Change{Settle: []broker.Settlement{m.settled}, Enqueue: m.heirs}
	m.trace.Settle(&c.Settle[0], m.err)
	return c
}

// disinherit leaves out what was to follow the member, which is exhausted.
func (m *member) disinherit(why error) {
	if len(m.heirs) == 0 {
		return
	}
	m.sent(why)
	m.heirs, m.sent = nil, nil
	m.batch.server.Config().Logger.ErrorContext(queue.WithEntry(m.ctx, m.lease.Entry), "what follows an exhausted task cannot be enqueued", "err", why)
}

// Settled implements [gather.Part].
func (m *member) Settled(err error) {
	if m.sent != nil {
		m.sent(err)
	}
	m.trace.Settled(err)
	e := queue.Event{Kind: queue.EventSettled, Entry: m.settled.Entry, Outcome: m.settled.To, Failed: m.settled.IsFailure(), Err: m.err, Took: time.Since(m.batch.began)}
	switch {
	case errors.Is(err, queue.ErrLeaseLost):
		e.Kind, e.Entry, e.Outcome, e.Err = queue.EventLeaseLost, m.lease.Entry, 0, err
	case err != nil:
		return // it is in the log, and the lease runs out
	}
	m.tell(e)
	for _, heir := range m.heirs {
		m.tell(queue.Event{Kind: queue.EventEnqueued, Entry: heir})
	}
}

// waited returns for how long the member was in its group, 0 if that is not known.
func (m *member) waited() time.Duration {
	if m.lease.Ready.IsZero() {
		return 0
	}
	return max(m.batch.began.Sub(m.lease.Ready), 0)
}

// tell tells of something that happened to the member.
func (m *member) tell(e queue.Event) {
	if e.Entry.ID == "" {
		e.Entry = m.lease.Entry
	}
	m.batch.server.Tell(m.ctx, e)
}
