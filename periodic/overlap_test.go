package periodic_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// overlapping runs an entry of ten seconds, whose handler takes 24, for a minute, and
// returns the second at which each handler began, and the most that ran at once.
func overlapping(x *bench, o periodic.Overlap) (began []int, most int) {
	start := time.Now()
	var mu sync.Mutex
	running := 0
	enter := func(at int) {
		mu.Lock()
		defer mu.Unlock()
		began = append(began, at)
		running++
		most = max(most, running)
	}
	x.serve(func(ctx context.Context, tk *task.Task) error {
		tick, _ := periodic.TickOf(tk)
		enter(int(tick.Time.Sub(start).Seconds()))
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			running--
		}()
		return busy(ctx, 24*time.Second)
	})
	stop := x.schedule(periodic.Config{}, every("e", 10*time.Second, o))
	x.pass(65 * time.Second)
	stop()
	x.pass(2 * time.Minute)
	return began, most
}

func TestTicksThatOverlap(t *testing.T) {
	cases := []struct {
		overlap periodic.Overlap
		began   []int
		most    int
	}{
		{periodic.Allow, []int{10, 20, 30, 40, 50, 60}, 3},
		{periodic.SkipOverlap, []int{10, 40}, 1},
		{periodic.QueueOne, []int{10, 30, 50, 60}, 1},
	}
	for _, c := range cases {
		t.Run(c.overlap.String(), func(t *testing.T) {
			inBubble(t, func(x *bench) {
				began, most := overlapping(x, c.overlap)
				if !slices.Equal(began, c.began) || most != c.most {
					t.Errorf("ticks at %v were run, %d at once; want %v, %d", began, most, c.began, c.most)
				}
			})
		})
	}
}

func TestATickCancelsThePreviousOne(t *testing.T) {
	inBubble(t, func(x *bench) {
		var mu sync.Mutex
		var cancelled, done []string
		x.serve(func(ctx context.Context, tk *task.Task) error {
			id, _ := task.GetID(ctx)
			tick, _ := periodic.TickOf(tk)
			if len(tick.Cancels) > 1 {
				t.Errorf("tick %v has cancelled %v", tick.Time, tick.Cancels)
			}
			mu.Lock()
			cancelled = append(cancelled, tick.Cancels...)
			mu.Unlock()
			if err := busy(ctx, 24*time.Second); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done = append(done, id)
			return nil
		})
		stop := x.schedule(periodic.Config{}, every("e", 10*time.Second, periodic.CancelPrevious))
		x.pass(65 * time.Second)
		stop()
		x.pass(time.Minute)
		ids := x.enqueued("e")
		if len(ids) != 6 || !slices.Equal(cancelled, ids[:5]) || !slices.Equal(done, ids[5:]) {
			t.Errorf("enqueued %v, cancelled %v, done %v; want six, of which all but the last are cancelled", ids, cancelled, done)
		}
	})
}

func TestAFailedTickNeverStopsTheNext(t *testing.T) {
	for _, o := range []periodic.Overlap{periodic.Allow, periodic.SkipOverlap, periodic.QueueOne, periodic.CancelPrevious} {
		t.Run(o.String(), func(t *testing.T) {
			inBubble(t, func(x *bench) {
				start := time.Now()
				x.serve(func(context.Context, *task.Task) error { return errors.Join(errors.New("no"), task.SkipRetry) })
				x.schedule(periodic.Config{}, every("e", 10*time.Second, o))
				x.pass(65 * time.Second)
				x.wantTicks("e", 10*time.Second, start, time.Now())
				counts, err := x.b.Counts(t.Context(), time.Now(), "default")
				if err != nil || counts[0].Archived != 6 {
					t.Errorf("Counts() = %+v, %v, want 6 archived", counts, err)
				}
			})
		})
	}
}

func TestATickThatIsSkippedSaysForWhich(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.schedule(periodic.Config{}, every("e", 10*time.Second, periodic.SkipOverlap))
		x.pass(24 * time.Second)
		history := x.info("e").History
		last := history[len(history)-1]
		if want := x.enqueued("e")[0] + " is open"; last.What != periodic.TickSkipped || last.Why != want {
			t.Errorf("the history ends with %+v, want skipped, because %q", last, want)
		}
	})
}

func TestATaskThatIsParkedIsNotCancelled(t *testing.T) {
	for _, c := range []struct {
		overlap periodic.Overlap
		want    []string
	}{{periodic.CancelPrevious, []string{"fired", "fired"}}, {periodic.SkipOverlap, []string{"skipped", "skipped"}}} {
		inBubble(t, func(x *bench) {
			info, err := x.client.Enqueue(t.Context(), task.New("t", nil))
			if err != nil {
				t.Fatal(err)
			}
			x.parked = []broker.EntryRef{{Queue: info.Queue, ID: info.ID}}
			if err := queue.NewInspector(x.b).Archive(t.Context(), info.Queue, info.ID); err != nil {
				t.Fatal(err)
			}
			x.schedule(periodic.Config{}, every("e", 10*time.Second, c.overlap))
			x.pass(25 * time.Second)
			history := x.info("e").History
			if got := x.told("e"); !slices.Equal(got, c.want) || c.overlap == periodic.SkipOverlap && history[1].Why != info.ID+" is parked" {
				t.Errorf("the history is %+v, want %v", history, c.want)
			}
		})
	}
}

func TestATickCancelsWhatOneThatNeverBeganWasToCancel(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.schedule(periodic.Config{}, every("e", time.Minute, periodic.CancelPrevious))
		x.pass(20*time.Minute + time.Second)
		ids := x.enqueued("e")
		e, err := x.b.Entry(t.Context(), broker.EntryRef{Queue: "default", ID: ids[len(ids)-1]})
		if err != nil {
			t.Fatal(err)
		}
		cancels := strings.Split(e.Headers[periodic.HeaderCancels], ",")
		if len(cancels) != 16 || cancels[0] != ids[0] || cancels[15] != ids[18] {
			t.Errorf("cancels %v", cancels)
		}
	})
}
