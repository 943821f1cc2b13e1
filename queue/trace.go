package queue

import (
	"context"

	"github.com/leatwork/leat/queue/broker"
)

// A Tracer makes spans of what happens to tasks, and takes the context of one process to
// another, in the headers of entries. Package [github.com/leatwork/leat/tracing] has one;
// this package knows only when it is to be called. Its methods are called from many
// goroutines, and must neither block nor panic.
type Tracer interface {
	// Send is called with entries before they are stored, in one call or commit, by
	// whoever has ctx. It may give them other Headers, and must not modify those that
	// they have. What it returns, which may be nil, is called once with what became of
	// each: nil if it was stored. If nobody ever knows, it is not called.
	Send(ctx context.Context, entries []*broker.Entry) (sent func(outcomes []error))

	// Begin is called when it is the turn of a leased entry: its handler is about to be
	// called, or it is about to be settled without that. The context that it returns is
	// made from ctx, and becomes the handler's. The Attempt may be nil.
	Begin(ctx context.Context, l broker.Lease) (context.Context, TracedAttempt)

	// Batch is called when members of a group, which Begin was called with one by one,
	// are about to be run together. The context that it returns is made from ctx, and
	// becomes the handler's. done is called with what the handler came to.
	Batch(ctx context.Context, queue, group string, members []TracedAttempt) (_ context.Context, done func(error))

	// Moved is called when something was done by hand to an entry, with the entry as it
	// was found before.
	Moved(ctx context.Context, e broker.Stored, act broker.Act)
}

// A TracedAttempt is a leased entry from Begin until its outcome is recorded. Its methods
// are called one after another.
type TracedAttempt interface {
	// PutOff says that the entry's own function was not called, and why: what it waits
	// for is not there yet, in words such as "paused".
	PutOff(why string)

	// Settle is called with a settlement that is about to be recorded, and what the
	// handler came to. It may set the settlement's Headers. If the settlement is refused
	// it is called again with the next.
	Settle(s *broker.Settlement, err error)

	// Settled is called at last: with nil if the settlement was recorded, or else with
	// why it was not, or is not known to be.
	Settled(err error)
}

// begin tells the tracer, if there is one, that it is the turn of l.
func (c Config) begin(ctx context.Context, l broker.Lease) (context.Context, TracedAttempt) {
	if c.Tracer == nil {
		return ctx, untraced{}
	}
	ctx, trace := c.Tracer.Begin(ctx, l)
	if trace == nil {
		trace = untraced{}
	}
	return ctx, trace
}

// untraced is an attempt that no tracer knows.
type untraced struct{}

// PutOff implements [TracedAttempt].
func (untraced) PutOff(string) {}

// Settle implements [TracedAttempt].
func (untraced) Settle(*broker.Settlement, error) {}

// Settled implements [TracedAttempt].
func (untraced) Settled(error) {}
