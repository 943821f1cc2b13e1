package queue

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// DefaultMaxPayload is the largest payload that a client enqueues, in bytes,
// unless it is told otherwise.
const DefaultMaxPayload = 8 << 20

// A Client enqueues tasks, and waits for their end. Its methods may be called
// from several goroutines, whose tasks then travel to the storage together; its fields may be set, and [Client.Use] called, before
// the first of them is.
type Client struct {
	// MaxPayload is the largest payload to enqueue, in bytes. 0:
	// DefaultMaxPayload. With less than that, every task is refused.
	MaxPayload int

	// Defaults are used for every task, unless its own options or those of the
	// call say otherwise. They win over the defaults of its [task.Kind].
	Defaults []task.Option

	// Observer is told of every task that was enqueued. nil: nobody is.
	Observer Observer

	// Tracer makes spans of what is enqueued, in one call at a time. nil: nobody does.
	//
	// A task that [Then] or OnExhausted enqueues is a call of its own, which is over once
	// the task is recorded that it goes with. What [Client.EnqueueTx] gives to a
	// transaction counts as stored, and what [Client.Prepare] returns counts for nothing
	// until [Client.Sending] is told of it.
	Tracer Tracer

	broker     broker.Broker
	middleware []ClientMiddleware
	waiters    waiters
	commits    committer
}

// NewClient returns a client that enqueues into b. It does not close b. With a
// nil b, every call is refused with a [task.InvalidError].
func NewClient(b broker.Broker) *Client { return &Client{broker: b} }

// Broker returns what the client was made with.
func (c *Client) Broker() broker.Broker { return c.broker }

// Ping returns nil if the storage answers.
func (c *Client) Ping(ctx context.Context) error {
	if err := checkBroker(c.broker); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return c.broker.Ping(ctx)
}

// Enqueue stores t to be run. When it returns without an error, t is run at
// least once, even if every process ends now. The options of the call win over
// those of t, which win over the client's defaults.
//
// What is wrong with t or an option is told by a [task.InvalidError] for each
// fault, all joined. A task whose id is taken gets [ErrTaskIDConflict]. One that
// is not as unique as it should be gets a [DuplicateError], or what its
// [task.OnConflict] asks for; the Info is then that of the task which stands in
// for it, or whose place it took. An error that matches [ErrUnknown] leaves open
// whether t was stored; any other says that it was not. All this is what a client
// without middleware returns.
func (c *Client) Enqueue(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
	if len(c.middleware) > 0 {
		return c.guarded(ctx, t, options)
	}
	return c.enqueue(ctx, t, options...)
}

// enqueue is Enqueue without the middleware.
func (c *Client) enqueue(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
	now := time.Now()
	r, err := c.request(ctx, now, t, options)
	if err != nil {
		return nil, fmt.Errorf("enqueue: %w", err)
	}
	c.send(ctx, now, []*request{r})
	return r.info, r.err
}

// An Enqueued is what became of one task of several.
type Enqueued struct {
	Info *task.Info // nil if there was an error
	Err  error      // as [Client.Enqueue] returns it
}

// EnqueueMany is [Client.Enqueue] for several tasks, in few trips to the
// storage. Each is stored, or refused, on its own and in order: the result says
// for each of ts, at the same index, what became of it. Those that meet the
// holder of their key, and do not give way to it, come after the others.
func (c *Client) EnqueueMany(ctx context.Context, ts []*task.Task, options ...task.Option) []Enqueued {
	results := make([]Enqueued, 0, len(ts))
	for some := range slices.Chunk(ts, parcelChanges) {
		now := time.Now()
		results = append(results, c.through(ctx, now, some, options, func(rs []*request) {
			for len(rs) > 0 {
				n := fit(rs)
				c.send(ctx, now, rs[:n])
				rs = rs[n:]
			}
		})...)
	}
	return results
}

// How much travels together. A change is small, and a payload need not be.
const (
	parcelChanges = 500
	parcelBytes   = 4 << 20
)

// fit returns how many of rs travel together, from the first on.
func fit(rs []*request) int {
	bytes := 0
	for i, r := range rs {
		if bytes += len(r.entry.Payload); i > 0 && bytes > parcelBytes {
			return i
		}
	}
	return len(rs)
}

// send enqueues rs, each in a change of its own, together with what others enqueue
// meanwhile, and notes what became of them.
func (c *Client) send(ctx context.Context, now time.Time, rs []*request) {
	defer c.sending(ctx, rs)()
	changes, bytes := make([]broker.Change, len(rs)), 0
	for i, r := range rs {
		changes[i] = r.change()
		bytes += len(r.entry.Payload)
	}
	outcomes, err := c.commits.apply(ctx, c.broker, now, changes, bytes)
	for i, r := range rs {
		if err != nil {
			r.fail(err)
			continue
		}
		c.insist(now, r, outcomes[i])
	}
}

// headerOptions returns the headers of a task that was received from a queue,
// as the options that they were when it was first enqueued.
func headerOptions(t *task.Task) (options []task.Option) {
	for key, value := range t.Headers() {
		options = append(options, task.Header(key, value))
	}
	return options
}

func (c *Client) checkSize(t *task.Task) error {
	limit := c.MaxPayload
	if limit < 0 {
		return task.Invalid("Client.MaxPayload", limit, "must not be negative")
	}
	if limit == 0 {
		limit = DefaultMaxPayload
	}
	if n := len(t.Payload()); n > limit {
		return task.Invalid("payload size", n, fmt.Sprintf("is larger than %d bytes", limit))
	}
	return nil
}
