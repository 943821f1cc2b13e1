package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/redisbroker"
)

// want demands lines of an exposition.
func want(t *testing.T, got string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+got, "\n"+line+"\n") {
			t.Errorf("exposition lacks %s; of that name it has\n%s", line, named(got, line))
		}
	}
}

// wantNone demands that there are no series that begin so.
func wantNone(t *testing.T, got string, starts ...string) {
	t.Helper()
	for _, start := range starts {
		if strings.Contains("\n"+got, "\n"+start) {
			t.Errorf("exposition has %s", named(got, start))
		}
	}
}

// named returns the lines of the series that has the name of line.
func named(exposition, line string) string {
	name, _, _ := strings.Cut(strings.Fields(line)[0], "{")
	var found []string
	for l := range strings.Lines(exposition) {
		if strings.HasPrefix(l, name) {
			found = append(found, l)
		}
	}
	return strings.Join(found, "")
}

// On Redis, a queue whose list of tasks is something else keeps nothing of the others
// secret.
func TestABrokenQueueEmptiesNoScrape(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	b, err := redisbroker.Open(server.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, q := range []string{"a", "bad", "c"} {
		enqueue(t, b, q)
	}
	if server.Do(t, "EXISTS", "asynq:{bad}:pending") != "1" {
		t.Fatal("the queue bad has no list of pending tasks")
	}
	server.Do(t, "SET", "asynq:{bad}:pending", "a text")
	got := scrape(t, newMetrics(t, metrics.Config{Broker: b, Memory: true, Asynq: true}))
	want(t, got,
		`leat_storage_up 1`,
		`leat_queue_tasks{queue="a",state="pending"} 1`,
		`leat_queue_tasks{queue="c",state="pending"} 1`,
		`asynq_queue_size{queue="a"} 1`,
		`leat_queue_work_per_slot{queue="c"} 1`,
		`leat_scrape_errors_total{part="queues",queue="bad"} 1`,
		`leat_scrape_errors_total{part="queues",queue=""} 0`,
	)
	wantNone(t, got, `leat_queue_tasks{queue="bad"`, "leat_work_per_slot", "leat_ready_tasks")
}

// An ill broker fails or hangs in parts.
type ill struct {
	broker.Broker
	servers error
	hangs   chan struct{} // until it is closed, whatever the caller's context says
	calls   atomic.Int64
}

func (i *ill) Servers(ctx context.Context, now time.Time) ([]broker.Server, error) {
	if i.servers != nil {
		return nil, i.servers
	}
	return i.Broker.Servers(ctx, now)
}

func (i *ill) Counts(ctx context.Context, now time.Time, queues ...string) ([]broker.Counts, error) {
	i.calls.Add(1)
	if i.hangs != nil {
		<-i.hangs
	}
	return i.Broker.Counts(ctx, now, queues...)
}

func TestWhatCannotBeReadIsLeftOut(t *testing.T) {
	b := &ill{Broker: brokertest.NewModel(), servers: errors.New("no")}
	enqueue(t, b, "a")
	got := scrape(t, newMetrics(t, metrics.Config{Broker: b}))
	want(t, got, `leat_queue_tasks{queue="a",state="pending"} 1`, `leat_scrape_errors_total{part="servers",queue=""} 1`, "leat_storage_up 1")
	wantNone(t, got, "leat_servers", "leat_workers", "leat_queue_slots")
}

func TestAScrapeEndsAlthoughTheStorageHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &ill{Broker: brokertest.NewModel(), hangs: make(chan struct{})}
		m := newMetrics(t, metrics.Config{Broker: b, Timeout: 3 * time.Second})
		h := handlerOf(t, m)
		for n := range 3 {
			began := time.Now()
			got := read(t, h)
			if took := time.Since(began); took != 3*time.Second {
				t.Errorf("scrape took %v, want 3s", took)
			}
			want(t, got, "leat_storage_up 0", fmt.Sprintf(`leat_scrape_errors_total{part="queues",queue=""} %d`, n+1), "leat_tasks_recovered_total 0")
		}
		if n := b.calls.Load(); n != 1 {
			t.Errorf("the storage was asked %d times at once, want once", n)
		}
		close(b.hangs)
		synctest.Wait()
		want(t, read(t, h), "leat_storage_up 1")
	})
}

