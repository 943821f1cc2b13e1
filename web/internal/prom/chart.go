package prom

import (
	"strings"
	"time"
)

// A Chart is a figure over time. It is one of [Charts].
type Chart struct {
	Name  string // what it is asked for by
	Title string
	Unit  Unit
	Per   string // the label that tells its series apart, "queue" of most

	query string // with $Q in braces for which queues, $W for a window of rates
}

// A Unit is what the values of a chart are counted in.
type Unit string

// The units.
const (
	Count     Unit = ""
	PerSecond Unit = "/s"
	Seconds   Unit = "s"
	Bytes     Unit = "B"
	Share     Unit = "%" // of one: 0.5 is 50 %
)

// Charts returns all charts in the order in which they are shown. The first nine are
// asynqmon's, with the names that they have in its API: they can be had where asynq's
// exporter is scraped, or Leat's, or both. The others are Leat's own.
func Charts() []Chart {
	return []Chart{
		{"tasks_processed_per_second", "Tasks processed", PerSecond, "queue", rated("leat_queue_processed_total") + " or " + rated("asynq_tasks_processed_total")},
		{"tasks_failed_per_second", "Tasks failed", PerSecond, "queue", rated("leat_queue_failed_total") + " or " + rated("asynq_tasks_failed_total")},
		{"error_rate", "Error rate", Share, "queue", "(" + rated("leat_queue_failed_total") + " / " + rated("leat_queue_processed_total") + ") or (" +
			rated("asynq_tasks_failed_total") + " / " + rated("asynq_tasks_processed_total") + ")"},
		{"queue_size", "Queue size", Count, "queue", `sum by (queue) (max by (queue, state) (leat_queue_tasks{$Q})) or max by (queue) (asynq_queue_size{$Q})`},
		{"queue_latency_seconds", "Queue latency", Seconds, "queue", most("leat_queue_oldest_ready_seconds") + " or " + most("asynq_queue_latency_seconds")},
		{"queue_memory_usage_approx_bytes", "Memory of queues", Bytes, "queue", most("leat_queue_memory_bytes") + " or " + most("asynq_queue_memory_usage_approx_bytes")},
		{"pending_tasks_by_queue", "Pending tasks", Count, "queue", inState("pending")},
		{"retry_tasks_by_queue", "Tasks to be retried", Count, "queue", inState("retry")},
		{"archived_tasks_by_queue", "Archived tasks", Count, "queue", inState("archived")},

		{"active_tasks_by_queue", "Active tasks", Count, "queue", inState("active")},
		{"scheduled_tasks_by_queue", "Scheduled tasks", Count, "queue", inState("scheduled")},
		{"aggregating_tasks_by_queue", "Aggregating tasks", Count, "queue", inState("aggregating")},
		{"work_per_slot", "Work for each slot", Count, "queue", most("leat_queue_work_per_slot")},
		{"tasks_enqueued_per_second", "Tasks enqueued", PerSecond, "queue", `sum by (queue) (rate(leat_tasks_enqueued_total{$Q}[$W]))`},
		{"wait_p95_seconds", "Wait, 95 of 100 below", Seconds, "queue", below("leat_task_wait_seconds")},
		{"run_p95_seconds", "Time of handlers, 95 of 100 below", Seconds, "queue", below("leat_task_run_seconds")},
		{"workers", "Slots of servers", Count, "state", `max by (state) (leat_workers)`},
		{"runs_ended_per_second", "Runs ended", PerSecond, "state", `sum by (state) (rate(leat_runs_ended_total[$W]))`},
	}
}

// Find returns the chart of that name, and whether there is one.
func Find(name string) (Chart, bool) {
	for _, c := range Charts() {
		if c.Name == name {
			return c, true
		}
	}
	return Chart{}, false
}

// ByQueue reports whether the chart has a series for each queue.
func (c Chart) ByQueue() bool { return c.Per == "queue" }

// most takes what several processes tell of the same storage once.
func most(metric string) string { return "max by (queue) (" + metric + "{$Q})" }

func rated(metric string) string { return "max by (queue) (rate(" + metric + "{$Q}[$W]))" }

func below(metric string) string {
	return "histogram_quantile(0.95, sum by (queue, le) (rate(" + metric + "_bucket{$Q}[$W])))"
}

func inState(state string) string {
	only := `{state="` + state + `",$Q})`
	return "max by (queue) (leat_queue_tasks" + only + " or max by (queue) (asynq_tasks_enqueued_total" + only
}

// promQL returns the query for some queues; none means all.
func (c Chart) promQL(queues []string, step time.Duration) string {
	return strings.NewReplacer("$Q", matcher(queues), "$W", promDuration(max(rateWindow, step))).Replace(c.query)
}
