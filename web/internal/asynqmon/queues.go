package asynqmon

import (
	"context"
	"errors"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/web/internal/deed"
)

// A snapshot is the figures of a queue.
type snapshot struct {
	Queue          string    `json:"queue"`
	Memory         int64     `json:"memory_usage_bytes"`
	Size           int       `json:"size"`
	Groups         int       `json:"groups"`
	Latency        int64     `json:"latency_msec"`
	DisplayLatency string    `json:"display_latency"`
	Active         int       `json:"active"`
	Pending        int       `json:"pending"`
	Aggregating    int       `json:"aggregating"`
	Scheduled      int       `json:"scheduled"`
	Retry          int       `json:"retry"`
	Archived       int       `json:"archived"`
	Completed      int       `json:"completed"`
	Processed      int       `json:"processed"`
	Succeeded      int       `json:"succeeded"`
	Failed         int       `json:"failed"`
	Paused         bool      `json:"paused"`
	Timestamp      time.Time `json:"timestamp"`
}

// A day is the outcomes of a queue on one.
type day struct {
	Queue     string `json:"queue"`
	Processed int    `json:"processed"`
	Succeeded int    `json:"succeeded"`
	Failed    int    `json:"failed"`
	Date      string `json:"date"`
}

func (m *monitor) snapshot(ctx context.Context, name string) (snapshot, error) {
	i, err := m.Storage.Inspector.QueueInfo(ctx, name)
	if err != nil {
		return snapshot{}, err
	}
	return snapshot{
		Queue: i.Queue, Memory: i.Memory, Size: i.Size(), Groups: i.Groups,
		Latency: i.Latency.Milliseconds(), DisplayLatency: i.Latency.Round(10 * time.Millisecond).String(),
		Active: i.Active, Pending: i.Pending, Aggregating: i.Aggregating, Scheduled: i.Scheduled,
		Retry: i.Retry, Archived: i.Archived, Completed: i.Completed,
		Processed: i.Processed, Succeeded: i.Processed - i.Failed, Failed: i.Failed,
		Paused: i.Paused, Timestamp: m.Storage.Now(),
	}, nil
}

// days returns the outcomes of a queue on the last n days.
func (m *monitor) days(ctx context.Context, name string, n int) ([]day, error) {
	found, err := m.Storage.Inspector.History(ctx, name, n)
	shown := []day{}
	for _, d := range found {
		shown = append(shown, day{name, d.Processed, d.Processed - d.Failed, d.Failed, d.Date.UTC().Format(time.DateOnly)})
	}
	return shown, err
}

// names returns the queues that can be read.
func (m *monitor) names(ctx context.Context) (names []string, err error) {
	all, err := m.Storage.Queues(ctx)
	for _, i := range all.Infos {
		names = append(names, i.Queue)
	}
	return names, err
}

func listQueues(ctx context.Context, m *monitor, _ *call) (any, error) {
	names, err := m.names(ctx)
	if err != nil {
		return nil, err
	}
	queues := []snapshot{}
	for _, name := range names {
		s, err := m.snapshot(ctx, name)
		if errors.Is(err, queue.ErrQueueNotFound) {
			continue // it was removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		queues = append(queues, s)
	}
	return map[string]any{"queues": queues}, nil
}

func readQueue(ctx context.Context, m *monitor, c *call) (any, error) {
	current, err := m.snapshot(ctx, c.names["queue"])
	if err != nil {
		return nil, err
	}
	history, err := m.days(ctx, c.names["queue"], 10)
	return map[string]any{"current": current, "history": history}, err
}

func readStats(ctx context.Context, m *monitor, _ *call) (any, error) {
	names, err := m.names(ctx)
	if err != nil {
		return nil, err
	}
	stats := map[string][]day{}
	for _, name := range names {
		if stats[name], err = m.days(ctx, name, broker.MaxHistory); err != nil {
			return nil, err
		}
	}
	return map[string]any{"stats": stats}, nil
}

func listGroups(ctx context.Context, m *monitor, c *call) (any, error) {
	stats, err := m.snapshot(ctx, c.names["queue"])
	if err != nil {
		return nil, err
	}
	groups, err := m.groups(ctx, c.names["queue"])
	return map[string]any{"stats": stats, "groups": groups}, err
}

// A group is the tasks that wait in one.
type group struct {
	Group string `json:"group"`
	Size  int    `json:"size"`
}

func (m *monitor) groups(ctx context.Context, name string) ([]group, error) {
	found, err := m.Storage.Inspector.Groups(ctx, name)
	shown := []group{}
	for _, g := range found {
		shown = append(shown, group{g.Name, g.Size})
	}
	return shown, err
}

// doQueue does a deed to the queue.
func doQueue(name string) func(context.Context, *monitor, *call) (any, error) {
	return func(ctx context.Context, m *monitor, c *call) (any, error) {
		if _, err := m.Storage.Inspector.QueueInfo(ctx, c.names["queue"]); err != nil {
			return nil, err // a queue that there is not yet could be paused
		}
		return nil, m.perform(ctx, c, deed.Queue, name, deed.Target{Queue: c.names["queue"]})
	}
}

// removeQueue removes a queue that is empty: of one that is not, asynqmon says 400.
func removeQueue(ctx context.Context, m *monitor, c *call) (any, error) {
	err := m.perform(ctx, c, deed.Queue, "remove", deed.Target{Queue: c.names["queue"]})
	if errors.Is(err, queue.ErrQueueNotEmpty) {
		return nil, badRequest("not-empty", "the queue is not empty")
	}
	return nil, err
}

// perform does a deed.
func (m *monitor) perform(ctx context.Context, c *call, kind deed.Kind, name string, t deed.Target) error {
	d, err := deed.Find(kind, name)
	if err != nil {
		return err
	}
	_, err = m.Doer.Perform(ctx, c.who, d, t, nil)
	return err
}
