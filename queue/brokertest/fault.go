package brokertest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// A Fault is what happens to one call of a broker. Its zero value is nothing.
type Fault struct {
	// Delay passes before the call reaches the broker. A call whose context
	// ends in the meantime fails with the context's error and is not made.
	Delay time.Duration

	// Before, if not nil, is the call's error, and the broker does not see the
	// call. It should match [broker.ErrRefused] where a broker would know so.
	Before error

	// After, if not nil, is the call's error, and the broker has executed the
	// call: its answer is lost.
	After error
}

// Faulty returns a broker that passes calls on to b, as far as plan lets it.
// Plan is asked at each call, from several goroutines if there are several: call
// counts up from 0, method is the method's name, "Apply". Close is passed on
// without being asked for.
func Faulty(b broker.Broker, plan func(call int, method string) Fault) broker.Broker {
	return &faulty{b: b, plan: plan}
}

type faulty struct {
	b     broker.Broker
	plan  func(call int, method string) Fault
	calls atomic.Int64
}

// through makes a call as the plan wants it.
func through[T any](ctx context.Context, f *faulty, method string, call func() (T, error)) (T, error) {
	var none T
	fault := f.plan(int(f.calls.Add(1)-1), method)
	if fault.Delay > 0 {
		select {
		case <-time.After(fault.Delay):
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
	if fault.Before != nil {
		return none, fault.Before
	}
	answer, err := call()
	if fault.After != nil {
		return none, fault.After
	}
	return answer, err
}

func (f *faulty) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	return through(ctx, f, "Apply", func() (broker.Applied, error) { return f.b.Apply(ctx, now, changes, want) })
}

func (f *faulty) Extend(ctx context.Context, now, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	return through(ctx, f, "Extend", func() ([]broker.Held, error) { return f.b.Extend(ctx, now, until, leases...) })
}

func (f *faulty) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	return through(ctx, f, "Advance", func() (broker.Advanced, error) { return f.b.Advance(ctx, now, r) })
}

func (f *faulty) Documents(ctx context.Context, home broker.Home, keys ...string) ([]broker.Document, error) {
	return through(ctx, f, "Documents", func() ([]broker.Document, error) { return f.b.Documents(ctx, home, keys...) })
}

func (f *faulty) Latches(ctx context.Context, home broker.Home, ids ...string) ([]broker.LatchState, error) {
	return through(ctx, f, "Latches", func() ([]broker.LatchState, error) { return f.b.Latches(ctx, home, ids...) })
}

func (f *faulty) OpenEntries(ctx context.Context, r broker.OpenRequest) (broker.OpenPage, error) {
	return through(ctx, f, "OpenEntries", func() (broker.OpenPage, error) { return f.b.OpenEntries(ctx, r) })
}

func (f *faulty) Homes(ctx context.Context, r broker.HomesRequest) (broker.HomesPage, error) {
	return through(ctx, f, "Homes", func() (broker.HomesPage, error) { return f.b.Homes(ctx, r) })
}

func (f *faulty) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	return through(ctx, f, "Entry", func() (broker.Stored, error) { return f.b.Entry(ctx, ref) })
}

func (f *faulty) List(ctx context.Context, r broker.ListRequest) ([]broker.Stored, error) {
	return through(ctx, f, "List", func() ([]broker.Stored, error) { return f.b.List(ctx, r) })
}

func (f *faulty) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	return through(ctx, f, "Counts", func() ([]broker.Counts, error) { return f.b.Counts(ctx, now, queues...) })
}

func (f *faulty) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	_, err := through(ctx, f, "Beat", func() (struct{}, error) { return struct{}{}, f.b.Beat(ctx, now, s) })
	return err
}

func (f *faulty) Servers(ctx context.Context, now time.Time) ([]broker.Server, error) {
	return through(ctx, f, "Servers", func() ([]broker.Server, error) { return f.b.Servers(ctx, now) })
}

func (f *faulty) Ping(ctx context.Context) error {
	_, err := through(ctx, f, "Ping", func() (struct{}, error) { return struct{}{}, f.b.Ping(ctx) })
	return err
}

func (f *faulty) Gather(ctx context.Context, now time.Time, r broker.GatherRequest) (broker.Batch, error) {
	return through(ctx, f, "Gather", func() (broker.Batch, error) { return f.b.Gather(ctx, now, r) })
}

func (f *faulty) Joined(ctx context.Context, r broker.JoinedRequest) (broker.JoinedPage, error) {
	return through(ctx, f, "Joined", func() (broker.JoinedPage, error) { return f.b.Joined(ctx, r) })
}

