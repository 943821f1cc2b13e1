package periodic_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

// random returns numbers by chance, which the log names.
func random(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestTwoHundredHandOvers(t *testing.T) {
	by := random(t)
	for n := range 200 {
		inBubble(t, func(x *bench) {
			e := periodic.Entry{Name: "e", Schedule: "0 * * * *", Type: "t"}
			start := time.Now()
			tick := start.Add(time.Hour)
			around := func() time.Duration { return time.Hour + time.Duration(by.Int64N(6000)-3000)*time.Millisecond }
			ends, begins := around(), around()
			stop := x.schedule(periodic.Config{}, e)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				time.Sleep(ends)
				stop()
			}()
			time.Sleep(begins)
			x.schedule(periodic.Config{}, e)
			<-ended
			time.Sleep(time.Until(tick.Add(10 * time.Second)))
			x.wantTimes("e", []time.Time{tick})
			if t.Failed() {
				t.Fatalf("hand-over %d: one ended after %v, the other began after %v", n, ends, begins)
			}
		})
	}
}

// A fleet is schedulers of the same entries, with clocks apart, whose calls of the broker
// fail at random.
type fleet struct {
	*bench
	entries []periodic.Entry
	rate    float64 // of calls that fail, half of them once they have taken effect

	mu sync.Mutex
	by *rand.Rand
}

func (f *fleet) number(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.by.IntN(n)
}

func (f *fleet) plan(int, string) brokertest.Fault {
	switch n := float64(f.number(1000)) / 1000; {
	case n < f.rate/2:
		return brokertest.Fault{Before: errFault}
	case n < f.rate:
		return brokertest.Fault{After: errLost}
	}
	return brokertest.Fault{Delay: time.Duration(f.number(20)) * time.Millisecond}
}

// join runs one more scheduler.
func (f *fleet) join() (stop func()) {
	skew := time.Duration(f.number(4000)-2000) * time.Millisecond
	cfg := periodic.Config{}.WithClock(func() time.Time { return time.Now().Add(skew) })
	_, stop = f.scheduler(queue.NewClient(brokertest.Faulty(f.b, f.plan)), cfg, f.entries...)
	return stop
}

func TestFiveSchedulersThatComeAndGo(t *testing.T) {
	for _, rate := range []float64{0, 0.1, 0.3} {
		t.Run(fmt.Sprintf("%.0f percent of calls fail", 100*rate), func(t *testing.T) {
			inBubble(t, func(x *bench) {
				f := &fleet{bench: x, rate: rate, by: random(t)}
				for n := range 20 {
					f.entries = append(f.entries, every(fmt.Sprintf("e%d", n), time.Second, periodic.Allow))
				}
				var stops []func()
				for range 5 {
					stops = append(stops, f.join())
				}
				time.Sleep(3 * time.Second)
				for range 20 {
					time.Sleep(time.Duration(14500+f.number(1000)) * time.Millisecond)
					gone := f.number(len(stops))
					go stops[gone]()
					stops = append(slices.Delete(stops, gone, gone+1), f.join())
				}
				time.Sleep(2500 * time.Millisecond)
				for _, stop := range stops {
					stop()
				}
				for _, e := range f.entries {
					x.gapless(e.Name)
				}
			})
		})
	}
}

// gapless demands that the ticks of an entry of one second were each enqueued once, from
// the first to the last.
func (x *bench) gapless(name string) {
	x.Helper()
	ticks := x.ticks(name)
	if len(ticks) < 290 {
		x.Fatalf("%s has %d ticks, want those of five minutes", name, len(ticks))
	}
	if first := ticks[0].Sub(x.info(name).Known); first > 4*time.Second {
		x.Errorf("%s: the first tick is %v after it was known", name, first)
	}
	x.wantTicks(name, time.Second, ticks[0].Add(-time.Second), ticks[len(ticks)-1])
}

func TestAStorageThatWasAway(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		plan := func(int, string) brokertest.Fault {
			if passed := time.Since(start); passed >= 50*time.Second && passed < 80*time.Second {
				return brokertest.Fault{Before: errFault}
			}
			return brokertest.Fault{}
		}
		_, stop := x.scheduler(queue.NewClient(brokertest.Faulty(x.b, plan)), periodic.Config{}, every("e", time.Minute, periodic.Allow))
		time.Sleep(59*time.Second + 30*time.Second)
		x.wantTicks("e", time.Minute, start, start.Add(time.Minute))
		stop()
	})
}

func TestAWeeklyEntryOfAFleetThatIsRestartedHourly(t *testing.T) {
	inBubble(t, func(x *bench) {
		e := periodic.Entry{Name: "e", Schedule: "30 6 * * 1", Zone: "Europe/Berlin", Type: "t"}
		start := time.Now()
		for time.Since(start) < 366*24*time.Hour {
			stop := x.schedule(periodic.Config{SyncInterval: time.Hour}.WithBeat(time.Hour), e)
			time.Sleep(time.Hour - 10*time.Second)
			stop()
			time.Sleep(10 * time.Second)
		}
		ticks := x.ticks("e")
		if len(ticks) != 52 {
			t.Errorf("%d ticks in 366 days, want 52", len(ticks))
		}
		zone, err := time.LoadLocation(e.Zone)
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range ticks {
			if local := at.In(zone); local.Weekday() != time.Monday || local.Format(time.TimeOnly) != "06:30:00" || i > 0 && local.YearDay() == ticks[i-1].In(zone).YearDay() {
				t.Errorf("tick %d is at %v", i, local)
			}
		}
	})
}

func TestBackfillsAndRunsOfAFleetThatFails(t *testing.T) {
	inBubble(t, func(x *bench) {
		f := &fleet{bench: x, rate: 0.2, by: random(t)}
		f.entries = []periodic.Entry{{Name: "e", Schedule: "0 * * * *", Type: "t"}}
		for range 3 {
			f.join()
		}
		var running, most atomic.Int64
		x.serve(func(ctx context.Context, tk *task.Task) error {
			if tick, _ := periodic.TickOf(tk); tick.Time.Before(time.Now().Add(-time.Hour)) {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
			}
			return busy(ctx, 3*time.Second)
		})
		time.Sleep(10 * time.Second)
		asked := make(map[string]bool)
		for range 20 {
			_, id, err := x.look.RunNow(t.Context(), "e", "")
			if err != nil {
				t.Fatal(err)
			}
			asked[id] = true
		}
		b := periodic.Backfill{From: time.Now().Add(-200 * time.Hour), To: time.Now().Add(-2 * time.Hour), Cap: 5}
		if _, err := x.look.Backfill(t.Context(), "e", b); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		count := make(map[string]int)
		for _, id := range x.enqueued("e") {
			count[id]++
		}
		for id, n := range count {
			if n != 1 {
				t.Errorf("%s is enqueued %d times", id, n)
			}
			delete(asked, id)
		}
		if done := x.info("e").Backfills[0]; done.Ended.IsZero() || done.Enqueued != 198 || len(count)-len(x.ticks("e")) != 218 || len(asked) > 0 || most.Load() > 5 {
			t.Errorf("the backfill is %+v, with %d at once; %d tasks are enqueued and those of %v, want 218, without %v", done, most.Load(), len(count), x.ticks("e"), asked)
		}
	})
}
