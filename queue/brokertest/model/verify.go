package model

import (
	"context"
	"fmt"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// Verify implements [broker.Verifier].
func (m *Model) Verify(ctx context.Context, _ time.Time) ([]string, error) {
	if err := m.ask(ctx, nil); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var faults []string
	for name, q := range m.queues {
		for _, fault := range q.faults() {
			faults = append(faults, fmt.Sprintf("%s of queue %s", fault, name))
		}
	}
	return faults, nil
}

func (q *queue) faults() (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	listed := make(map[string]int)
	for _, id := range q.pending {
		listed[id]++
	}
	for id, e := range q.entries {
		if pending := e.State == task.Pending; listed[id] > 1 || pending != (listed[id] == 1) {
			fault("entry %s is %s and is %d times in the line", id, e.State, listed[id])
		}
		if e.State == task.Active && e.token == "" || e.State != task.Active && !e.frozen() && e.token != "" {
			fault("entry %s is %s with token %q", id, e.State, e.token)
		}
		if e.frozen() && q.batches[e.token] == nil {
			fault("entry %s is in no batch", id)
		}
		if e.Claim.Behind && (q.behind[e.Claim.Key] != id || e.State != task.Scheduled) {
			fault("entry %s is %s and waits behind nothing", id, e.State)
		}
	}
	for key, c := range q.claims {
		if e := q.entries[c.holder]; c.until.IsZero() && (e == nil || e.hasEnded()) {
			fault("claim %s is held for ever by %s", key, c.holder)
		}
	}
	for key, id := range q.behind {
		if e := q.entries[id]; e == nil || !e.Claim.Behind {
			fault("nothing waits behind claim %s: %s", key, id)
		}
	}
	for token := range q.batches {
		if len(q.members(token)) == 0 {
			fault("batch %s is empty", token)
		}
	}
	return faults
}

// Leftovers names everything in m but its queues and figures, as the suite in
// package brokertest wants it.
func (m *Model) Leftovers() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name, q := range m.queues {
		for id, e := range q.entries {
			names = append(names, fmt.Sprintf("%s entry %s/%s", e.State, name, id))
		}
		for key, c := range q.claims {
			names = append(names, fmt.Sprintf("claim %s/%s of %s", name, key, c.holder))
		}
		for key, id := range q.behind {
			names = append(names, fmt.Sprintf("wait of %s/%s behind %s", name, id, key))
		}
		for token := range q.batches {
			names = append(names, fmt.Sprintf("batch %s of %s", token, name))
		}
	}
	for name := range m.paused {
		names = append(names, "pause of "+name)
	}
	for home := range m.homes {
		names = append(names, "home "+home.String())
	}
	for id := range m.servers {
		names = append(names, "server "+id)
	}
	for id := range m.schedulers {
		names = append(names, "scheduler "+id)
	}
	for entry := range m.ticks {
		names = append(names, "ticks of "+entry)
	}
	return names
}

// Mend implements [broker.Mender]. There is no remedy for a model that is wrong.
func (m *Model) Mend(ctx context.Context, now time.Time, _ bool) ([]broker.Mended, error) {
	faults, err := m.Verify(ctx, now)
	var left []broker.Mended
	for _, fault := range faults {
		left = append(left, broker.Mended{Fault: fault})
	}
	return left, err
}
