package brokertest

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Rooted returns a broker that is b with other ids: all of entries and homes
// begin with one root, which nobody sees. A storage that is divided by the roots
// of ids has then everything in one of its parts, so that the whole suite holds
// for it: what a case says of things whose ids are unrelated is not promised
// between parts, see [broker.ErrApart].
//
// Only ids that leave no room for it have no root.
func Rooted(b broker.Broker, root string) broker.Broker {
	return &rooted{b, root + string(task.Joint)}
}

type rooted struct {
	b    broker.Broker
	root string
}

// put returns v with the root in every id, and cut without.
func put[T any](r *rooted, v T) T { return change(v, r.add) }
func cut[T any](r *rooted, v T) T {
	return change(v, func(id string) string { return strings.TrimPrefix(id, r.root) })
}

func (r *rooted) add(id string) string {
	if id == "" || len(id)+len(r.root) > 4*task.MaxName {
		return id
	}
	return r.root + id
}

// change returns a copy of v in which every id is what f makes of it: those of
// references to entries, and of homes.
func change[T any](v T, f func(string) string) T {
	return changed(reflect.ValueOf(&v).Elem(), f).Interface().(T)
}

func changed(v reflect.Value, f func(string) string) reflect.Value {
	switch v.Kind() {
	case reflect.Struct:
		made := reflect.New(v.Type()).Elem()
		made.Set(v)
		if _, isTime := v.Interface().(time.Time); isTime {
			return made
		}
		for i := range v.NumField() {
			made.Field(i).Set(changed(v.Field(i), f))
		}
		switch x := made.Addr().Interface().(type) {
		case *broker.EntryRef:
			x.ID = f(x.ID)
		case *broker.Home:
			x.ID = f(x.ID)
		}
		return made
	case reflect.Slice:
		if v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return v
		}
		made := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			made.Index(i).Set(changed(v.Index(i), f))
		}
		return made
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		made := reflect.New(v.Type().Elem())
		made.Elem().Set(changed(v.Elem(), f))
		return made
	case reflect.Interface: // an error
		if err, ok := v.Interface().(error); ok {
			return reflect.ValueOf(changedError(err, f))
		}
	}
	return v
}

// changedError returns err with other ids in what it says.
func changedError(err error, f func(string) string) error {
	switch e := err.(type) {
	case *broker.ExistsError:
		return change(e, f)
	case *broker.ClaimedError:
		made := change(e, f)
		made.Holder = f(made.Holder)
		return made
	case *broker.ConflictError:
		return change(e, f)
	case *broker.StateError:
		return change(e, f)
	case *broker.QuotaError:
		return change(e, f)
	}
	return &rootedError{err, f}
}

// A rootedError is an error in whose text ids are others.
type rootedError struct {
	err error
	f   func(string) string
}

func (e *rootedError) Unwrap() error { return e.err }

func (e *rootedError) Error() string {
	text := e.err.Error()
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" /:", r) }) {
		text = strings.ReplaceAll(text, word, e.f(word))
	}
	return text
}

// bare returns what a call returned, with bare ids.
func bare[T any](r *rooted, v T, err error) (T, error) { return cut(r, v), r.error(err) }

func (r *rooted) error(err error) error {
	if err == nil {
		return nil
	}
	return cut(r, []error{err})[0]
}

func (r *rooted) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	done, err := r.b.Apply(ctx, now, put(r, changes), want)
	return bare(r, done, err)
}

func (r *rooted) Extend(ctx context.Context, now, until time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	held, err := r.b.Extend(ctx, now, until, put(r, leases)...)
	return bare(r, held, err)
}

func (r *rooted) Advance(ctx context.Context, now time.Time, a broker.AdvanceRequest) (broker.Advanced, error) {
	done, err := r.b.Advance(ctx, now, a)
	return done, r.error(err)
}

func (r *rooted) Documents(ctx context.Context, home broker.Home, keys ...string) ([]broker.Document, error) {
	found, err := r.b.Documents(ctx, put(r, home), keys...)
	return bare(r, found, err)
}

func (r *rooted) Latches(ctx context.Context, home broker.Home, ids ...string) ([]broker.LatchState, error) {
	found, err := r.b.Latches(ctx, put(r, home), ids...)
	return bare(r, found, err)
}

func (r *rooted) OpenEntries(ctx context.Context, o broker.OpenRequest) (broker.OpenPage, error) {
	found, err := r.b.OpenEntries(ctx, put(r, o))
	return bare(r, found, err)
}

