package model

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// backlog is how many signals wait for one that listens; more are lost on it.
const backlog = 1024

// Listen implements [broker.Listener].
func (m *Model) Listen(ctx context.Context, hear func(broker.Signal)) error {
	if err := m.ask(ctx, nil); err != nil {
		return err
	}
	heard := make(chan broker.Signal, backlog)
	m.listeners[heard] = true
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.listeners, heard)
	}()
	hear(broker.Signal{Kind: broker.Listening})
	for {
		select {
		case s := <-heard:
			hear(s)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tell tells those who listen.
func (m *Model) tell(kind broker.SignalKind, ref broker.EntryRef) {
	for heard := range m.listeners {
		select {
		case heard <- broker.Signal{Kind: kind, Entry: ref}:
		default: // it hears nothing: what it asks in another way is all it gets
		}
	}
}

// events are what happened last.
type events struct {
	most   int
	kept   []broker.Event
	cursor int // of the last one
}

func (l *events) add(now time.Time, ref broker.EntryRef, state task.State) {
	if l.most <= 0 {
		return
	}
	l.cursor++
	l.kept = append(l.kept, broker.Event{Cursor: strconv.Itoa(l.cursor), At: broker.CeilMilli(now), Entry: ref, State: state})
	l.kept = l.kept[max(0, len(l.kept)-l.most):]
}

// Events implements [broker.Streamer].
func (m *Model) Events(ctx context.Context, after string, limit int) ([]broker.Event, error) {
	if err := m.ask(ctx, nil); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if m.events.most <= 0 {
		return nil, fmt.Errorf("%w: events are not kept", broker.ErrRefused)
	}
	from := 1 + slices.IndexFunc(m.events.kept, func(e broker.Event) bool { return e.Cursor == after })
	found := m.events.kept[from:]
	return slices.Clone(found[:min(max(0, limit), len(found))]), nil
}
