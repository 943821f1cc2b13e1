package asynqmon

import (
	"context"
	"slices"

	"github.com/leatwork/leat/queue/broker"
)

// A server is a process that runs tasks.
type server struct {
	ID          string         `json:"id"`
	Host        string         `json:"host"`
	PID         int            `json:"pid"`
	Concurrency int            `json:"concurrency"`
	Queues      map[string]int `json:"queue_priorities"`
	Strict      bool           `json:"strict_priority_enabled"`
	StartTime   string         `json:"start_time"`
	Status      string         `json:"status"`
	Workers     []worker       `json:"active_workers"`
}

// A worker is what a server is running.
type worker struct {
	TaskID    string `json:"task_id"`
	Queue     string `json:"queue"`
	Type      string `json:"task_type"`
	Payload   string `json:"task_payload"`
	StartTime string `json:"start_time"`
}

func listServers(ctx context.Context, m *monitor, c *call) (any, error) {
	found, err := m.Storage.Servers(ctx)
	if err != nil {
		return nil, err
	}
	servers := []server{}
	for _, s := range found {
		shown := server{
			ID: s.ID, Host: s.Host, PID: s.PID, Concurrency: s.Concurrency, Queues: s.Queues, Strict: s.Strict,
			StartTime: timeOf(s.Started), Status: s.Status, Workers: []worker{},
		}
		for _, w := range s.Workers {
			shown.Workers = append(shown.Workers, worker{
				w.Entry.ID, w.Entry.Queue, w.Type, textOf(m.Mask.Payload(c.who.Role, w.Payload)), timeOf(w.Started),
			})
		}
		servers = append(servers, shown)
	}
	return map[string]any{"servers": servers}, nil
}

// An entry is a periodic entry that a scheduler tells of.
type entry struct {
	ID      string   `json:"id"`
	Spec    string   `json:"spec"`
	Type    string   `json:"task_type"`
	Payload string   `json:"task_payload"`
	Options []string `json:"options"`
	Next    string   `json:"next_enqueue_at"`
	Prev    string   `json:"prev_enqueue_at,omitempty"`
}

func listEntries(ctx context.Context, m *monitor, c *call) (any, error) {
	all, err := m.Storage.AllEntries(ctx)
	if err != nil {
		return nil, err
	}
	entries, known := []entry{}, map[string]bool{}
	for _, s := range all.Schedulers {
		for _, e := range s.Entries {
			if !known[e.ID] {
				known[e.ID] = true
				entries = append(entries, m.entryOf(c, e))
			}
		}
	}
	return map[string]any{"entries": entries}, nil
}

func (m *monitor) entryOf(c *call, e broker.PeriodicEntry) entry {
	options := slices.Clone(e.Options)
	if options == nil || m.Mask.Hides(c.who.Role) { // a header may be among them
		options = []string{}
	}
	return entry{
		ID: e.ID, Spec: e.Spec, Type: e.Type, Payload: textOf(m.Mask.Payload(c.who.Role, e.Payload)), Options: options,
		Next: timeOf(e.Next), Prev: timeOf(e.Prev),
	}
}

// An event is that an entry has enqueued a task.
type event struct {
	TaskID     string `json:"task_id"`
	EnqueuedAt string `json:"enqueued_at"`
}

func listEvents(ctx context.Context, m *monitor, c *call) (any, error) {
	size, page, err := c.paging()
	if err != nil {
		return nil, err
	}
	ticks, err := m.Storage.Broker.Ticks(ctx, c.names["entry"], broker.MaxTicks)
	if err != nil {
		return nil, err
	}
	events := []event{}
	for n, t := range ticks {
		if n/size == page-1 {
			events = append(events, event{t.TaskID, timeOf(t.At)})
		}
	}
	return map[string]any{"events": events}, nil
}
