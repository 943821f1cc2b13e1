package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// A watched broker counts the calls that an idle server makes. It wakes who waits
// as the broker below it does, or as wait has it.
type watched struct {
	broker.Broker
	leases, advances atomic.Int64
	wait             func(ctx context.Context, queues []string) (broker.Wake, error)
}

func newWatched(b broker.Broker) *watched {
	return &watched{Broker: b, wait: b.(broker.Waker).Wait}
}

func (c *watched) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if want.Max > 0 {
		c.leases.Add(1)
	}
	return c.Broker.Apply(ctx, now, changes, want)
}

func (c *watched) Advance(ctx context.Context, now time.Time, r broker.AdvanceRequest) (broker.Advanced, error) {
	c.advances.Add(1)
	return c.Broker.Advance(ctx, now, r)
}

func (c *watched) Wait(ctx context.Context, queues []string) (broker.Wake, error) {
	return c.wait(ctx, queues)
}

// deaf waits for wakes and gets none.
func deaf(ctx context.Context, _ []string) (broker.Wake, error) {
	<-ctx.Done()
	return broker.Wake{}, ctx.Err()
}

// started has a server tell at which time it started which task.
func (x *bench) started() (at map[string]time.Time, h task.HandlerFunc) {
	at = make(map[string]time.Time)
	return at, func(ctx context.Context, _ *task.Task) error {
		x.mu.Lock()
		defer x.mu.Unlock()
		id, _ := task.GetID(ctx)
		at[id] = time.Now()
		return nil
	}
}

func TestAnIdleServerStartsATaskAtOnce(t *testing.T) {
	inBubble(t, func(x *bench) {
		at, h := x.started()
		x.serve(h)
		for i := range 5 {
			x.pass(1234 * time.Millisecond)
			now := time.Now()
			x.enqueue(fmt.Sprint(i))
			synctest.Wait()
			if got := at[fmt.Sprint(i)]; got != now {
				t.Errorf("task %d was started at %v, want %v, when it was enqueued", i, got, now)
			}
		}
	})
}

func TestATaskStartsInTheMillisecondInWhichItIsDue(t *testing.T) {
	inBubble(t, func(x *bench) {
		at, h := x.started()
		x.serve(h)
		x.pass(777 * time.Millisecond)
		due := make(map[string]time.Time)
		for _, in := range []time.Duration{time.Minute, 2345 * time.Millisecond, time.Millisecond, 10 * time.Second, 300 * time.Millisecond} {
			due[in.String()] = time.Now().Add(in)
			x.enqueue(in.String(), task.ProcessIn(in))
			x.pass(100 * time.Microsecond)
		}
		x.pass(time.Hour)
		for id, due := range due {
			if late := at[id].Sub(due); late < 0 || late > time.Millisecond {
				t.Errorf("a task that is due in %s was started %v late, want 0s to 1ms", id, late)
			}
		}
	})
}

func TestARetriedTaskStartsWhenItIsDue(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.cfg.RetryDelayFunc = func(int, error, *task.Task) time.Duration { return 1500 * time.Millisecond }
		var at []time.Time
		x.serve(func(context.Context, *task.Task) error { at = append(at, time.Now()); return errors.New("again") })
		x.enqueue("a", task.MaxRetry(3))
		x.pass(time.Minute)
		for i := 1; i < len(at); i++ {
			if d := at[i].Sub(at[i-1]); d < 1500*time.Millisecond || d > 1502*time.Millisecond {
				t.Errorf("attempt %d came %v after the one before, want 1.5s", i, d)
			}
		}
		if len(at) != 4 {
			t.Errorf("%d attempts, want 4", len(at))
		}
	})
}

// fleet starts n servers with x.cfg.
func (x *bench) fleet(n int, h task.HandlerFunc) {
	for range n {
		x.serve(h)
	}
	x.pass(10 * time.Second)
}

func TestOneServerOfAFleetIsWoken(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := newWatched(x.b)
		x.b = b
		at, h := x.started()
		x.fleet(20, h)
		before := b.leases.Load()
		x.enqueue("a")
		synctest.Wait()
		if len(at) != 1 {
			t.Fatal("the task was not started")
		}
		// One call leases it, and one records its outcome and asks for more.
		if n := b.leases.Load() - before; n != 2 {
			t.Errorf("a task cost the fleet %d calls, want 2", n)
		}
	})
}

