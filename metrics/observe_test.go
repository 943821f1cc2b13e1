package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
)

var (
	slow             = task.HandlerFunc(func(context.Context, *task.Task) error { time.Sleep(time.Second); return nil })
	stepsAsWorkflows = []workflow.Registrable{pay}
)

// sumOf returns the sum of the series of one name.
func sumOf(t *testing.T, exposition, name string) (sum float64) {
	t.Helper()
	for line := range strings.Lines(exposition) {
		if fields := strings.Fields(line); strings.HasPrefix(line, name+"{") || len(fields) == 2 && fields[0] == name {
			v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				t.Fatal(err)
			}
			sum += v
		}
	}
	return sum
}

// seriesOf returns how many series of one name there are.
func seriesOf(exposition, name string) int { return strings.Count("\n"+exposition, "\n"+name+"{") }

func eventOf(kind queue.EventKind, q, typ string) queue.Event {
	return queue.Event{Kind: kind, Entry: broker.Entry{EntryRef: broker.EntryRef{Queue: q, ID: "1"}, Type: typ}, Outcome: broker.Done, Took: 1, Waited: 1}
}

// However many names there are, there are at most twice as many series as names are
// allowed, and one; and no event is lost in the sums.
func TestNamesWithoutEndMakeNoSeriesWithoutEnd(t *testing.T) {
	m := newMetrics(t, metrics.Config{MaxNames: 5})
	const queues, types = 20, 50
	for q := range queues {
		for typ := range types {
			for _, kind := range []queue.EventKind{queue.EventEnqueued, queue.EventStarted, queue.EventSettled, queue.EventLeaseLost, queue.EventParked, queue.EventBatched} {
				m.Observe(t.Context(), eventOf(kind, fmt.Sprintf("q%d", q), fmt.Sprintf("t%d", typ)))
			}
			name := fmt.Sprintf("n%d-%d", q, typ)
			m.Observe(t.Context(), queue.Event{Kind: queue.EventTicked, Name: name})
			m.Observe(t.Context(), queue.Event{Kind: queue.EventRunStarted, Name: name})
			m.Observe(t.Context(), queue.Event{Kind: queue.EventRunEnded, Name: name, State: fmt.Sprintf("state %d", typ)})
		}
	}
	got := scrape(t, m)
	for name, most := range map[string]int{
		"leat_tasks_enqueued_total": 11, "leat_tasks_started_total": 11, "leat_leases_lost_total": 11, "leat_tasks_parked_total": 6,
		"leat_ticks_total": 6, "leat_runs_started_total": 6, "leat_tasks_settled_total": 55, "leat_batches_total": 12, "leat_runs_ended_total": 24,
	} {
		if n := seriesOf(got, name); n < most/2 || n > most {
			t.Errorf("%s has %d series, want %d at most", name, n, most)
		}
	}
	for _, name := range []string{"leat_tasks_enqueued_total", "leat_tasks_started_total", "leat_tasks_settled_total", "leat_tasks_parked_total", "leat_ticks_total", "leat_runs_started_total", "leat_run_seconds_count", "leat_task_run_seconds_count"} {
		if n := sumOf(t, got, name); n != queues*types {
			t.Errorf("%s is %v in all, want %d", name, n, queues*types)
		}
	}
	want(t, got,
		`leat_tasks_enqueued_total{queue="q0",type="t4"} 1`,
		`leat_tasks_enqueued_total{queue="q0",type="other"} 45`,
		`leat_tasks_enqueued_total{queue="other",type="other"} 750`,
		`leat_ticks_total{entry="other"} 995`,
	)
}

func TestEventsFromManyGoroutinesAreAllCounted(t *testing.T) {
	m := newMetrics(t, metrics.Config{MaxNames: 3})
	h := handlerOf(t, m)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for n := range 1000 {
				e := eventOf(queue.EventEnqueued, fmt.Sprintf("q%d", n%7), fmt.Sprintf("t%d", (n+g)%5))
				m.Observe(t.Context(), e)
				if n%250 == 0 {
					read(t, h)
				}
			}
		})
	}
	wg.Wait()
	if n := sumOf(t, read(t, h), "leat_tasks_enqueued_total"); n != 8000 {
		t.Errorf("%v were counted, want 8000", n)
	}
}

