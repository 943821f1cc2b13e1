package workflow

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow/internal/plan"
)

// A Signal is something that a run waits for and that somebody sends to it, such
// as an approval. Its payload is a T, stored as JSON.
type Signal[T any] struct{ name string }

// NewSignal returns the signal of the given name. Signals of one name are one
// signal: they must be of one type. NewSignal panics if the name is not valid.
func NewSignal[T any](name string) Signal[T] {
	if err := task.CheckName("signal", name); err != nil {
		panic(fmt.Sprintf("workflow.NewSignal: %v", err))
	}
	return Signal[T]{name}
}

// Name returns the signal's name.
func (s Signal[T]) Name() string { return s.name }

// A SendOption changes how one signal is sent.
type SendOption func(*message)

// SignalID gives the signal an id of the sender's, of at most 256 bytes. The run takes a
// signal of one name and id once, however often it is sent, as long as it is among the
// last thousand of its name.
func SignalID(id string) SendOption { return func(m *message) { m.ID = id } }

// Send sends the signal to a run. It may come before the run waits for it: it is
// kept, in the order in which signals of the name came, until a step takes it. Each
// is taken once.
//
// Sending fails with [ErrRunNotFound], with a [RunStateError] if the run has ended
// or is about to, with [ErrInboxFull] if a thousand wait, or 8 MiB of
// them, and with a [task.InvalidError] if the run's workflow never waits for it.
func (s Signal[T]) Send(ctx context.Context, to Target, payload T, opts ...SendOption) error {
	h := to.target()
	if h.plan != nil {
		if err := awaits(h.plan, s.name); err != nil {
			return fmt.Errorf("signal run %s: %w", h.ID, err)
		}
	}
	m := message{}
	for _, o := range opts {
		o(&m)
	}
	var err error
	if len(m.ID) > maxSignalID {
		return fmt.Errorf("signal run %s: %w", h.ID, task.Invalid("workflow.SignalID", m.ID, fmt.Sprintf("is longer than %d bytes", maxSignalID)))
	}
	if m.Body, err = plan.Encode(payload); err == nil {
		err = plan.CheckSize("signal "+s.name, len(m.Body), DefaultMaxOutput)
	}
	if err == nil {
		err = h.send(ctx, s.name, m)
	}
	if err != nil {
		return fmt.Errorf("send signal %s to run %s: %w", s.name, h.ID, err)
	}
	return nil
}

// send commits a message, again if something has changed meanwhile.
func (h Handle) send(ctx context.Context, signal string, m message) (err error) {
	sent := func(error) {}
	defer func() { sent(err) }()
	for first := true; ; first = false {
		c, version, err := h.control(ctx)
		if err != nil {
			return err
		}
		if t := tracerOf(h.audience); t != nil && first {
			m.Sent = time.Now()
			headers, told := t.SendSignal(ctx, h.graphOf(c).traced(), signal)
			if told != nil {
				sent = told
			}
			if fit(headers) {
				m.Headers = headers
			}
		}
		if !c.State.open() {
			return &RunStateError{ID: h.ID, State: c.State, Want: "send signal " + signal + " to"}
		}
		if h.plan == nil {
			p, err := h.planOf(ctx, c)
			if err == nil {
				err = awaits(p, signal)
			}
			if err != nil {
				return err
			}
			h.plan = p
		}
		docs, err := h.broker.Documents(ctx, h.home, inboxKey(signal))
		if err != nil {
			return err
		}
		box, err := decodeInbox(docs[0])
		if err != nil {
			return err
		}
		box, fresh := box.with(m)
		switch {
		case !fresh:
			return nil
		case box.full():
			return ErrInboxFull
		}
		outcome, err := apply(ctx, h.broker, broker.Change{
			Home:    h.home,
			Require: []broker.Condition{{Key: controlKey, Version: version}},
			Put:     []broker.Put{box.put(docs[0].Key, docs[0].Version)},
			Enqueue: []broker.Entry{h.graphOf(c).decision(causeSignal, signal+joint+strconv.Itoa(box.Sent))},
		})
		if err != nil || !errors.Is(outcome, broker.ErrConflict) {
			return errors.Join(err, outcome)
		}
	}
}

// awaits returns why a run that goes by p takes no signal of a name, or nil.
func awaits(p *plan.Plan, signal string) error {
	if p.Awaits(signal) {
		return nil
	}
	return task.Invalid("signal", signal, "is nothing that workflow "+p.Name+" waits for")
}

// cutLast cuts a name at its last joint.
func cutLast(name string) (before, after string) {
	i := strings.LastIndex(name, joint)
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}