func TestOneServerOfAFleetKeepsTheTime(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := newWatched(x.b)
		x.b = b
		at, h := x.started()
		x.fleet(20, h)
		for i := range 100 {
			x.enqueue(fmt.Sprint(i), task.ProcessIn(time.Duration(i)*100*time.Millisecond))
		}
		before := b.advances.Load()
		x.pass(10 * time.Second)
		if len(at) != 100 {
			t.Fatalf("%d tasks were started, want 100", len(at))
		}
		// Each server looks every two seconds, and for each time one or two come.
		if n := b.advances.Load() - before; n > 20*5+20+2*100+50 {
			t.Errorf("100 due times cost the fleet %d calls, want about 300", n)
		}
	})
}

func TestAWakeIsPassedOnWhileWorkRemains(t *testing.T) {
	inBubble(t, func(x *bench) {
		var running atomic.Int64
		x.fleet(5, func(ctx context.Context, _ *task.Task) error {
			running.Add(1)
			return loopUntil(ctx, time.Second)
		})
		x.fill("default", 5)
		synctest.Wait()
		if n := running.Load(); n != 5 {
			t.Errorf("%d of 5 servers with one slot each were started by 5 tasks, want 5", n)
		}
	})
}

func loopUntil(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAServerWithoutRoomLeavesTheWakeToAnother(t *testing.T) {
	inBubble(t, func(x *bench) {
		var running atomic.Int64
		x.fleet(2, func(ctx context.Context, _ *task.Task) error {
			running.Add(1)
			return loopUntil(ctx, time.Hour)
		})
		for i := range 2 {
			x.enqueue(fmt.Sprint(i))
			synctest.Wait()
			if n := running.Load(); n != int64(i+1) {
				t.Errorf("%d handlers run after %d tasks", n, i+1)
			}
		}
	})
}

func TestAnIdleServerAsksSeldom(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := newWatched(x.b)
		x.b = b
		x.serve(idle)
		x.pass(100 * time.Second)
		if leases, advances := b.leases.Load(), b.advances.Load(); leases > 25 || advances > 55 {
			t.Errorf("in 100s it asked %d times for tasks and %d times for what is due, want about 20 and 50", leases, advances)
		}
	})
}

func TestALostWakeCostsAtMostThePollInterval(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := newWatched(x.b)
		b.wait = deaf
		x.b = b
		at, h := x.started()
		x.serve(h)
		x.pass(10 * time.Second)
		now := time.Now()
		x.enqueue("a")
		x.enqueue("b", task.ProcessIn(20*time.Second))
		x.pass(30 * time.Second)
		if wait := at["a"].Sub(now); wait < 0 || wait > 7500*time.Millisecond {
			t.Errorf("the task was started after %v, want at most 7.5s", wait)
		}
		if late := at["b"].Sub(now.Add(20 * time.Second)); late < 0 || late > 2*time.Second+750*time.Millisecond {
			t.Errorf("the scheduled task was started %v late, want at most 2.75s", late)
		}
	})
}

func TestWhoFindsWhatNobodyAnnouncedLooksMoreOften(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := newWatched(x.b)
		b.wait = deaf
		x.b = b
		at, h := x.started()
		x.serve(h)
		x.pass(time.Second)
		x.enqueue("first")
		x.pass(10 * time.Second)
		now := time.Now()
		x.enqueue("second")
		x.pass(750 * time.Millisecond)
		if at["second"].Before(now) {
			t.Error("the second task was not found within 750ms")
		}
		x.pass(10 * time.Minute)
		before := b.leases.Load()
		x.pass(100 * time.Second)
		if n := b.leases.Load() - before; n > 25 {
			t.Errorf("ten minutes later it asks %d times in 100s, want about 20", n)
		}
	})
}

func TestAStorageThatRefusesToBeWaitedOnIsPolled(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := newWatched(x.b)
		waits := 0
		b.wait = func(context.Context, []string) (broker.Wake, error) {
			waits++
			return broker.Wake{}, fmt.Errorf("no blocking here: %w", errors.ErrUnsupported)
		}
		x.b = b
		x.serve(idle)
		x.pass(100 * time.Second)
		if n := b.leases.Load(); n < 180 || n > 220 || waits != 1 {
			t.Errorf("asked %d times in 100s and waited %d times, want about 200, 1", n, waits)
		}
		if n := strings.Count(x.log.String(), "no blocking here"); n != 1 {
			t.Errorf("logged %d times, want once", n)
		}
	})
}

