package metrics_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

var update = flag.Bool("update", false, "write the expositions anew")

var (
	approve = workflow.NewSignal[bool]("approve")
	pay     = workflow.NewStep("pay", func(context.Context, int) (int, error) { return 1, nil })
	order   = dag.New("order", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, pay, in, dag.After(dag.Await(g, approve, 0)))
	})
)

// ofStorage makes a storage in which there is something of everything.
func ofStorage(t *testing.T) broker.Broker {
	b := brokertest.NewModel()
	for range 3 {
		enqueue(t, b, "mail")
	}
	enqueue(t, b, "mail", task.ProcessIn(time.Hour))
	enqueue(t, b, "mail", task.Group("ann"))
	enqueue(t, b, "mail", task.Group("bob"))
	enqueue(t, b, "mail", task.Group("bob"))
	enqueue(t, b, "paused")
	if _, err := queue.NewInspector(b).Pause(t.Context(), "paused"); err != nil {
		t.Fatal(err)
	}
	cleanup := periodic.Entry{Name: "cleanup", Schedule: "*/10 * * * *", Type: "clean"}
	if err := periodic.NewInspector(b).Add(t.Context(), cleanup, "ann"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := order.Start(t.Context(), queue.NewClient(b), 1); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(15 * time.Minute)
	handler := task.HandlerFunc(func(context.Context, *task.Task) error { time.Sleep(time.Second); return errors.New("no") })
	serve(t, b, queue.Config{Concurrency: 2, Queues: map[string]int{"mail": 1}}, handler)
	time.Sleep(5500 * time.Millisecond)
	synctest.Wait()
	return b
}

func TestAnExpositionOfAStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ofStorage(t)
		compare(t, "storage", scrape(t, newMetrics(t, metrics.Config{
			Broker: b, Memory: true, Periodic: true, Asynq: true, Workflows: []workflow.Registrable{order},
		})))
	})
}

// events are one of everything that can happen.
func events() (all []queue.Event) {
	e := broker.Entry{EntryRef: broker.EntryRef{Queue: "mail", ID: "1"}, Type: "send"}
	add := func(e queue.Event) { all = append(all, e) }
	add(queue.Event{Kind: queue.EventEnqueued, Entry: e})
	add(queue.Event{Kind: queue.EventStarted, Entry: e, Waited: 20 * time.Millisecond})
	add(queue.Event{Kind: queue.EventStarted, Entry: e})
	for o := broker.Done; o <= broker.Released; o++ {
		add(queue.Event{Kind: queue.EventSettled, Entry: e, Outcome: o, Took: 2 * time.Second})
	}
	add(queue.Event{Kind: queue.EventLeaseLost, Entry: e, Took: time.Second})
	add(queue.Event{Kind: queue.EventStuck, Entry: e, Took: time.Minute})
	add(queue.Event{Kind: queue.EventStuck, Entry: e, Took: 2 * time.Minute})
	add(queue.Event{Kind: queue.EventRecovered, Count: 3})
	add(queue.Event{Kind: queue.EventParked, Entry: broker.Entry{EntryRef: e.EntryRef}})
	add(queue.Event{Kind: queue.EventTrimmed, Count: 500})
	add(queue.Event{Kind: queue.EventBatched, Entry: e, Count: 40, Took: time.Second})
	add(queue.Event{Kind: queue.EventBatched, Entry: e, Count: 7, Took: time.Second, Err: errors.New("no")})
	add(queue.Event{Kind: queue.EventTicked, Entry: e, Name: "cleanup", Took: 3 * time.Millisecond})
	add(queue.Event{Kind: queue.EventRunStarted, Name: "order"})
	add(queue.Event{Kind: queue.EventRunEnded, Name: "order", State: string(workflow.TimedOut), Took: time.Hour})
	return all
}

// known is a server of which that is known.
type known queue.Health

func (k known) Health() queue.Health { return queue.Health(k) }

func TestAnExpositionOfAProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMetrics(t, metrics.Config{})
		for _, e := range events() {
			m.Observe(t.Context(), e)
		}
		m.Watch(known{State: "active", Concurrency: 10, Running: 4, Beat: queue.Pulse{Last: time.Now().Add(-3 * time.Second)}})
		m.Watch(known{State: "active", Concurrency: 5, Started: time.Now().Add(-8 * time.Second), Beat: queue.Pulse{Failed: 2}, Sweep: queue.Pulse{Lag: time.Second}})
		m.Watch(known{State: "closed", Concurrency: 100, Sweep: queue.Pulse{Lag: time.Hour}})
		compare(t, "process", scrape(t, m))
	})
}

// compare compares an exposition with the one in testdata.
func compare(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name + ".txt"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("exposition differs from %s (-want +got):\n%s", file, diff)
	}
}
