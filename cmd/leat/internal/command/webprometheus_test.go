package command_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/leatwork/leat/internal/promtest"
	"github.com/leatwork/leat/internal/redistest"
)

// TestTheDashboardIsScrapedAndAsksBack has a real Prometheus scrape one dashboard, and another
// show what it has kept. One of the queues cannot be read.
func TestTheDashboardIsScrapedAndAsksBack(t *testing.T) {
	r := redistest.Start(t, redistest.Options{})
	put(t, r.URL(), "first-queue")
	put(t, r.URL(), "broken-queue")
	r.Do(t, "DEL", "asynq:{broken-queue}:pending")
	r.Do(t, "SET", "asynq:{broken-queue}:pending", "is no list")
	scraped := siteOf(t, nil, "--redis-url", r.URL(), "--enable-metrics-exporter")
	scraped.answers("/metrics", 200, `leat_queue_tasks{queue="first-queue",state="pending"} 1`)
	scraped.answers("/metrics", 200, `asynq_queue_size{queue="first-queue"} 1`)
	scraped.answers("/metrics", 200, `leat_queue_tasks{queue="first-queue",state="aggregating"} 0`)
	scraped.answers("/metrics", 200, "process_start_time_seconds")

	url := promtest.Start(t, strings.TrimPrefix(scraped.url, "http://"))
	asks := siteOf(t, nil, "--redis-url", r.URL(), "--prometheus-addr", url)
	promtest.Eventually(t, func() error {
		status, answer := asks.get("/api/metrics?duration=600&queues=first-queue,broken-queue")
		if status != 200 || !strings.Contains(answer, `"first-queue"`) {
			return errors.New("no figures in: " + answer)
		}
		return nil
	})
	asks.answers("/queue?name=first-queue&range=1h&from=prometheus", 200, "<svg")
}
