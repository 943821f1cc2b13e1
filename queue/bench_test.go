package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/queue/sqlitebroker"
	"github.com/leatwork/leat/task"
)

// A conveyor is a broker that costs nothing: it leases the same entry again and
// again, and takes every outcome.
type conveyor struct {
	broker.Broker
	left     int
	leases   []broker.Lease
	outcomes []error
}

func newConveyor(n int) *conveyor {
	l := broker.Lease{Token: "token", Entry: broker.Entry{
		EntryRef: broker.EntryRef{Queue: "default", ID: "id"}, Type: "test:nothing", Payload: []byte("payload"), Timeout: 30 * time.Minute,
	}}
	return &conveyor{Broker: brokertest.NewModel(), left: n, leases: slices.Repeat([]broker.Lease{l}, 1000), outcomes: make([]error, 1000)}
}

func (c *conveyor) Apply(_ context.Context, _ time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	n := min(want.Max, c.left)
	c.left -= n
	return broker.Applied{Outcomes: c.outcomes[:len(changes)], Leases: c.leases[:n]}, nil
}

func (c *conveyor) Extend(_ context.Context, _, _ time.Time, leases ...broker.LeaseRef) ([]broker.Held, error) {
	return slices.Repeat([]broker.Held{broker.Kept}, len(leases)), nil
}

// BenchmarkServer is what a server itself costs for each task.
func BenchmarkServer(b *testing.B) {
	for _, slots := range []int{1, 100} {
		b.Run(fmt.Sprintf("%d slots", slots), func(b *testing.B) { serveAll(b, newConveyor(b.N), slots) })
	}
}

// BenchmarkDrain runs tasks that do nothing with 100 slots. One iteration is one
// task, from the lease to the recorded outcome. On the model, which is in maps,
// the figure is mostly the server's own.
func BenchmarkDrain(b *testing.B) {
	b.Run("on the model", func(b *testing.B) { drainAll(b, brokertest.NewModel()) })
	b.Run("on sqlite in memory", func(b *testing.B) {
		s, err := sqlitebroker.Open(":memory:", nil)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		drainAll(b, s)
	})
}

func drainAll(b *testing.B, on broker.Broker) {
	tasks := make([]*task.Task, b.N)
	for i := range tasks {
		tasks[i] = task.New("test:nothing", []byte("a payload of thirty-five bytes or so"))
	}
	for _, e := range queue.NewClient(on).EnqueueMany(b.Context(), tasks) {
		if e.Err != nil {
			b.Fatal(e.Err)
		}
	}
	serveAll(b, on, 100)
}

// serveAll runs b.N tasks that are ready.
func serveAll(b *testing.B, on broker.Broker, slots int) {
	srv, err := queue.NewServer(on, queue.Config{Concurrency: slots, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	ctx, done := context.WithCancel(b.Context())
	defer done()
	b.ReportAllocs()
	b.ResetTimer()
	err = srv.Run(ctx, task.HandlerFunc(func(context.Context, *task.Task) error {
		if left.Add(-1) == 0 {
			done()
		}
		return nil
	}))
	if err != nil {
		b.Fatal(err)
	}
}
