package periodic_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

func TestAPausedEntryHasNoTicks(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		for range 2 {
			x.schedule(periodic.Config{}, every("e", 10*time.Second, periodic.Allow))
		}
		x.pass(25 * time.Second)
		if err := x.look.Pause(t.Context(), "e", "ann", "a look at it"); err != nil {
			t.Fatal(err)
		}
		if p := x.info("e").Paused; p == nil || p.By != "ann" || p.Why != "a look at it" || !p.At.Equal(start.Add(25*time.Second)) {
			t.Errorf("Paused = %+v", p)
		}
		x.pass(30 * time.Second)
		x.wantTicks("e", 10*time.Second, start, start.Add(25*time.Second))
		for range 2 {
			if err := x.look.Resume(t.Context(), "e", "bob"); err != nil {
				t.Fatal(err)
			}
		}
		x.pass(20 * time.Second)
		want := []time.Time{start.Add(10 * time.Second), start.Add(20 * time.Second), start.Add(60 * time.Second), start.Add(70 * time.Second)}
		x.wantTimes("e", want)
		if got, want := x.told("e"), []string{"fired", "fired", "paused", "resumed", "fired", "fired"}; !slices.Equal(got, want) {
			t.Errorf("history tells %v, want %v", got, want)
		}
	})
}

func TestARunThatIsAskedFor(t *testing.T) {
	inBubble(t, func(x *bench) {
		e := periodic.Entry{Name: "e", Schedule: "@yearly", Type: "t", Overlap: periodic.SkipOverlap}
		var got []periodic.Tick
		x.serve(func(ctx context.Context, tk *task.Task) error {
			tick, _ := periodic.TickOf(tk)
			got = append(got, tick)
			return busy(ctx, time.Minute)
		})
		s, _ := x.scheduler(x.client, periodic.Config{}, e)
		x.schedule(periodic.Config{}, e)
		x.pass(time.Second)
		if err := x.look.Pause(t.Context(), "e", "", ""); err != nil {
			t.Fatal(err)
		}
		tick, id, err := s.Inspector().RunNow(t.Context(), "e", "ann")
		if err != nil || tick.Entry != "e" || !tick.Time.Equal(time.Now()) {
			t.Fatalf("RunNow() = %+v, %v", tick, err)
		}
		x.pass(time.Second)
		if ids := x.enqueued("e"); len(ids) != 1 || ids[0] != id {
			t.Errorf("a second later %v is enqueued, want %s", ids, id)
		}
		if _, _, err := x.look.RunNow(t.Context(), "e", "bob"); err != nil {
			t.Fatal(err)
		}
		x.pass(10 * time.Second)
		if got, want := x.told("e"), []string{"paused", "fired", "skipped"}; !slices.Equal(got, want) || len(x.enqueued("e")) != 1 {
			t.Errorf("history tells %v of %v, want %v", got, x.enqueued("e"), want)
		}
		x.pass(time.Minute)
		if _, _, err := x.look.RunNow(t.Context(), "e", "eve"); err != nil {
			t.Fatal(err)
		}
		x.pass(periodic.DefaultSyncInterval + time.Second)
		if len(x.enqueued("e")) != 2 || len(got) != 2 || !got[0].Time.Equal(tick.Time) {
			t.Errorf("enqueued %v, the handler got %v; want the first and the third", x.enqueued("e"), got)
		}
	})
}

func TestRunsThatWaitAreCounted(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.schedule(periodic.Config{}, every("e", time.Hour, periodic.Allow))()
		if _, _, err := x.look.RunNow(t.Context(), "none", ""); !errors.Is(err, periodic.ErrEntryNotFound) {
			t.Errorf("RunNow() = %v, want ErrEntryNotFound", err)
		}
		x.schedule(periodic.Config{}, every("e", time.Hour, periodic.Allow))
		x.pass(time.Second)
		for range 32 {
			if _, _, err := x.look.RunNow(t.Context(), "e", ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := x.look.RunNow(t.Context(), "e", ""); !errors.Is(err, periodic.ErrTooMany) || x.info("e").Asked != 32 {
			t.Errorf("RunNow() = %v after %d, want ErrTooMany after 32", err, x.info("e").Asked)
		}
		x.pass(time.Minute)
		if n := len(x.enqueued("e")); n != 32 {
			t.Errorf("%d are enqueued, want 32", n)
		}
	})
}

