package queue

import (
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// InfoOf returns what is known of a stored entry at now. It is for packages that
// ask a broker themselves.
func InfoOf(now time.Time, s broker.Stored) *task.Info {
	i := &task.Info{
		ID:           s.ID,
		Queue:        s.Queue,
		Type:         s.Type,
		Payload:      s.Payload,
		Headers:      s.Headers,
		State:        s.State,
		MaxRetry:     s.MaxRetry,
		Retried:      s.Retried,
		LastErr:      s.LastErr,
		LastFailedAt: s.LastFailedAt,
		Timeout:      s.Timeout,
		Deadline:     s.Deadline,
		StartBy:      s.StartBy,
		Group:        s.Group,
		MaxCrashes:   s.MaxCrashes,
		Crashes:      s.Crashes,
		End:          s.End.String(),
		UniqueKey:    s.Claim.Key,
		CancelAsked:  s.CancelAsked,
		Progress:     s.Progress,
		IsOrphaned:   orphaned(now, s),
		Retention:    s.Retention,
		CompletedAt:  s.CompletedAt,
		Result:       s.Result,
	}
	for _, a := range s.Attempts {
		i.Attempts = append(i.Attempts, task.AttemptRecord(a))
	}
	switch s.State {
	case task.Pending:
		i.NextProcessAt = now
	case task.Scheduled, task.Retry:
		i.NextProcessAt = s.DueAt
	}
	return i
}

// orphaned reports whether an active entry has no worker any more.
func orphaned(now time.Time, s broker.Stored) bool {
	return s.State == task.Active && !s.Until.After(now)
}
