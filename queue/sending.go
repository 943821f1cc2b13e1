package queue

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/leatwork/leat/queue/broker"
)

// errNotWanted is why a companion of a task is not stored if it was not to be: the
// outcome was another.
var errNotWanted = errors.New("task has come to another outcome")

// Sending tells the client's Tracer of entries that are about to be stored in a change of
// the caller's own, as [Client.Prepare] has returned them and with what the caller has
// changed: the Tracer may give them other Headers. ctx is that of the one who wants them
// stored. sent is to be called once, with nil if the change was made, or with why it was
// not; if the caller never knows, it is not called. It is never nil.
func (c *Client) Sending(ctx context.Context, entries ...*broker.Entry) (sent func(error)) {
	if c.Tracer != nil {
		told := slices.Clone(entries)
		if sent := c.Tracer.Send(ctx, told); sent != nil {
			return func(err error) { sent(slices.Repeat([]error{err}, len(told))) }
		}
	}
	return func(error) {}
}

// sending tells the tracer of rs, which are about to be stored. sent is to be called once
// it is noted what became of them.
func (c *Client) sending(ctx context.Context, rs []*request) (sent func()) {
	if c.Tracer == nil {
		return func() {}
	}
	told := slices.Clone(rs) // rs itself stays on the caller's stack
	entries := make([]*broker.Entry, len(told))
	for i, r := range told {
		entries[i] = &r.entry
	}
	tell := c.Tracer.Send(ctx, entries)
	if tell == nil {
		return func() {}
	}
	return func() {
		outcomes := make([]error, len(told))
		for i, r := range told {
			outcomes[i] = r.outcome()
		}
		tell(outcomes)
	}
}

// outcome returns nil if r was stored, or why it was not.
func (r *request) outcome() error {
	if r.err == nil && !r.stored {
		return ErrDuplicateTask // which another one stands in for
	}
	return r.err
}

// sendingWith tells the tracer of r, which is to be stored with the outcome of a task.
func (c *Client) sendingWith(r *request) *request {
	if c.Tracer != nil {
		r.sent = c.Tracer.Send(r.ctx, []*broker.Entry{&r.entry})
	}
	return r
}

// tellSent tells the tracer what became of r, if it was told of r and not of that.
func (r *request) tellSent(err error) {
	if r.sent != nil {
		r.sent([]error{err})
		r.sent = nil
	}
}

// tellSent tells the client's tracer what became of all that was to be stored with the
// outcome, which is nil if that was recorded, or else why it was not.
func (a *attempt) tellSent(unrecorded error) {
	for _, r := range a.companions {
		if r.sent != nil {
			r.stored = r.info == nil
			r.tellSent(cmp.Or(unrecorded, r.outcome()))
		}
	}
	for _, r := range a.then {
		r.tellSent(cmp.Or(unrecorded, r.err, errNotWanted))
	}
	for _, r := range a.inherit {
		r.tellSent(cmp.Or(unrecorded, r.err, errNotWanted))
	}
}
