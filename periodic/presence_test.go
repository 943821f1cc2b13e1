package periodic_test

import (
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue/broker"
)

func TestWhatIsRunIsSeen(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		e := every("e", time.Minute, periodic.Allow)
		one := x.schedule(periodic.Config{}, e)
		x.schedule(periodic.Config{}, e, every("f", time.Hour, periodic.Allow))
		x.pass(3*time.Minute + 20*time.Second)
		seen := func() []broker.Scheduler {
			list, err := x.b.Schedulers(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		list := seen()
		if len(list) != 2 || len(list[0].Entries)+len(list[1].Entries) != 3 {
			t.Fatalf("Schedulers() = %+v, want two, with three entries together", list)
		}
		for _, s := range list {
			if got := s.Entries[0]; got.ID != "e" || got.Spec != e.Schedule || got.Type != e.Type || !got.Next.After(time.Now().Add(-15*time.Second)) || got.Prev.IsZero() {
				t.Errorf("%s has %+v", s.ID, got)
			}
		}
		if by := x.info("e").RunBy; len(by) != 2 {
			t.Errorf("RunBy = %v, want two", by)
		}
		ticks, err := x.b.Ticks(t.Context(), "e", 10)
		if err != nil || len(ticks) != 3 || ticks[0].TaskID != x.enqueued("e")[2] || !ticks[2].At.Equal(start.Add(time.Minute)) {
			t.Errorf("Ticks() = %+v, %v, want three", ticks, err)
		}
		one()
		if list := seen(); len(list) != 1 {
			t.Errorf("after one has ended Schedulers() = %+v, want the other", list)
		}
	})
}