func TestAStorageThatCannotBeWaitedOnForAWhileIsPolledMeanwhile(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := newWatched(x.b)
		var down atomic.Bool
		down.Store(true)
		real := b.wait
		b.wait = func(ctx context.Context, queues []string) (broker.Wake, error) {
			if down.Load() {
				return broker.Wake{}, errors.New("connection refused")
			}
			return real(ctx, queues)
		}
		x.b = b
		at, h := x.started()
		x.serve(h)
		x.pass(30 * time.Second)
		now := time.Now()
		x.enqueue("a")
		x.pass(time.Second)
		if wait := at["a"].Sub(now); wait < 0 || wait > 750*time.Millisecond {
			t.Errorf("the task was started after %v, want at most 750ms", wait)
		}
		if n := strings.Count(x.log.String(), "connection refused"); n < 3 || n > 5 {
			t.Errorf("logged %d times in 31s, want about 4", n)
		}
		down.Store(false)
		x.pass(11 * time.Minute) // and nothing was found that nobody announced
		before := b.leases.Load()
		x.pass(100 * time.Second)
		if n := b.leases.Load() - before; n > 25 {
			t.Errorf("it asks %d times in 100s once it is woken again, want about 20", n)
		}
	})
}

func TestAStorageThatSaysItWasCancelledIsNotAskedWithoutEnd(t *testing.T) {
	inBubble(t, func(x *bench) {
		b := newWatched(x.b)
		var waits atomic.Int64
		b.wait = func(ctx context.Context, queues []string) (broker.Wake, error) {
			if waits.Add(1) > 1000 {
				return deaf(ctx, queues)
			}
			return broker.Wake{}, fmt.Errorf("pool is closed: %w", context.Canceled)
		}
		x.b = b
		x.serve(idle)
		x.pass(10 * time.Second)
		if n := waits.Load(); n > 30 {
			t.Errorf("waited %d times in 10s, want about 25: 50ms to 500ms apart", n)
		}
	})
}

func TestAServerThatGoesLeavesTheTimesItKeepsToOthers(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.serve(idle)
		first := x.srv
		x.pass(time.Second)
		due := time.Now().Add(30 * time.Second)
		x.enqueue("a", task.ProcessAt(due))
		x.pass(time.Second)
		at, h := x.started()
		x.serve(h)
		x.pass(time.Second)
		// The second server does not know of the task, and is not to find it by itself.
		x.pass(10*time.Second + 500*time.Millisecond)
		if err := first.Shutdown(x.Context()); err != nil {
			t.Fatal(err)
		}
		x.pass(time.Minute)
		if late := at["a"].Sub(due); late < 0 || late > time.Millisecond {
			t.Errorf("started %v late, want at once", late)
		}
	})
}

// A reserved queue has slots of its own, and whoever is busy in the others does not
// keep it from being woken.
func TestEachPoolIsWokenForItsOwnQueues(t *testing.T) {
	inBubble(t, func(x *bench) {
		at, h := x.started()
		x.serveAny(inner{h, []string{"inner~queue"}})
		x.pass(time.Second)
		for range 3 {
			for _, queue := range []string{"default", "inner~queue"} {
				x.must(broker.Change{Enqueue: []broker.Entry{{EntryRef: broker.EntryRef{Queue: queue, ID: queue}, Type: "test:any"}}})
				now := time.Now()
				synctest.Wait()
				if at[queue] != now {
					t.Errorf("a task in queue %s was started at %v, want %v", queue, at[queue], now)
				}
				x.pass(100 * time.Millisecond)
			}
		}
	})
}

// An inner is a handler that has reserved queues.
type inner struct {
	task.Handler
	queues []string
}

func (r inner) Reserved() []string { return r.queues }

// must applies changes and fails the test unless all take effect.
func (x *bench) must(changes ...broker.Change) {
	x.Helper()
	applied, err := x.b.Apply(x.Context(), time.Now(), changes, broker.LeaseRequest{})
	if err != nil || slices.ContainsFunc(applied.Outcomes, func(err error) bool { return err != nil }) {
		x.Fatalf("Apply() = %v, %v, want no errors", applied.Outcomes, err)
	}
}
