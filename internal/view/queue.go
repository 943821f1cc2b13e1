package view

import (
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

// A Queue is the figures of a queue.
type Queue struct {
	Queue  string `json:"queue"`
	Paused bool   `json:"paused"`
	Pause  *Pause `json:"pause,omitempty"` // who has paused it, when and why, where somebody has said so

	Size        int `json:"size"` // all tasks
	Pending     int `json:"pending"`
	Active      int `json:"active"`
	Scheduled   int `json:"scheduled"`
	Retry       int `json:"retry"`
	Archived    int `json:"archived"`
	Completed   int `json:"completed"`
	Aggregating int `json:"aggregating"`
	Groups      int `json:"groups"`

	Processed      int     `json:"processed"` // today (UTC): all outcomes
	Failed         int     `json:"failed"`    // today: those that were failures
	ErrorRate      float64 `json:"error_rate"`
	ProcessedTotal int     `json:"processed_total"`
	FailedTotal    int     `json:"failed_total"`

	LatencySeconds float64 `json:"latency_seconds"`

	MemoryBytes *int64 `json:"memory_bytes"` // null: it is not known, or was not asked for
	MemoryError string `json:"memory_error,omitempty"`
}

// QueueOf returns what is shown of a queue.
func QueueOf(i queue.QueueInfo) Queue {
	q := Queue{
		Queue: i.Queue, Paused: i.Paused,
		Size: i.Size(), Pending: i.Pending, Active: i.Active, Scheduled: i.Scheduled, Retry: i.Retry,
		Archived: i.Archived, Completed: i.Completed, Aggregating: i.Aggregating, Groups: i.Groups,
		Processed: i.Processed, Failed: i.Failed, ErrorRate: rate(i.Failed, i.Processed),
		ProcessedTotal: i.ProcessedTotal, FailedTotal: i.FailedTotal,
		LatencySeconds: seconds(i.Latency),
	}
	if i.Pause != nil {
		q.Pause = &Pause{At: utc(i.Pause.At), By: i.Pause.By, Why: i.Pause.Why}
	}
	switch {
	case i.MemoryErr != nil:
		q.MemoryError = i.MemoryErr.Error()
	case i.Memory > 0 || i.Size() == 0:
		q.MemoryBytes = &i.Memory
	}
	return q
}

// rate returns which fraction of all outcomes some are: 0 of none.
func rate(some, all int) float64 {
	if all == 0 {
		return 0
	}
	return float64(some) / float64(all)
}

// A Day is the outcomes of a queue on a day.
type Day struct {
	Queue     string  `json:"queue,omitempty"`
	Date      string  `json:"date"` // "2006-01-02", UTC
	Processed int     `json:"processed"`
	Failed    int     `json:"failed"`
	ErrorRate float64 `json:"error_rate"`
}

// DayOf returns what is shown of a day of a queue.
func DayOf(queue string, d broker.Day) Day {
	return Day{Queue: queue, Date: utc(d.Date).Format(time.DateOnly), Processed: d.Processed, Failed: d.Failed, ErrorRate: rate(d.Failed, d.Processed)}
}

// A Group is the tasks that wait in a group.
type Group struct {
	Queue    string    `json:"queue"`
	Group    string    `json:"group"`
	Size     int       `json:"size"`
	Frozen   int       `json:"frozen"`             // that are being folded
	OldestAt time.Time `json:"oldest_at,omitzero"` // when the one was added that waits longest
	NewestAt time.Time `json:"newest_at,omitzero"`
}

// GroupOf returns what is shown of a group of a queue.
func GroupOf(queue string, g broker.Group) Group {
	return Group{Queue: queue, Group: g.Name, Size: g.Size, Frozen: g.Frozen, OldestAt: utc(g.Oldest), NewestAt: utc(g.Newest)}
}
