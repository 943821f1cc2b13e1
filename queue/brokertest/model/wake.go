package model

import (
	"context"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Wait implements [broker.Waker].
func (m *Model) Wait(ctx context.Context, queues []string) (broker.Wake, error) {
	return m.board.Wait(ctx, queues)
}

// awaits notes that an entry of q is due at a time.
func (q *queue) awaits(due time.Time) {
	if q.due.IsZero() || due.Before(q.due) {
		q.due = due
	}
}

// resumed notes that what is ready in a queue may be leased again.
func (m *Model) resumed(name string) {
	if q := m.queues[name]; q != nil {
		q.readied = true
	}
}

// passGroups notes that something may wait in the groups of a queue.
func (m *Model) passGroups(name string) {
	if q := m.queues[name]; q != nil {
		q.joins.woken = true
	}
}

// end unlocks the model after a call that may have changed something. It leaves
// the wakes of the call, and gives away those that are passed on.
func (m *Model) end(pass ...broker.Wake) {
	defer m.mu.Unlock()
	for _, w := range pass {
		if queue, ok := w.OfGroups(); ok {
			m.passGroups(queue)
		} else if w.At.IsZero() && !m.paused[w.Queue] {
			m.resumed(w.Queue)
		}
	}
	for name, q := range m.queues {
		if q.readied && len(q.pending) > 0 {
			m.board.Leave(broker.Wake{Queue: name})
		}
		q.readied = false
	}
	for name, q := range m.queues {
		if q.joins.woken {
			m.board.Leave(broker.Wake{Queue: broker.GroupsOf(name)})
		}
		q.joins.woken = false
	}
	for name, q := range m.queues {
		if !q.due.IsZero() {
			m.board.Leave(broker.Wake{Queue: name, At: q.due})
		}
		q.due = time.Time{}
	}
	for _, w := range pass {
		if !w.At.IsZero() {
			m.board.Leave(w)
		}
	}
}