func TestBackfills(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		var running, most atomic.Int64
		x.serve(func(ctx context.Context, _ *task.Task) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			return busy(ctx, 5*time.Second)
		})
		e := periodic.Entry{Name: "e", Schedule: "0 * * * *", Type: "t", Overlap: periodic.SkipOverlap}
		for range 3 {
			x.schedule(periodic.Config{}, e)
		}
		x.pass(time.Second)
		fill := func(b periodic.Backfill) periodic.Backfill {
			id, err := x.look.Backfill(t.Context(), "e", b)
			if err != nil {
				t.Fatal(err)
			}
			x.pass(10 * time.Minute)
			for _, done := range x.info("e").Backfills {
				if done.ID == id && !done.Ended.IsZero() && running.Load() == 0 {
					return done
				}
			}
			t.Fatalf("backfill %s has not ended: %+v", id, x.info("e").Backfills)
			return b
		}
		day := periodic.Backfill{From: start.Add(-24 * time.Hour), To: start.Add(-time.Hour), Cap: 3, By: "ann"}
		if b := fill(day); b.Enqueued != 24 || b.Skipped != 0 || most.Load() != 3 || b.Begun.Add(time.Minute).Before(b.Ended) {
			t.Errorf("the first is %+v, with %d at once; want 24 enqueued, 3 at once, in a minute", b, most.Load())
		}
		ids := x.enqueued("e")
		if first, last := ids[0], ids[23]; !slices.IsSorted(ids) || !strings.HasSuffix(first, "~19991231T000000Z") || !strings.HasSuffix(last, "~19991231T230000Z") {
			t.Errorf("enqueued %v", ids)
		}
		day.From = start.Add(-26 * time.Hour)
		if b := fill(day); b.Enqueued != 2 || b.Skipped != 24 {
			t.Errorf("repeated, from two hours earlier, it is %+v, want 2 enqueued", b)
		}
		day.Force = true
		if b := fill(day); b.Enqueued != 26 || b.Skipped != 0 {
			t.Errorf("repeated by force it is %+v, want 26 enqueued", b)
		}
		x.pass(30 * time.Minute)
		x.wantTimes("e", []time.Time{start.Add(time.Hour)})
		if b := fill(periodic.Backfill{From: start, To: start.Add(time.Hour), Cap: 1}); b.Enqueued != 1 || b.Skipped != 1 {
			t.Errorf("over a tick of the schedule it is %+v, want 1 enqueued, 1 skipped", b)
		}
	})
}

func TestBadBackfills(t *testing.T) {
	inBubble(t, func(x *bench) {
		_, err := x.look.Backfill(t.Context(), "e", periodic.Backfill{To: time.Now().Add(time.Hour)})
		for _, word := range []string{"Cap", "From", "passed"} {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("Backfill() = %v, want a word of %s", err, word)
			}
		}
	})
}

func TestAllAgreeOnTheJitter(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		e := every("e", 10*time.Second, periodic.Allow)
		e.Jitter = 8 * time.Second
		due := make(map[string]time.Time)
		for range 3 {
			x.schedule(periodic.Config{After: func(_ context.Context, tick periodic.Tick, info *task.Info) {
				due[info.ID] = time.Now()
				if late := time.Since(tick.Time); late < 0 || late > e.Jitter+10*time.Millisecond {
					t.Errorf("tick %v is enqueued after %v", tick.Time, late)
				}
			}}, e)
		}
		x.pass(10*time.Minute + 9*time.Second)
		x.wantTicks("e", 10*time.Second, start, start.Add(10*time.Minute))
		late := make(map[time.Duration]bool)
		for _, at := range due {
			late[at.Sub(start)%(10*time.Second)/time.Second] = true
		}
		if len(due) != 60 || len(late) < 6 {
			t.Errorf("%d ticks, late by %v; want 60, spread over eight seconds", len(due), late)
		}
	})
}

func TestStartAndEnd(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		e := every("e", 10*time.Second, periodic.Allow)
		e.Start, e.End = start.Add(33*time.Second), start.Add(63*time.Second)
		x.schedule(periodic.Config{}, e)
		x.pass(20 * time.Second)
		if next := x.info("e").Next; !next.Equal(e.Start) {
			t.Errorf("Next = %v, want %v", next, e.Start)
		}
		x.pass(5 * time.Minute)
		x.wantTimes("e", []time.Time{e.Start, start.Add(43 * time.Second), start.Add(53 * time.Second), e.End})
		if next := x.info("e").Next; !next.IsZero() {
			t.Errorf("Next = %v, want none", next)
		}
	})
}
