package queue_test

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// hangs has every call of one method wait for an hour, or until its context ends.
func hangs(method string) func(int, string) brokertest.Fault {
	return func(_ int, called string) brokertest.Fault {
		if called == method {
			return brokertest.Fault{Delay: time.Hour}
		}
		return brokertest.Fault{}
	}
}

// runsOn fails the test unless a server runs 20 short tasks in turn, and keeps
// the lease of one that takes longer than a lease lasts.
func (x *bench) runsOn() {
	x.Helper()
	var ran atomic.Int64
	x.cfg.Concurrency = 2
	x.enqueue("long")
	for i := range 20 {
		x.enqueue(fmt.Sprint("short-", i))
	}
	x.serve(func(ctx context.Context, tk *task.Task) error {
		if tk.Type() == "test:long" {
			time.Sleep(25 * time.Second)
			return ctx.Err()
		}
		ran.Add(1)
		return nil
	})
	x.pass(time.Second)
	if n := ran.Load(); n != 20 {
		x.Errorf("%d tasks were run within a second, want 20", n)
	}
	x.pass(25 * time.Second)
	x.gone("long")
	if lost := x.seen(queue.EventLeaseLost); len(lost) > 0 {
		x.Errorf("observed %+v, want no lost lease", lost)
	}
}

func TestABeatThatHangsHoldsNothingUp(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.b = brokertest.Faulty(x.b, hangs("Beat"))
		x.runsOn()
	})
}

func TestAPingThatHangsHoldsNothingUp(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.b = brokertest.Faulty(x.b, hangs("Ping"))
		x.cfg.HealthCheckFunc, x.cfg.HealthCheckInterval = func(error) {}, 100*time.Millisecond
		x.runsOn()
		if servers, err := x.b.Servers(x.Context(), time.Now()); err != nil || len(servers) != 1 {
			t.Errorf("Servers() = %+v, %v, want the one that runs", servers, err)
		}
	})
}

func TestTasksOfOneIDInTwoQueuesKeepTheirLeases(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.Concurrency, x.cfg.Queues = 2, map[string]int{"low": 1, "high": 2}
		var ran atomic.Int64
		for name := range x.cfg.Queues {
			x.enqueue("same", task.Queue(name))
		}
		x.serve(func(ctx context.Context, _ *task.Task) error {
			ran.Add(1)
			time.Sleep(25 * time.Second)
			return ctx.Err()
		})
		x.pass(26 * time.Second)
		if n := ran.Load(); n != 2 {
			t.Errorf("%d runs, want one of each task", n)
		}
		for name := range x.cfg.Queues {
			if c := x.counts(name); c.ProcessedTotal != 1 || c.FailedTotal != 0 || c.Size() != 0 {
				t.Errorf("queue %s has %+v, want its task done", name, c)
			}
		}
	})
}

func TestAUniqueTaskThatIsDueInAMomentIsTaken(t *testing.T) {
	inBubble(t, func(x *bench) {
		for ns := range 40 {
			due := time.Now().Add(time.Duration(ns) * 100 * time.Nanosecond)
			x.enqueue(fmt.Sprint("task-", ns), task.Unique(time.Second), task.ProcessAt(due))
		}
	})
}

func TestTheRecordOfAServerHoldsOnlyTheBeginningOfAPayload(t *testing.T) {
	inBubble(t, func(x *bench) {
		payload := bytes.Repeat([]byte("0123456789abcdef"), 1<<12)
		if _, err := x.client.Enqueue(x.Context(), task.New("large", payload)); err != nil {
			t.Fatal(err)
		}
		x.serve(func(context.Context, *task.Task) error { time.Sleep(8 * time.Second); return nil })
		x.pass(6 * time.Second)
		servers, err := x.b.Servers(x.Context(), time.Now())
		if err != nil || len(servers) != 1 || len(servers[0].Workers) != 1 {
			t.Fatalf("Servers() = %+v, %v, want one with a worker", servers, err)
		}
		if got := servers[0].Workers[0].Payload; !bytes.Equal(got, payload[:broker.MaxWorkerPayload]) {
			t.Errorf("the record holds %d bytes of the payload, want the first %d", len(got), broker.MaxWorkerPayload)
		}
	})
}