// What a server and a client tell is what the figures say, and nothing of payloads,
// errors and ids is among them.
func TestAServersEventsBecomeFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		m := newMetrics(t, metrics.Config{Broker: b})
		client := queue.NewClient(b)
		client.Observer = m.Observe
		fail := task.HandlerFunc(func(_ context.Context, t *task.Task) error {
			time.Sleep(2 * time.Second)
			if t.Type() == "bad" {
				return fmt.Errorf("secret error: %w", task.SkipRetry)
			}
			return nil
		})
		for _, typ := range []string{"good", "good", "bad"} {
			if _, err := client.Enqueue(t.Context(), task.New(typ, []byte("secret payload")), task.ID("secret-id-"+typ)); err != nil && !errors.Is(err, queue.ErrTaskIDConflict) {
				t.Fatal(err)
			}
		}
		time.Sleep(3 * time.Second)
		m.Watch(serve(t, b, queue.Config{Concurrency: 4, Observer: m.Observe}, fail))
		time.Sleep(10 * time.Second)
		got := scrape(t, m)
		want(t, got,
			`leat_tasks_enqueued_total{queue="default",type="good"} 1`,
			`leat_tasks_started_total{queue="default",type="bad"} 1`,
			`leat_tasks_settled_total{outcome="done",queue="default",type="good"} 1`,
			`leat_tasks_settled_total{outcome="archived",queue="default",type="bad"} 1`,
			`leat_task_wait_seconds_sum{queue="default",type="good"} 3`,
			`leat_task_run_seconds_sum{queue="default",type="good"} 2`,
			`leat_queue_failed_total{queue="default"} 1`,
			`leat_server_states{state="active"} 1`,
		)
		if strings.Contains(got, "secret") {
			t.Errorf("a payload, an error or an id is among the figures:\n%s", got)
		}
	})
}

func TestAHandlerThatGoesOnIsStuckUntilItReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := brokertest.NewModel()
		m := newMetrics(t, metrics.Config{})
		stuck := task.HandlerFunc(func(context.Context, *task.Task) error { time.Sleep(4 * time.Minute); return nil })
		serve(t, b, queue.Config{Concurrency: 1, Observer: m.Observe}, stuck)
		enqueue(t, b, "default", task.Timeout(time.Second), task.MaxRetry(0))
		time.Sleep(3 * time.Minute)
		want(t, scrape(t, m), "leat_stuck_handlers 1", `leat_handlers_stuck_total{queue="default",type="t"} 1`)
		time.Sleep(3 * time.Minute)
		want(t, scrape(t, m), "leat_stuck_handlers 0", `leat_handlers_stuck_total{queue="default",type="t"} 1`)
	})
}

// An observer that has seen a type allocates nothing.
func TestObservingAllocatesNothing(t *testing.T) {
	m := newMetrics(t, metrics.Config{MaxNames: 2})
	ctx := t.Context()
	for _, kind := range []queue.EventKind{queue.EventEnqueued, queue.EventStarted, queue.EventSettled, queue.EventLeaseLost, queue.EventBatched, queue.EventRecovered} {
		for _, typ := range []string{"a", "b", "c", "d", "e", "f"} {
			e := eventOf(kind, typ, typ)
			m.Observe(ctx, e)
			if n := testing.AllocsPerRun(100, func() { m.Observe(ctx, e) }); n != 0 {
				t.Errorf("%s of type %s: %v allocations, want none", kind, typ, n)
			}
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	m := newMetrics(b, metrics.Config{})
	for name, e := range map[string]queue.Event{
		"enqueued": eventOf(queue.EventEnqueued, "q", "t"), "started": eventOf(queue.EventStarted, "q", "t"), "settled": eventOf(queue.EventSettled, "q", "t"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			ctx := b.Context()
			for b.Loop() {
				m.Observe(ctx, e)
			}
		})
	}
}
