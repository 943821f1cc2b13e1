package view

import "github.com/leatwork/leat/queue"

// Stats is the figures of all queues.
type Stats struct {
	States    map[string]int `json:"states"` // how many tasks are in each
	Size      int            `json:"size"`
	Groups    int            `json:"groups"`
	Processed int            `json:"processed"` // today (UTC)
	Failed    int            `json:"failed"`
	ErrorRate float64        `json:"error_rate"`
	Queues    []Queue        `json:"queues"`
	Servers   int            `json:"servers"` // how many are alive, if that was asked
	Broker    *Storage       `json:"broker,omitempty"`

	Broken map[string]string `json:"broken,omitempty"` // queues that cannot be read, and why
}

// StatsOf returns the figures of queues, and their sums. Servers, Broker and Broken are
// left to the caller.
func StatsOf(infos []queue.QueueInfo) Stats {
	s := Stats{Queues: make([]Queue, len(infos)), States: map[string]int{}}
	for n, i := range infos {
		q := QueueOf(i)
		s.Queues[n] = q
		for state, count := range q.States() {
			s.States[state] += count
		}
		s.Size += q.Size
		s.Groups += q.Groups
		s.Processed += q.Processed
		s.Failed += q.Failed
	}
	if len(infos) == 0 {
		s.States = Queue{}.States()
	}
	s.ErrorRate = rate(s.Failed, s.Processed)
	return s
}

// States returns how many tasks of q are in each state.
func (q Queue) States() map[string]int {
	return map[string]int{
		"pending": q.Pending, "active": q.Active, "scheduled": q.Scheduled, "retry": q.Retry,
		"archived": q.Archived, "completed": q.Completed, "aggregating": q.Aggregating,
	}
}
