package task

import (
	"context"
	"fmt"
	"slices"
)

// A Kind is a type of task whose payload and result are Go values. It is made
// once, usually in a variable of a package, and shared by those who enqueue such
// tasks, those who run them and those who wait for them; the compiler sees to it
// that they agree. It never changes.
type Kind[In, Out any] struct {
	typ      string
	in       Codec[In]
	out      Codec[Out]
	defaults []Option
}

// Define returns the kind of the tasks of one type, whose payload and result are
// JSON. With [None] for In or Out there is no payload or no result.
//
// The defaults are used whenever such a task is enqueued: those of the client
// win over them, the task's own over these, the call's over all.
//
// Define checks nothing: a wrong type or option is refused where a task is
// enqueued or a handler is registered.
func Define[In, Out any](typ string, defaults ...Option) *Kind[In, Out] {
	return DefineWith(typ, JSON[In](), JSON[Out](), defaults...)
}

// DefineWith is [Define] with codecs of the caller's choice, one for the payload
// and one for the result. It panics if one is nil.
func DefineWith[In, Out any](typ string, in Codec[In], out Codec[Out], defaults ...Option) *Kind[In, Out] {
	if in == nil || out == nil {
		panic("task: nil codec for " + typ)
	}
	return &Kind[In, Out]{typ: typ, in: in, out: out, defaults: slices.Clone(defaults)}
}

// Type returns the type of the tasks.
func (k *Kind[In, Out]) Type() string { return k.typ }

// New returns a task with in as its payload. Its options win over the defaults of
// the kind and of the client. An error is that of the codec.
func (k *Kind[In, Out]) New(in In, options ...Option) (*Task, error) {
	payload, err := k.in.Encode(in)
	if err != nil {
		return nil, fmt.Errorf("payload of %s: %w", k.typ, err)
	}
	t := New(k.typ, payload, options...)
	t.defaults = k.defaults
	return t, nil
}

// An Enqueuer enqueues tasks, as a client of package queue does.
type Enqueuer interface {
	Enqueue(ctx context.Context, t *Task, options ...Option) (*Info, error)
}

// Enqueue has q enqueue a task with in as its payload. The options win over all
// defaults.
func (k *Kind[In, Out]) Enqueue(ctx context.Context, q Enqueuer, in In, options ...Option) (*Info, error) {
	t, err := k.New(in)
	if err != nil {
		return nil, fmt.Errorf("enqueue: %w", err)
	}
	return q.Enqueue(ctx, t, options...)
}

// Handle registers f for the tasks of this kind, as [Mux.Handle] does, in the
// form that [Kind.Handler] gives it.
func (k *Kind[In, Out]) Handle(m *Mux, f func(ctx context.Context, in In) (Out, error)) {
	m.Handle(k.typ, k.Handler(f))
}

// Handler returns f as a handler of the tasks of this kind; for those of another
// type there is none. What f returns with a nil error becomes the task's result,
// even if the context has ended meanwhile.
//
// A task whose payload cannot be decoded is archived at once, with a
// [DecodeError] that names what was wanted and what was there. So is one whose
// result cannot be encoded or is too large: f has done its work, and to have it
// do that again would not help. It panics if f is nil.
func (k *Kind[In, Out]) Handler(f func(ctx context.Context, in In) (Out, error)) Handler {
	if f == nil {
		panic("task: nil handler for " + k.typ)
	}
	return HandlerFunc(func(ctx context.Context, t *Task) error {
		if t.Type() != k.typ { // a Mux takes its patterns for prefixes
			return NotFound(ctx, t)
		}
		in, err := decode(k.in, k.typ, "payload", t.Payload())
		if err != nil {
			return fmt.Errorf("%w: %w", err, SkipRetry)
		}
		out, err := f(ctx, in)
		if err != nil {
			return err
		}
		return k.keep(t, out)
	})
}

// keep makes out the result of t.
func (k *Kind[In, Out]) keep(t *Task, out Out) error {
	result, err := k.out.Encode(out)
	if err == nil && result != nil && t.writer != nil {
		err = t.writer.keep(result)
	}
	if err != nil {
		return fmt.Errorf("result of %s: %w: %w", k.typ, err, SkipRetry)
	}
	return nil
}

// A Waiter waits for the end of tasks, as a client of package queue does: it
// returns what is known of the one that info is about once that is completed,
// and an error if it comes to nothing.
type Waiter interface {
	Wait(ctx context.Context, info *Info) (*Info, error)
}

// Wait has w wait until the task that info is about is done, and returns its
// result. An error is that of w, or a [DecodeError].
func (k *Kind[In, Out]) Wait(ctx context.Context, w Waiter, info *Info) (Out, error) {
	ended, err := w.Wait(ctx, info)
	if err != nil {
		return *new(Out), err
	}
	return k.Output(ended)
}

// Input returns the payload of the task that info is about, or a [DecodeError].
func (k *Kind[In, Out]) Input(info *Info) (In, error) {
	return decode(k.in, info.Type, "payload", info.Payload)
}

// Output returns the result of the task that info is about, or a [DecodeError]:
// also if there is none, unless the codec takes that for a value.
func (k *Kind[In, Out]) Output(info *Info) (Out, error) {
	return decode(k.out, info.Type, "result", info.Result)
}
