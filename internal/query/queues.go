package query

import (
	"time"

	"github.com/leatwork/leat/queue"
)

// Queues is the language of queues.
var Queues = &Language[queue.QueueInfo]{
	things:  "queues",
	declare: queueFields,
	bare:    func(i queue.QueueInfo) []string { return []string{i.Queue} },
}

func queueFields() []field[queue.QueueInfo] {
	type info = queue.QueueInfo
	return []field[info]{
		textField("queue name q", "its name", "queue:mail*", func(i info) string { return i.Queue }),
		wordField("state", "whether it is paused", "state:paused", []string{"run", "paused"}, func(i info) string {
			if i.Paused {
				return "paused"
			}
			return "run"
		}),
		countField("size", "how many tasks it holds", "size>1000", func(i info) int { return i.Size() }),
		countField("pending", "how many wait for a worker", "pending>0", func(i info) int { return i.Pending }),
		countField("active", "how many are being run", "active:0", func(i info) int { return i.Active }),
		countField("scheduled", "how many wait for their time", "scheduled>0", func(i info) int { return i.Scheduled }),
		countField("retry", "how many wait to be retried", "retry>=10", func(i info) int { return i.Retry }),
		countField("archived", "how many are archived", "archived>0", func(i info) int { return i.Archived }),
		countField("completed", "how many are completed and kept", "completed>0", func(i info) int { return i.Completed }),
		countField("aggregating", "how many wait in groups", "aggregating>0", func(i info) int { return i.Aggregating }),
		countField("groups", "how many groups they wait in", "groups>5", func(i info) int { return i.Groups }),
		countField("processed", "how many outcomes were recorded today (UTC)", "processed:0", func(i info) int { return i.Processed }),
		countField("failed", "how many of those were failures", "failed>0", func(i info) int { return i.Failed }),
		countField("processed_total", "how many outcomes were ever recorded", "processed_total>1e6", func(i info) int { return i.ProcessedTotal }),
		countField("failed_total", "how many of those were failures", "failed_total>100", func(i info) int { return i.FailedTotal }),
		numberField("error_rate", "the fraction of today's outcomes that were failures", "error_rate>0.05", func(i info) number {
			return numberOfFloat(float64(i.Failed) / float64(max(i.Processed, 1)))
		}),
		spanField("latency", "for how long the task that is next to be run has been ready", "latency>30s", func(i info, _ time.Time) (time.Duration, bool) { return i.Latency, true }),
	}
}
