package metrics_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/aggregate"
	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

// What runs, ticks and batches tell becomes figures, those of the process and those of the
// storage.
func TestRunsTicksAndBatchesBecomeFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		m := newMetrics(t, metrics.Config{Broker: b, Periodic: true, Workflows: []workflow.Registrable{order}})
		client := queue.NewClient(b)
		client.Observer = m.Observe

		mux := task.NewMux()
		mux.Handle("clean", slow)
		workflow.Register(mux, order)
		agg := aggregate.New()
		agg.Handle("default", "g", aggregate.Rule{Grace: 2 * time.Second}, aggregate.Fold(func(context.Context, string, []string) (*task.Task, error) {
			return task.New("clean", nil), nil
		}))
		if err := agg.Register(mux); err != nil {
			t.Fatal(err)
		}
		m.Watch(serve(t, b, queue.Config{Concurrency: 4, Observer: m.Observe, Client: client}, mux))
		clock := periodic.New(client, periodic.Config{Logger: quiet})
		if err := clock.Register(periodic.Entry{Name: "cleanup", Schedule: "@every 10s", Type: "clean"}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ticking := make(chan error)
		go func() { ticking <- clock.Run(ctx) }()

		for range 3 {
			if _, err := client.Enqueue(t.Context(), task.New("note", []byte(`"a note"`)), task.Group("g1")); err != nil {
				t.Fatal(err)
			}
		}
		first, err := order.Start(t.Context(), client, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := order.Start(t.Context(), client, 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15500 * time.Millisecond)
		if err := approve.Send(t.Context(), first, true); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		want(t, scrape(t, m),
			`leat_runs_started_total{workflow="order"} 2`,
			`leat_runs_ended_total{state="done",workflow="order"} 1`,
			`leat_runs{state="running",workflow="order"} 1`,
			`leat_ticks_total{entry="cleanup"} 2`,
			`leat_tick_lateness_seconds_count 2`,
			`leat_periodic_late_seconds{entry="cleanup"} 0`,
			`leat_periodic_schedulers{entry="cleanup"} 1`,
			`leat_schedulers 1`,
			`leat_batches_total{outcome="done",queue="default"} 1`,
			`leat_batch_tasks_sum{queue="default"} 3`,
			`leat_tasks_settled_total{outcome="done",queue="default",type="clean"} 3`,
		)
		stop()
		if err := <-ticking; err != nil {
			t.Error(err)
		}
	})
}
