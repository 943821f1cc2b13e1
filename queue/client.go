package queue

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// DefaultMaxPayload is the largest payload that a client enqueues, in bytes,
// unless it is told otherwise.
const DefaultMaxPayload = 8 << 20

// A Client enqueues tasks. Its methods may be called from several goroutines;
// its fields may be set before the first of them is.
type Client struct {
	// MaxPayload is the largest payload to enqueue, in bytes. 0:
	// DefaultMaxPayload. With less than that, every task is refused.
	MaxPayload int

	// Defaults are used for every task, unless its own options or those of the
	// call say otherwise. They win over the defaults of its [task.Kind].
	Defaults []task.Option

	// Observer is told of every task that was enqueued. nil: nobody is.
	Observer Observer

	broker broker.Broker
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
// fault, all joined. Groups are not served yet: [task.Group] is refused. A task
// whose id is taken gets [ErrTaskIDConflict], one that is not as unique as it
// should be a [DuplicateError]. An error that matches [ErrUnknown] leaves open
// whether t was stored; any other says that it was not.
func (c *Client) Enqueue(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
	e := c.EnqueueMany(ctx, []*task.Task{t}, options...)[0]
	return e.Info, e.Err
}

// An Enqueued is what became of one task of several.
type Enqueued struct {
	Info *task.Info // nil if there was an error
	Err  error      // as [Client.Enqueue] returns it
}

// EnqueueMany is [Client.Enqueue] for several tasks, in few trips to the
// storage. Each is stored, or refused, on its own and in order: the result says
// for each of ts, at the same index, what became of it.
func (c *Client) EnqueueMany(ctx context.Context, ts []*task.Task, options ...task.Option) []Enqueued {
	now := time.Now()
	results := make([]Enqueued, len(ts))
	var batch parcel
	for i, t := range ts {
		e, err := c.entry(now, t, options)
		if err != nil {
			results[i].Err = fmt.Errorf("enqueue: %w", err)
			continue
		}
		if batch.full(e) {
			c.send(ctx, now, &batch, results)
		}
		batch.add(i, e)
	}
	c.send(ctx, now, &batch, results)
	return results
}

// A parcel is the entries that travel together.
type parcel struct {
	changes []broker.Change
	index   []int // where the outcome of each change belongs
	bytes   int
}

// How much travels together. A change is small, and a payload need not be.
const (
	parcelChanges = 500
	parcelBytes   = 4 << 20
)

func (p *parcel) full(next broker.Entry) bool {
	n := len(p.changes)
	return n == parcelChanges || n > 0 && p.bytes+len(next.Payload) > parcelBytes
}

func (p *parcel) add(i int, e broker.Entry) {
	p.changes = append(p.changes, broker.Change{Enqueue: []broker.Entry{e}})
	p.index = append(p.index, i)
	p.bytes += len(e.Payload)
}

// send enqueues what is in p, notes the results, and empties p.
func (c *Client) send(ctx context.Context, now time.Time, p *parcel, results []Enqueued) {
	if len(p.changes) == 0 {
		return
	}
	outcomes, err := apply(ctx, c.broker, now, p.changes)
	for n, i := range p.index {
		e := p.changes[n].Enqueue[0]
		if err == nil && outcomes[n] == nil {
			results[i].Info = info(now, e)
			c.Observer.observe(ctx, slog.Default(), Event{Kind: EventEnqueued, Entry: e})
			continue
		}
		refused := err
		if refused == nil {
			refused = enqueueError(e, outcomes[n])
		}
		results[i].Err = fmt.Errorf("enqueue %s: %w", e, refused)
	}
	*p = parcel{changes: p.changes[:0], index: p.index[:0]}
}

// enqueueError returns outcome in this package's words.
func enqueueError(e broker.Entry, outcome error) error {
	if claimed, ok := errors.AsType[*broker.ClaimedError](outcome); ok {
		return &DuplicateError{ID: e.ID, Key: claimed.Key, Holder: claimed.Holder}
	}
	if errors.Is(outcome, broker.ErrExists) {
		return ErrTaskIDConflict
	}
	return outcome
}

// entry returns t as it is to be stored, or everything that is wrong with it.
func (c *Client) entry(now time.Time, t *task.Task, options []task.Option) (broker.Entry, error) {
	if t == nil {
		return broker.Entry{}, task.Invalid("task", nil, "must not be nil")
	}
	s, err := task.Resolve(now, t.Defaults(), c.Defaults, headerOptions(t), t.Options(), options)
	if err := errors.Join(checkBroker(c.broker), task.CheckName("task type", t.Type()), c.checkSize(t), checkGroup(s), err); err != nil {
		return broker.Entry{}, err
	}
	if s.ID == "" {
		s.ID = uuid.NewString()
	}
	return broker.Entry{
		EntryRef:  broker.EntryRef{Queue: s.Queue, ID: s.ID},
		Type:      t.Type(),
		Payload:   t.Payload(),
		Headers:   s.Headers,
		MaxRetry:  s.MaxRetry,
		Timeout:   s.Timeout,
		Deadline:  s.Deadline,
		Retention: s.Retention,
		Claim:     claim(now, t, s),
		DueAt:     s.ProcessAt,
	}, nil
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

// checkGroup refuses groups: nobody would ever fold them.
func checkGroup(s task.Settings) error {
	if s.Group != "" {
		return task.Invalid("task.Group", s.Group, "groups are not served yet")
	}
	return nil
}

// claim returns what makes t unique, from now until its TTL has passed after it
// is due. A task without payload and one with an empty payload are two.
func claim(now time.Time, t *task.Task, s task.Settings) broker.Claim {
	if s.Unique.Mode == 0 {
		return broker.Claim{}
	}
	key, ttl := t.Type()+":", s.Unique.For
	if t.Payload() != nil {
		sum := md5.Sum(t.Payload())
		key += hex.EncodeToString(sum[:])
	}
	if !s.ProcessAt.IsZero() {
		ttl += min(s.ProcessAt.Sub(now), math.MaxInt64-ttl)
	}
	return broker.Claim{Key: key, TTL: ttl}
}

// info returns what is known of e, which was stored at now.
func info(now time.Time, e broker.Entry) *task.Info {
	i := &task.Info{
		ID:            e.ID,
		Queue:         e.Queue,
		Type:          e.Type,
		Payload:       e.Payload,
		Headers:       e.Headers,
		State:         task.Pending,
		MaxRetry:      e.MaxRetry,
		Timeout:       e.Timeout,
		Deadline:      e.Deadline,
		NextProcessAt: now,
		Retention:     e.Retention,
	}
	if !e.DueAt.IsZero() {
		i.State, i.NextProcessAt = task.Scheduled, e.DueAt
	}
	return i
}
