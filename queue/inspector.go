package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// An Inspector is for those who look after queues: it shows what is in them, and
// does what an operator wants done. Its methods may be called from several
// goroutines, and beside servers and clients that go on.
//
// What it shows was true at one moment. What it does to one task is one commit, in
// which the storage sees whether the task's state allows it. If not, the error is
// a [broker.StateError], which says what the state is; so it is for a task that is
// being folded with others of its group. If there is no such task, the error
// matches [ErrTaskNotFound], and [ErrQueueNotFound] if there is no such queue,
// either. That takes one trip, or two if there is no such task, and does not take
// longer the more tasks there are, except on Redis for one that is pending: those
// are kept in a list, which is searched.
//
// An error that matches [ErrUnknown] leaves open whether what was asked for was
// done; any other says that it was not. What makes no sense is refused with a
// [task.InvalidError].
type Inspector struct {
	// Tracer is told of each task to which something was done, as it was found before,
	// which takes a trip more for each: without that, the spans of a task that is
	// archived or deleted by hand would wait for its end for ever. nil: nobody is. It may
	// be set before the first call.
	Tracer Tracer

	broker broker.Broker
}

// NewInspector returns an inspector of what b stores. It does not close b. With a
// nil b, every call is refused with a [task.InvalidError].
func NewInspector(b broker.Broker) *Inspector { return &Inspector{broker: b} }

// Queues returns the names of all queues, sorted. It takes one trip, whose cost
// grows with their number.
func (i *Inspector) Queues(ctx context.Context) ([]string, error) {
	if err := checkBroker(i.broker); err != nil {
		return nil, fmt.Errorf("queues: %w", err)
	}
	names, err := i.broker.Queues(ctx)
	if err != nil {
		return nil, fmt.Errorf("queues: %w", err)
	}
	return names, nil
}

// A QueueInfo is the figures of one queue.
type QueueInfo struct { //nolint:revive // an Info is what is known of a task
	broker.Counts

	// Latency is for how long the task that is next to be run has been ready; 0
	// if there is none, or if it was taken back from a worker.
	Latency time.Duration

	// Memory is about how many bytes the tasks take, estimated from a sample.
	// MemoryErr, if not nil, is why it is not known; the rest is.
	Memory    int64
	MemoryErr error

	// Pause is who has paused the queue, when and why, once [Inspector.ReadPauses] has
	// read that. nil: it is not paused, or that is not known.
	Pause *Pause
}

// QueueInfo returns the figures of one queue, or an error that matches
// [ErrQueueNotFound]. It takes two trips, one of which measures memory, and one
// more if the queue has never held anything.
func (i *Inspector) QueueInfo(ctx context.Context, queue string) (*QueueInfo, error) {
	found, err := i.Figures(ctx, queue)
	if err != nil {
		return nil, err
	}
	info := &found[0]
	if empty := info.Size() == 0 && info.ProcessedTotal == 0; empty {
		if err := i.exists(ctx, queue); err != nil {
			return nil, fmt.Errorf("figures of %s: %w", queue, err)
		}
	}
	info.Memory, info.MemoryErr = i.broker.Memory(ctx, queue)
	return info, nil
}

// Figures returns the figures of the named queues in that order, or of all queues
// in order of their names if none is named, without Memory. A queue that does not
// exist has zeroes. It takes one trip.
func (i *Inspector) Figures(ctx context.Context, queues ...string) ([]QueueInfo, error) {
	if err := checkBroker(i.broker); err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	now := time.Now()
	counts, err := i.broker.Counts(ctx, now, queues...)
	if err != nil {
		return nil, fmt.Errorf("figures: %w", err)
	}
	infos := make([]QueueInfo, len(counts))
	for n, c := range counts {
		infos[n].Counts = c
		if !c.ReadySince.IsZero() {
			infos[n].Latency = max(now.Sub(c.ReadySince), 0)
		}
	}
	return infos, nil
}

// History returns how many outcomes a queue had on each of the last days, today
// (UTC) first: at most [broker.MaxHistory]. It takes one trip, and one more if
// there were none.
func (i *Inspector) History(ctx context.Context, queue string, days int) ([]broker.Day, error) {
	if err := checkBroker(i.broker); err != nil {
		return nil, fmt.Errorf("history of %s: %w", queue, err)
	}
	history, err := i.broker.History(ctx, time.Now(), queue, days)
	if idle := !slices.ContainsFunc(history, func(d broker.Day) bool { return d.Processed > 0 }); err == nil && idle {
		err = i.exists(ctx, queue)
	}
	if err != nil {
		return nil, fmt.Errorf("history of %s: %w", queue, err)
	}
	return history, nil
}

// Groups returns the groups of a queue that hold tasks, in order of their names,
// or an error that matches [ErrQueueNotFound]. It takes one trip, whose cost grows
// with their number, and one more if there are none.
func (i *Inspector) Groups(ctx context.Context, queue string) ([]broker.Group, error) {
	if err := checkBroker(i.broker); err != nil {
		return nil, fmt.Errorf("groups of %s: %w", queue, err)
	}
	groups, err := i.broker.Groups(ctx, queue)
	if err == nil && len(groups) == 0 {
		err = i.exists(ctx, queue)
	}
	if err != nil {
		return nil, fmt.Errorf("groups of %s: %w", queue, err)
	}
	return groups, nil
}

// Servers returns the servers that are alive and what each of them is running, in
// order of their ids. Its cost grows with their number.
func (i *Inspector) Servers(ctx context.Context) ([]broker.Server, error) {
	if err := checkBroker(i.broker); err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	servers, err := i.broker.Servers(ctx, time.Now())
	if err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	return servers, nil
}

// Events returns up to limit of the events after a cursor, the oldest first, as
// [broker.Streamer] has it. A broker that keeps none refuses, or fails with an
// error that matches [errors.ErrUnsupported].
func (i *Inspector) Events(ctx context.Context, after string, limit int) ([]broker.Event, error) {
	if err := checkBroker(i.broker); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	s, ok := i.broker.(broker.Streamer)
	if !ok {
		return nil, fmt.Errorf("events of broker %T: %w", i.broker, errors.ErrUnsupported)
	}
	events, err := s.Events(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return events, nil
}

// exists returns nil, or an error that matches ErrQueueNotFound if there is no
// such queue.
func (i *Inspector) exists(ctx context.Context, queue string) error {
	names, err := i.Queues(ctx)
	if err != nil {
		return err
	}
	if _, found := slices.BinarySearch(names, queue); !found {
		return ErrQueueNotFound
	}
	return nil
}

// missing returns the error about a task that is not there: it matches
// ErrTaskNotFound, and ErrQueueNotFound if there is no such queue, either.
func (i *Inspector) missing(ctx context.Context, queue string) error {
	if err := i.exists(ctx, queue); errors.Is(err, ErrQueueNotFound) {
		return fmt.Errorf("%w: %w", ErrQueueNotFound, ErrTaskNotFound)
	}
	return ErrTaskNotFound
}
