// Package pace tells how fast things go in queues, from their figures at two moments.
package pace

import (
	"time"

	"github.com/leatwork/leat/queue"
)

// A Rate is how fast things go in a queue, in tasks a second.
type Rate struct {
	Enqueued  float64 `json:"enqueued_per_second"`
	Processed float64 `json:"processed_per_second"` // all outcomes
	Failed    float64 `json:"failed_per_second"`

	// Drained is in how many seconds nothing is pending any more if it goes on so; nil if
	// it never is.
	Drained *float64 `json:"drained_in_seconds"`
}

// Of returns how fast things went between two moments. What was enqueued is reckoned
// from what was done and what is there: tasks that somebody has deleted meanwhile are
// not seen.
func Of(before, after queue.QueueInfo, took time.Duration) Rate {
	if took <= 0 {
		return Rate{}
	}
	perSecond := func(n int) float64 { return float64(n) / took.Seconds() }
	processed := max(after.ProcessedTotal-before.ProcessedTotal, 0)
	failed := max(after.FailedTotal-before.FailedTotal, 0)
	ended := processed - failed + max(after.Archived-before.Archived, 0)
	come := max(open(after)-open(before)+ended, 0)
	r := Rate{Enqueued: perSecond(come), Processed: perSecond(processed), Failed: perSecond(failed)}
	if net := perSecond(before.Pending - after.Pending); after.Pending == 0 {
		r.Drained = new(float64)
	} else if net > 0 {
		in := float64(after.Pending) / net
		r.Drained = &in
	}
	return r
}

// open returns how many tasks of a queue have not ended.
func open(i queue.QueueInfo) int { return i.Size() - i.Completed - i.Archived }