func TestThoseWhoScrapeAtOnceShareWhatIsAsked(t *testing.T) {
	b := &ill{Broker: brokertest.NewModel()}
	h := handlerOf(t, newMetrics(t, metrics.Config{Broker: b}))
	synctest.Test(t, func(t *testing.T) {
		for range 10 {
			want(t, read(t, h), "leat_storage_up 1")
		}
		if n := b.calls.Load(); n != 1 {
			t.Errorf("the storage was asked %d times, want once", n)
		}
		time.Sleep(time.Second)
		read(t, h)
		if n := b.calls.Load(); n != 2 {
			t.Errorf("the storage was asked %d times, want once a second", n)
		}
	})
}

func TestQueuesThatAreTooManyAreLeftOut(t *testing.T) {
	b := brokertest.NewModel()
	for n := range 10 {
		enqueue(t, b, fmt.Sprintf("q%d", n))
	}
	got := scrape(t, newMetrics(t, metrics.Config{Broker: b, MaxNames: 4}))
	want(t, got, `leat_scrape_left_out{part="queues"} 6`, `leat_queue_tasks{queue="q3",state="pending"} 1`)
	wantNone(t, got, `leat_queue_tasks{queue="q4"`)
	got = scrape(t, newMetrics(t, metrics.Config{Broker: b, Queues: []string{"q7", "none"}}))
	want(t, got, `leat_queue_tasks{queue="q7",state="pending"} 1`, `leat_queue_tasks{queue="none",state="pending"} 0`, "leat_ready_tasks 1")
	wantNone(t, got, `leat_queue_tasks{queue="q3"`)
}

func TestNothingIsAskedOfTheStorageByDescribing(t *testing.T) {
	b := &ill{Broker: brokertest.NewModel()}
	handlerOf(t, newMetrics(t, metrics.Config{Broker: b, Periodic: true, Memory: true}))
	if n := b.calls.Load(); n != 0 {
		t.Errorf("Register asked the storage %d times, want none", n)
	}
}

func TestBadConfigurationIsRefused(t *testing.T) {
	_, err := metrics.New(metrics.Config{MaxNames: -1, Timeout: -1, Queues: []string{"a{b}"}})
	for _, field := range []string{"Config.MaxNames", "Config.Timeout", "Config.Queues", "Config.Broker"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("New() = %v, want all faults, %s among them", err, field)
		}
	}
	_, err = metrics.New(metrics.Config{Broker: brokertest.NewModel(), Workflows: stepsAsWorkflows})
	if err == nil || !strings.Contains(err.Error(), "Config.Workflows") {
		t.Errorf("New() = %v with a step, want that it is no workflow", err)
	}
}

// Three processes serve one storage. What is asked of the storage is the same at each of
// them, and so to be added up nowhere; what a process has seen is to be.
func TestThreePods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		var pods []*metrics.Metrics
		for n := range 3 {
			cfg := metrics.Config{}
			if n == 0 {
				cfg.Broker = b // one is enough
			}
			pods = append(pods, newMetrics(t, cfg))
			pods[n].Watch(serve(t, b, queue.Config{Concurrency: 1, Observer: pods[n].Observe}, slow))
		}
		all := newMetrics(t, metrics.Config{Broker: b})
		for range 30 {
			enqueue(t, b, "default")
		}
		time.Sleep(5500 * time.Millisecond)
		want(t, scrape(t, all), "leat_servers{status=\"active\"} 3", "leat_workers{state=\"busy\"} 3", "leat_queue_slots{queue=\"default\"} 3")
		time.Sleep(time.Minute)
		started, processed := 0.0, 0.0
		for _, pod := range pods {
			got := scrape(t, pod)
			started += sumOf(t, got, "leat_tasks_started_total")
			processed += sumOf(t, got, "leat_queue_processed_total")
			want(t, got, "leat_server_slots 1", "leat_sweeper_lag_seconds 0")
		}
		if started != 30 || processed != 30 {
			t.Errorf("the pods together: %v started, %v processed, want 30 of each", started, processed)
		}
		want(t, scrape(t, all), `leat_queue_processed_total{queue="default"} 30`)
	})
}
