package periodic_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

func TestWhatATickCosts(t *testing.T) {
	for _, c := range []struct {
		overlap periodic.Overlap
		most    float64 // calls of the broker for a tick and replica
	}{{periodic.Allow, 1}, {periodic.QueueOne, 1}, {periodic.SkipOverlap, 2}, {periodic.CancelPrevious, 2}} {
		t.Run(c.overlap.String(), func(t *testing.T) {
			inBubble(t, func(x *bench) {
				const replicas, ticks = 5, 240
				for range replicas {
					x.schedule(periodic.Config{}, every("e", 15*time.Second, c.overlap))
				}
				x.serve(func(context.Context, *task.Task) error { return nil })
				time.Sleep(time.Minute + time.Second)
				before := x.cost()
				time.Sleep(time.Hour)
				cost := x.cost() - before
				each := float64(cost) / replicas / ticks
				t.Logf("%.2f calls for each tick and replica", each)
				if each > c.most {
					t.Errorf("%.2f calls for each tick and replica, want %.0f at most", each, c.most)
				}
			})
		})
	}
}

// cost returns how many calls schedulers have made about their entries, syncs excepted.
func (x *bench) cost() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.calls["Documents"] + x.calls["OpenEntries"] + x.commits
}

func TestWhatAnIdleSchedulerCosts(t *testing.T) {
	inBubble(t, func(x *bench) {
		var entries []periodic.Entry
		for n := range 100 {
			entries = append(entries, periodic.Entry{Name: string(rune('a'+n/26)) + string(rune('a'+n%26)), Schedule: "@yearly", Type: "t"})
		}
		x.schedule(periodic.Config{}, entries...)
		time.Sleep(2 * time.Minute)
		x.mu.Lock()
		clear(x.calls)
		x.mu.Unlock()
		time.Sleep(time.Hour)
		x.mu.Lock()
		defer x.mu.Unlock()
		total := 0
		for n := range maps.Values(x.calls) {
			total += n
		}
		t.Logf("in an hour: %v", x.calls)
		if perMinute := total / 60; perMinute > 17 {
			t.Errorf("%d calls a minute, want 17 at most: %v", perMinute, x.calls)
		}
	})
}
