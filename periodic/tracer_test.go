package periodic_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/internal/witness"
	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
)

func TestATracerIsToldOfATick(t *testing.T) {
	inBubble(t, func(x *bench) {
		w := new(witness.Witness)
		x.client.Tracer = w
		x.client.Use(func(next queue.EnqueueFunc) queue.EnqueueFunc {
			return func(ctx context.Context, t *task.Task, options ...task.Option) (*task.Info, error) {
				return next(ctx, t, append(options, task.Header("in", witness.Name(ctx)))...)
			}
		})
		x.schedule(periodic.Config{}, every("e", 10*time.Second, periodic.Allow))
		x.pass(11 * time.Second)
		const id = "e~20000101T000010Z"
		want := []string{"tick " + id, "send " + id + " in tick e", "sent " + id + ": ok", "fired " + id + ": ok"}
		if diff := cmp.Diff(want, w.Lines()); diff != "" || len(w.Faults()) > 0 {
			t.Errorf("what the tracer was told differs (-want +got):\n%s\nand it found %q", diff, w.Faults())
		}
		found, err := x.b.Entry(x.Context(), broker.EntryRef{Queue: "default", ID: id})
		if err != nil || found.Headers[witness.Sent] != "tick e:"+id || found.Headers["in"] != "tick e" {
			t.Errorf("its task has headers %v (%v), want those of the tracer, and what middleware sees of it", found.Headers, err)
		}
	})
}

// Whoever fires a tick says so, and all others that they have not.
func TestEachTickIsFiredOnceForTheTracer(t *testing.T) {
	for _, rate := range []float64{0, 0.2} {
		t.Run(fmt.Sprintf("%.0f percent of calls fail", 100*rate), func(t *testing.T) {
			inBubble(t, func(x *bench) {
				w := new(witness.Witness)
				f := &fleet{bench: x, rate: rate, by: random(t)}
				for range 3 {
					client := queue.NewClient(brokertest.Faulty(x.b, f.plan))
					client.Tracer = w
					f.scheduler(client, periodic.Config{}, every("e", time.Second, periodic.Allow))
				}
				x.pass(time.Minute + 500*time.Millisecond)
				fired := make(map[string]int)
				for _, line := range w.About("fired") {
					if id, ok := strings.CutSuffix(strings.TrimPrefix(line, "fired "), ": ok"); ok {
						fired[id]++
					}
				}
				for _, id := range x.enqueued("e") {
					if fired[id] > 1 || fired[id] == 0 && rate == 0 {
						t.Errorf("tick %s was fired %d times, want once", id, fired[id])
					}
					delete(fired, id)
				}
				if len(fired) > 0 || len(w.Faults()) > 0 || rate == 0 && len(w.Unsent()) > 0 {
					t.Errorf("these were fired and not enqueued: %v; of these it was not told what came of them: %v; it found %v", fired, w.Unsent(), w.Faults())
				}
			})
		})
	}
}

func TestATracerIsToldOfATickWhoseTaskCannotBeMade(t *testing.T) {
	inBubble(t, func(x *bench) {
		w := new(witness.Witness)
		x.client.Tracer, x.client.MaxPayload = w, 1
		e := every("e", time.Minute, periodic.Allow)
		e.Payload = periodic.Bytes([]byte("too long"))
		x.schedule(periodic.Config{}, e)
		x.pass(90 * time.Second)
		got := w.Lines()
		if len(got) != 2*periodic.Attempts || !strings.HasPrefix(got[1], "fired e~20000101T000100Z: make task: ") || len(w.Faults()) > 0 {
			t.Errorf("the tracer was told %q and found %q, want of each attempt that no task was made", got, w.Faults())
		}
	})
}

func TestAnObserverIsToldHowLateATickWasFired(t *testing.T) {
	inBubble(t, func(x *bench) {
		var mu sync.Mutex
		var ticked []queue.Event
		x.client.Observer = func(_ context.Context, e queue.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == queue.EventTicked {
				ticked = append(ticked, e)
			}
		}
		e := every("e", time.Minute, periodic.Allow)
		e.Missed = periodic.RunOnce()
		_, stop := x.scheduler(x.client, periodic.Config{}, e)
		x.pass(61 * time.Second)
		stop()
		x.pass(2*time.Minute + 29*time.Second) // until half a minute after the tick of three minutes
		x.schedule(periodic.Config{}, e)
		x.pass(time.Second)
		mu.Lock()
		defer mu.Unlock()
		late := func(e queue.Event) time.Duration { return e.Took.Round(time.Second) }
		if len(ticked) != 2 || late(ticked[0]) != 0 || late(ticked[1]) != 30*time.Second || ticked[1].Name != "e" ||
			!slices.Contains(x.enqueued("e"), ticked[1].Entry.ID) {
			t.Errorf("it was told %+v, want of one that was fired on time, and one half a minute late", ticked)
		}
	})
}
