package queue_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/internal/history"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// historyOf returns what the history has of queues since some time.
func (x *bench) historyOf(from time.Time, queues ...string) history.Figures {
	x.Helper()
	f, err := history.Read(x.Context(), x.b, history.Request{Queues: queues, From: from, Types: true})
	if err != nil {
		x.Fatalf("Read() = %v, want nil", err)
	}
	return f
}

// TestTheHistoryCountsAsTheQueueDoes compares the history with the figures of the queue
// after tasks have ended in every way.
func TestTheHistoryCountsAsTheQueueDoes(t *testing.T) {
	inBubble(t, func(x *bench) {
		began := time.Now()
		fails := errors.New("fails")
		x.cfg.Concurrency = 3
		x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { return time.Minute }
		x.cfg.IsFailure = func(err error) bool { return errors.Is(err, fails) }
		snoozed := false
		mux := task.NewMux()
		mux.HandleFunc("test:done", func(context.Context, *task.Task) error {
			time.Sleep(100 * time.Millisecond)
			return nil
		})
		mux.HandleFunc("test:fails", func(context.Context, *task.Task) error { return fails })
		mux.HandleFunc("test:harmless", func(context.Context, *task.Task) error { return errors.New("harmless") })
		mux.HandleFunc("test:skipped", func(context.Context, *task.Task) error { return task.SkipRetry })
		mux.HandleFunc("test:snoozed", func(context.Context, *task.Task) error {
			if snoozed {
				return nil
			}
			snoozed = true
			return task.Snooze(time.Minute)
		})
		x.enqueue("done")
		x.enqueue("fails", task.MaxRetry(2))
		x.enqueue("harmless", task.MaxRetry(1), task.Deadline(began.Add(150*time.Second)))
		x.enqueue("skipped")
		x.enqueue("snoozed")
		x.enqueue("expired", task.StartBy(began))
		x.pass(time.Second)
		x.serveAny(mux)
		x.pass(10 * time.Minute)

		f, c := x.historyOf(began, "default"), x.counts("default")
		got := f.Total.Sum()
		if int(got.Processed) != c.ProcessedTotal || int(got.Failed) != c.FailedTotal || int(got.Archived) != c.Archived || c.FailedTotal == 0 {
			x.Errorf("the history has %d processed, %d failed, %d archived; the queue %+v", got.Processed, got.Failed, got.Archived, c)
		}
		if waits := f.Queues[0].Steps[0].Waits; waits.Count() != 5 || waits.Quantile(0) < 500*time.Millisecond {
			x.Errorf("in the first minute %d have waited, at least %v; want 5 that waited for a second", waits.Count(), waits.Quantile(0))
		}
		for _, of := range f.Queues[0].Types {
			if sum := of.Sum(); of.Type == "test:done" && (sum.Runs.Count() != 1 || sum.Runs.Mean() != 100*time.Millisecond) {
				x.Errorf("%d runs of %v on average, want one of 100ms", sum.Runs.Count(), sum.Runs.Mean())
			}
		}
		if n := len(f.Queues[0].Types); n != 6 {
			x.Errorf("%d types are told apart, want 6", n)
		}
		if g := f.Queues[0].Gauges[0]; !g.Known || g.Retry == 0 {
			x.Errorf("gauges of the first minute = %+v, want some to retry", g)
		}
	})
}

func TestWhatIsNotWrittenIsWrittenInTheEnd(t *testing.T) {
	inBubble(t, func(x *bench) {
		began := time.Now()
		srv := x.newServer()
		if err := srv.Start(task.HandlerFunc(idle)); err != nil {
			x.Fatal(err)
		}
		x.enqueue("a")
		x.enqueue("b")
		x.pass(time.Second)
		if got := x.historyOf(began, "default").Total.Sum(); got.Processed != 0 {
			x.Errorf("%d are written before the minute is over", got.Processed)
		}
		if err := srv.Shutdown(x.Context()); err != nil {
			x.Fatal(err)
		}
		if got := x.historyOf(began, "default").Total.Sum(); got.Processed != 2 {
			x.Errorf("%d are written in the end, want 2", got.Processed)
		}
	})
}

func TestNoHistoryIsWrittenWhereNoneIsWanted(t *testing.T) {
	inBubble(t, func(x *bench) {
		began := time.Now()
		x.cfg.NoHistory = true
		x.serve(idle)
		x.enqueue("a")
		x.pass(5 * time.Minute)
		if got := x.historyOf(began, "default").Total.Sum(); got.Processed != 0 {
			x.Errorf("%d are written", got.Processed)
		}
	})
}

// TestTheHistoryCostsFewTrips counts the calls that nothing but the history makes.
func TestTheHistoryCostsFewTrips(t *testing.T) {
	inBubble(t, func(x *bench) {
		var calls atomic.Int64
		x.b = brokertest.Faulty(x.b, func(_ int, method string) brokertest.Fault {
			if method == "Counts" || method == "Documents" {
				calls.Add(1)
			}
			return brokertest.Fault{}
		})
		x.serve(idle)
		x.pass(time.Hour)
		if n := calls.Load(); n != 0 {
			x.Errorf("an idle server made %d calls in an hour, want none", n)
		}
		for range 100 {
			x.enqueue("a")
			x.pass(time.Second)
		}
		x.pass(time.Hour)
		if n := calls.Load(); n < 3 || n > 9 {
			x.Errorf("a server that was busy for two or three minutes made %d calls, want three for each", n)
		}
	})
}

// TestAStorageThatIsAwayCostsHistoryOnly has every call fail that only the history makes.
func TestAStorageThatIsAwayCostsHistoryOnly(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.b = brokertest.Faulty(x.b, func(_ int, method string) brokertest.Fault {
			if method == "Counts" || method == "Documents" {
				return brokertest.Fault{Delay: 20 * time.Second, Before: broker.ErrRefused}
			}
			return brokertest.Fault{}
		})
		srv := x.newServer()
		if err := srv.Start(task.HandlerFunc(idle)); err != nil {
			x.Fatal(err)
		}
		for range 10 {
			x.enqueue("a")
			x.pass(30 * time.Second)
			x.gone("a")
		}
		x.enqueue("a")
		x.pass(time.Second)
		began := time.Now()
		if err := srv.Shutdown(x.Context()); err != nil {
			x.Fatal(err)
		}
		if took := time.Since(began); took > time.Second {
			x.Errorf("the shutdown took %v, want at most half a second for the history", took)
		}
	})
}

func TestABackgroundKeepsTheHistoryOfWhatItIsTold(t *testing.T) {
	inBubble(t, func(x *bench) {
		began := time.Now()
		b, err := queue.NewBackground(x.b, x.cfg)
		if err != nil {
			x.Fatal(err)
		}
		e := broker.Entry{EntryRef: broker.EntryRef{Queue: "default", ID: "a"}, Type: "test:a"}
		err = b.Run(x.Context(), "tells", func(ctx context.Context) error {
			b.Tell(ctx, queue.Event{Kind: queue.EventStarted, Entry: e, Waited: time.Second})
			b.Tell(ctx, queue.Event{Kind: queue.EventSettled, Entry: e, Outcome: broker.Done, Took: time.Second})
			b.Tell(ctx, queue.Event{Kind: queue.EventLeaseLost, Entry: e})
			return nil
		})
		x.pass(time.Second)
		got := x.historyOf(began, "default").Total.Sum()
		if err != nil || got.Processed != 1 || got.Waits.Count() != 1 || got.Runs.Count() != 1 {
			x.Errorf("%d processed, %v", got.Processed, err)
		}
	})
}