func (f *faulty) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	_, err := through(ctx, f, "BeatScheduler", func() (struct{}, error) { return struct{}{}, f.b.BeatScheduler(ctx, now, s) })
	return err
}

func (f *faulty) Schedulers(ctx context.Context, now time.Time) ([]broker.Scheduler, error) {
	return through(ctx, f, "Schedulers", func() ([]broker.Scheduler, error) { return f.b.Schedulers(ctx, now) })
}

func (f *faulty) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	_, err := through(ctx, f, "RecordTicks", func() (struct{}, error) { return struct{}{}, f.b.RecordTicks(ctx, ticks...) })
	return err
}

func (f *faulty) Ticks(ctx context.Context, entry string, limit int) ([]broker.Tick, error) {
	return through(ctx, f, "Ticks", func() ([]broker.Tick, error) { return f.b.Ticks(ctx, entry, limit) })
}

func (f *faulty) ForgetTicks(ctx context.Context, entries ...string) error {
	_, err := through(ctx, f, "ForgetTicks", func() (struct{}, error) { return struct{}{}, f.b.ForgetTicks(ctx, entries...) })
	return err
}

func (f *faulty) Groups(ctx context.Context, queue string) ([]broker.Group, error) {
	return through(ctx, f, "Groups", func() ([]broker.Group, error) { return f.b.Groups(ctx, queue) })
}

func (f *faulty) Report(ctx context.Context, now time.Time, reports ...broker.Progress) ([]broker.Held, error) {
	return through(ctx, f, "Report", func() ([]broker.Held, error) { return f.b.Report(ctx, now, reports...) })
}

func (f *faulty) Sweep(ctx context.Context, now time.Time, r broker.SweepRequest) (int, error) {
	return through(ctx, f, "Sweep", func() (int, error) { return f.b.Sweep(ctx, now, r) })
}

func (f *faulty) Pause(ctx context.Context, now time.Time, queue string, paused bool) (bool, error) {
	return through(ctx, f, "Pause", func() (bool, error) { return f.b.Pause(ctx, now, queue, paused) })
}

func (f *faulty) Remove(ctx context.Context, now time.Time, queue string, force bool) error {
	_, err := through(ctx, f, "Remove", func() (struct{}, error) { return struct{}{}, f.b.Remove(ctx, now, queue, force) })
	return err
}

func (f *faulty) Queues(ctx context.Context) ([]string, error) {
	return through(ctx, f, "Queues", func() ([]string, error) { return f.b.Queues(ctx) })
}

func (f *faulty) History(ctx context.Context, now time.Time, queue string, days int) ([]broker.Day, error) {
	return through(ctx, f, "History", func() ([]broker.Day, error) { return f.b.History(ctx, now, queue, days) })
}

func (f *faulty) Memory(ctx context.Context, queue string) (int64, error) {
	return through(ctx, f, "Memory", func() (int64, error) { return f.b.Memory(ctx, queue) })
}

// Listen listens to a broker that is a [broker.Listener], and otherwise fails at
// once: then there is nothing to hear.
func (f *faulty) Listen(ctx context.Context, hear func(broker.Signal)) error {
	_, err := through(ctx, f, "Listen", func() (struct{}, error) {
		l, ok := f.b.(broker.Listener)
		if !ok {
			return struct{}{}, fmt.Errorf("%w: %T cannot be listened to", broker.ErrRefused, f.b)
		}
		return struct{}{}, l.Listen(ctx, hear)
	})
	return err
}

// Wait waits on a broker that is a [broker.Waker], and says of another that it is
// not to be waited on.
func (f *faulty) Wait(ctx context.Context, queues []string) (broker.Wake, error) {
	return through(ctx, f, "Wait", func() (broker.Wake, error) {
		w, ok := f.b.(broker.Waker)
		if !ok {
			return broker.Wake{}, fmt.Errorf("%T: %w", f.b, errors.ErrUnsupported)
		}
		return w.Wait(ctx, queues)
	})
}

// Events returns the events of a broker that is a [broker.Streamer].
func (f *faulty) Events(ctx context.Context, after string, limit int) ([]broker.Event, error) {
	return through(ctx, f, "Events", func() ([]broker.Event, error) {
		s, ok := f.b.(broker.Streamer)
		if !ok {
			return nil, fmt.Errorf("%w: %T keeps no events", broker.ErrRefused, f.b)
		}
		return s.Events(ctx, after, limit)
	})
}

func (f *faulty) Close() error { return f.b.Close() }
