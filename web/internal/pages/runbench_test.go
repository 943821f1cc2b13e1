package pages_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/redistest"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/redisbroker"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// vast is a workflow that has a thousand steps with those of the runs within it, and a map
// of ten thousand items.
var vast = dag.New("vast", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
	next := workflow.NewStep("next", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	lanes := func(g *dag.Graph, in dag.Val[int], count int) dag.Val[int] {
		for range count {
			lane := in
			for range 7 {
				lane = dag.Do(g, next, lane)
			}
			in = dag.Do(g, next, dag.Join2(g, in, lane, func(a, b int) int { return max(a, b) }))
		}
		return in
	}
	part := dag.New("part", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return lanes(g, in, 31) })
	last := lanes(g, in, 30)
	for range 3 {
		last = dag.Do(g, part, last)
	}
	items := dag.Map(g, next, dag.Pick(g, in, func(int) []int { return make([]int, 10_000) }))
	return dag.Join2(g, last, dag.Pick(g, items, func(l []int) int { return len(l) }), func(a, b int) int { return a + b })
})

// A counted is a broker that counts what it is asked for.
type counted struct {
	broker.Broker
	trips atomic.Int64
}

func (c *counted) Documents(ctx context.Context, h broker.Home, keys ...string) ([]broker.Document, error) {
	c.trips.Add(1)
	return c.Broker.Documents(ctx, h, keys...)
}

func (c *counted) Latches(ctx context.Context, h broker.Home, ids ...string) ([]broker.LatchState, error) {
	c.trips.Add(1)
	return c.Broker.Latches(ctx, h, ids...)
}

func (c *counted) Entry(ctx context.Context, ref broker.EntryRef) (broker.Stored, error) {
	c.trips.Add(1)
	return c.Broker.Entry(ctx, ref)
}

// BenchmarkRunOfAThousandSteps answers with the page of a run of a thousand steps, with and
// without a step that is chosen.
func BenchmarkRunOfAThousandSteps(b *testing.B) {
	for _, open := range []struct {
		name string
		open func() (broker.Broker, error)
	}{
		{"Redis", func() (broker.Broker, error) {
			return redisbroker.Open(redistest.Shared(b).URL(), &redisbroker.Options{Prefix: redistest.Prefix()})
		}},
		{"SQLite", func() (broker.Broker, error) { return sqlitebroker.Open(filepath.Join(b.TempDir(), "leat.db"), nil) }},
	} {
		b.Run(open.name, func(b *testing.B) {
			store, err := open.open()
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			runVast(b, store)
			for name, query := range map[string]string{"alone": "", "opened": "&open=part,part.2,part.3", "chosen": "&open=part,part.2,part.3&step=next.2", "items": "&step=next.241&items=5000"} {
				b.Run(name, func(b *testing.B) { benchmarkRun(b, store, "/run?queue=default&id=vast"+query) })
			}
		})
	}
}

// runVast has the run of a thousand steps run to its end.
func runVast(b *testing.B, store broker.Broker) {
	b.Helper()
	mux := task.NewMux()
	workflow.Register(mux, vast)
	srv, err := queue.NewServer(store, queue.Config{Concurrency: 50})
	if err != nil {
		b.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := srv.Shutdown(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	}()
	run, err := vast.Start(b.Context(), queue.NewClient(store), 1, workflow.RunID("vast"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := run.Result(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func benchmarkRun(b *testing.B, store broker.Broker, path string) {
	b.Helper()
	c := &counted{Broker: store}
	w := newWorld(b, c, nil)
	var times []time.Duration
	size := 0
	for b.Loop() {
		began := time.Now()
		status, body, _ := w.ask("GET", path)
		if times = append(times, time.Since(began)); status != 200 {
			b.Fatalf("GET %s: %d %s", path, status, body)
		}
		size = len(body)
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*95/100].Milliseconds()), "p95-ms")
	b.ReportMetric(float64(c.trips.Load())/float64(len(times)), "trips/op")
	b.ReportMetric(float64(size)/1000, "kB")
}
