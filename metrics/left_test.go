package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/metrics"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// Versions of a workflow have one name. Two series of the same labels would empty the
// scrape.
func TestWhatIsAskedForTwiceIsToldOnce(t *testing.T) {
	b := brokertest.NewModel()
	enqueue(t, b, "a")
	if _, err := order.Start(t.Context(), queue.NewClient(b), 1); err != nil {
		t.Fatal(err)
	}
	got := scrape(t, newMetrics(t, metrics.Config{
		Broker: b, Memory: true, Queues: []string{"a", "b", "a"}, Workflows: []workflow.Registrable{order, order},
	}))
	want(t, got, `leat_queue_tasks{queue="a",state="pending"} 1`, "leat_ready_tasks 1", `leat_runs{state="running",workflow="order"} 1`)
}

// The figures of all queues together leave none out, however few are told by name.
func TestAllQueuesTogetherAreAll(t *testing.T) {
	b := brokertest.NewModel()
	for n := range 10 {
		enqueue(t, b, fmt.Sprintf("q%d", n))
	}
	got := scrape(t, newMetrics(t, metrics.Config{Broker: b, MaxNames: 4}))
	want(t, got, "leat_ready_tasks 10", "leat_work_per_slot 10", `leat_queue_work_per_slot{queue="q3"} 1`)
	wantNone(t, got, `leat_queue_work_per_slot{queue="q4"`)
}

// A slow broker says nothing of its servers for as long as its caller waits.
type slowBroker struct{ broker.Broker }

func (slowBroker) Servers(ctx context.Context, _ time.Time) ([]broker.Server, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// What was read before something else took too long is told, to all who have asked.
func TestAPartThatTakesTooLongKeepsNothingBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := slowBroker{brokertest.NewModel()}
		enqueue(t, b, "a")
		h := handlerOf(t, newMetrics(t, metrics.Config{Broker: b}))
		answers := make(chan string)
		for range 2 {
			go func() { answers <- read(t, h) }()
		}
		for range 2 {
			want(t, <-answers, "leat_storage_up 1", `leat_queue_tasks{queue="a",state="pending"} 1`,
				`leat_scrape_errors_total{part="queues",queue=""} 0`, `leat_scrape_errors_total{part="servers",queue=""} 1`)
		}
	})
}

// A partial broker cannot list the homes of one queue, and has lost the record of one entry.
type partial struct {
	broker.Broker
	bad string
}

func (p partial) Homes(ctx context.Context, r broker.HomesRequest) (broker.HomesPage, error) {
	if r.Queue == p.bad {
		return broker.HomesPage{}, errors.New("holds the wrong kind of value")
	}
	return p.Broker.Homes(ctx, r)
}

func (p partial) Documents(ctx context.Context, home broker.Home, keys ...string) ([]broker.Document, error) {
	docs, err := p.Broker.Documents(ctx, home, keys...)
	if home.ID == p.bad {
		docs[0].Body = []byte("{")
	}
	return docs, err
}

func TestRunsThatCannotBeCountedKeepNoOthersSecret(t *testing.T) {
	bad := dag.New("bad", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, pay, in) }, workflow.Queue("broken"))
	got := scrape(t, newMetrics(t, metrics.Config{
		Broker: partial{brokertest.NewModel(), "broken"}, Workflows: []workflow.Registrable{bad, order},
	}))
	want(t, got, `leat_runs{state="running",workflow="order"} 0`, `leat_scrape_errors_total{part="runs",queue="broken"} 1`)
	wantNone(t, got, `leat_runs{state="running",workflow="bad"`)
}

func TestAnEntryThatCannotBeReadKeepsNoOthersSecret(t *testing.T) {
	b := partial{brokertest.NewModel(), "bad"}
	i := periodic.NewInspector(b)
	for _, name := range []string{"a", "bad", "c"} {
		if err := i.Add(t.Context(), periodic.Entry{Name: name, Schedule: "@every 1h", Type: "t"}, "me"); err != nil {
			t.Fatal(err)
		}
	}
	got := scrape(t, newMetrics(t, metrics.Config{Broker: b, Periodic: true}))
	want(t, got, `leat_periodic_paused{entry="a"} 0`, `leat_periodic_paused{entry="c"} 0`, `leat_scrape_errors_total{part="periodic",queue=""} 1`)
	wantNone(t, got, `leat_periodic_paused{entry="bad"`)
}

// Servers that come and go leave a number.
func TestServersThatHaveEndedAreOnlyCounted(t *testing.T) {
	m := newMetrics(t, metrics.Config{})
	h := handlerOf(t, m)
	ends := &ending{state: "active"}
	m.Watch(ends)
	want(t, read(t, h), `leat_server_states{state="active"} 1`, `leat_server_states{state="closed"} 0`)
	ends.state = "closed"
	for range 2 {
		want(t, read(t, h), `leat_server_states{state="active"} 0`, `leat_server_states{state="closed"} 1`, "leat_server_slots 0")
	}
	if ends.asked != 2 {
		t.Errorf("a server was asked %d times, want not after its end", ends.asked)
	}
}

type ending struct {
	state string
	asked int
}

func (e *ending) Health() queue.Health {
	e.asked++
	return queue.Health{State: e.state, Concurrency: 3}
}
