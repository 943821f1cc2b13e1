package prom_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/promtest"
	"github.com/leatwork/leat/web/internal/prom"
)

// odd are names of queues that mean something in a pattern, or in the text of a query.
var odd = []string{"a|b", ".*", `q"uo\te`, "plain", "aab", `{}`, "$Q"}

// exported is what two exporters tell of a queue: Leat's, or asynq's, which knows only "old".
func exported(w http.ResponseWriter, _ *http.Request) {
	n := time.Now().UnixMilli() / 100
	for i, q := range odd {
		name := strconv.Quote(q)
		fmt.Fprintf(w, "leat_queue_tasks{queue=%s,state=\"pending\"} %d\nleat_queue_tasks{queue=%[1]s,state=\"retry\"} 1\n", name, i+1)
		fmt.Fprintf(w, "leat_queue_oldest_ready_seconds{queue=%s} 1.5\nleat_queue_memory_bytes{queue=%[1]s} 1000\nleat_queue_work_per_slot{queue=%[1]s} 2\n", name)
		fmt.Fprintf(w, "leat_queue_processed_total{queue=%s} %d\nleat_queue_failed_total{queue=%[1]s} %[3]d\n", name, 4*n, n)
	}
	fmt.Fprint(w, `asynq_queue_size{queue="old"} 7
asynq_queue_latency_seconds{queue="old"} 3
asynq_queue_memory_usage_approx_bytes{queue="old"} 5
asynq_tasks_enqueued_total{queue="old",state="pending"} 6
asynq_tasks_enqueued_total{queue="old",state="retry"} 1
asynq_tasks_enqueued_total{queue="old",state="archived"} 0
`)
	fmt.Fprintf(w, "asynq_tasks_processed_total{queue=\"old\"} %d\nasynq_tasks_failed_total{queue=\"old\"} %d\n", 2*n, n)
}

// last returns the last value of each series.
func last(all []prom.Series) map[string]float64 {
	values := map[string]float64{}
	for _, s := range all {
		if len(s.Points) > 0 {
			values[s.Name] = s.Points[len(s.Points)-1].Value
		}
	}
	return values
}

func TestARealPrometheusAnswers(t *testing.T) {
	s := fake(t, exported)
	c := client(t, promtest.Start(t, s.Listener.Addr().String()), prom.Options{})
	ask := func(name string, queues ...string) (map[string]float64, error) {
		all, err := c.Range(t.Context(), chart(t, name), time.Now().Add(-time.Hour), time.Now(), queues)
		return last(all), err
	}
	promtest.Eventually(t, func() error {
		got, err := ask("tasks_processed_per_second")
		if err == nil && len(got) != len(odd)+1 {
			err = fmt.Errorf("there are rates of %v", got)
		}
		return err
	})
	for _, one := range prom.Charts() {
		if _, err := ask(one.Name, odd...); err != nil {
			t.Errorf("%s: %v", one.Name, err)
		}
	}
	for i, q := range odd {
		got, err := ask("queue_size", q)
		if err != nil || len(got) != 1 || got[q] != float64(i+2) {
			t.Errorf("the size of queue %q is %v, %v, want %d of it alone", q, got, err, i+2)
		}
	}
	for name, want := range map[string][2]float64{
		"queue_size": {5, 7}, "queue_latency_seconds": {1.5, 3}, "queue_memory_usage_approx_bytes": {1000, 5},
		"pending_tasks_by_queue": {4, 6}, "retry_tasks_by_queue": {1, 1}, "error_rate": {0.25, 0.5},
	} {
		got, err := ask(name, "plain", "old", "none")
		if err != nil || len(got) != 2 || !near(got["plain"], want[0]) || !near(got["old"], want[1]) {
			t.Errorf("%s is %v, %v, want %v of plain and old", name, got, err, want)
		}
	}
}

// near reports whether a figure that Prometheus extrapolates is as it should be.
func near(got, want float64) bool { return got > 0.8*want && got < 1.25*want }