func (r *rooted) Homes(ctx context.Context, h broker.HomesRequest) (broker.HomesPage, error) {
	found, err := r.b.Homes(ctx, h)
	return bare(r, found, err)
}

func (r *rooted) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	found, err := r.b.Entry(ctx, put(r, ref))
	return bare(r, found, err)
}

func (r *rooted) List(ctx context.Context, l broker.ListRequest) ([]broker.Stored, error) {
	found, err := r.b.List(ctx, l)
	return bare(r, found, err)
}

func (r *rooted) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	return r.b.Counts(ctx, now, queues...)
}

func (r *rooted) Beat(ctx context.Context, now time.Time, s broker.Server) error {
	return r.error(r.b.Beat(ctx, now, put(r, s)))
}

func (r *rooted) Servers(ctx context.Context, now time.Time) ([]broker.Server, error) {
	found, err := r.b.Servers(ctx, now)
	return bare(r, found, err)
}

func (r *rooted) Ping(ctx context.Context) error { return r.b.Ping(ctx) }
func (r *rooted) Close() error                   { return r.b.Close() }

func (r *rooted) Gather(ctx context.Context, now time.Time, g broker.GatherRequest) (broker.Batch, error) {
	found, err := r.b.Gather(ctx, now, g)
	return bare(r, found, err)
}

func (r *rooted) Joined(ctx context.Context, j broker.JoinedRequest) (broker.JoinedPage, error) {
	return r.b.Joined(ctx, j)
}

func (r *rooted) BeatScheduler(ctx context.Context, now time.Time, s broker.Scheduler) error {
	return r.b.BeatScheduler(ctx, now, s)
}

func (r *rooted) Schedulers(ctx context.Context, now time.Time) ([]broker.Scheduler, error) {
	return r.b.Schedulers(ctx, now)
}

func (r *rooted) RecordTicks(ctx context.Context, ticks ...broker.Tick) error {
	return r.b.RecordTicks(ctx, ticks...)
}

func (r *rooted) Ticks(ctx context.Context, entry string, limit int) ([]broker.Tick, error) {
	return r.b.Ticks(ctx, entry, limit)
}

func (r *rooted) ForgetTicks(ctx context.Context, entries ...string) error {
	return r.b.ForgetTicks(ctx, entries...)
}

func (r *rooted) Groups(ctx context.Context, queue string) ([]broker.Group, error) {
	return r.b.Groups(ctx, queue)
}

func (r *rooted) Report(ctx context.Context, now time.Time, reports ...broker.Progress) ([]broker.Held, error) {
	held, err := r.b.Report(ctx, now, put(r, reports)...)
	return bare(r, held, err)
}

func (r *rooted) Sweep(ctx context.Context, now time.Time, s broker.SweepRequest) (int, error) {
	return r.b.Sweep(ctx, now, s)
}

func (r *rooted) Pause(ctx context.Context, now time.Time, queue string, paused bool) (bool, error) {
	return r.b.Pause(ctx, now, queue, paused)
}

func (r *rooted) Remove(ctx context.Context, now time.Time, queue string, force bool) error {
	return r.b.Remove(ctx, now, queue, force)
}

func (r *rooted) Queues(ctx context.Context) ([]string, error) { return r.b.Queues(ctx) }

func (r *rooted) History(ctx context.Context, now time.Time, queue string, days int) ([]broker.Day, error) {
	return r.b.History(ctx, now, queue, days)
}

func (r *rooted) Memory(ctx context.Context, queue string) (int64, error) {
	return r.b.Memory(ctx, queue)
}

func (r *rooted) Verify(ctx context.Context, now time.Time) ([]string, error) {
	return r.b.(broker.Verifier).Verify(ctx, now)
}

func (r *rooted) Listen(ctx context.Context, hear func(broker.Signal)) error {
	return r.b.(broker.Listener).Listen(ctx, func(s broker.Signal) { hear(cut(r, s)) })
}

func (r *rooted) Events(ctx context.Context, after string, limit int) ([]broker.Event, error) {
	found, err := r.b.(broker.Streamer).Events(ctx, after, limit)
	return bare(r, found, err)
}

func (r *rooted) Mend(ctx context.Context, now time.Time, dry bool) ([]broker.Mended, error) {
	return r.b.(broker.Mender).Mend(ctx, now, dry)
}

func (r *rooted) Describe(ctx context.Context, queues ...string) (broker.About, error) {
	if d, ok := r.b.(broker.Describer); ok {
		return d.Describe(ctx, queues...)
	}
	return broker.About{}, errors.ErrUnsupported
}
