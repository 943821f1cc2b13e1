package periodic_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/task"
)

func TestABackfillThatIsCutShortEnqueuesNothingMore(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.serve(func(ctx context.Context, _ *task.Task) error { return busy(ctx, 5*time.Second) })
		x.schedule(periodic.Config{}, periodic.Entry{Name: "e", Schedule: "* * * * * *", Type: "t", Start: time.Now().Add(-48 * time.Hour), End: time.Now().Add(-time.Hour)})
		x.pass(time.Second)
		day := periodic.Backfill{From: time.Now().Add(-24 * time.Hour), To: time.Now().Add(-time.Hour), Cap: 3, By: "ann"}
		id, err := x.look.Backfill(t.Context(), "e", day)
		if err != nil {
			t.Fatal(err)
		}
		x.pass(time.Minute)
		for range 2 { // the second time changes nothing
			if err := x.look.EndBackfill(t.Context(), "e", id, "bob"); err != nil {
				t.Fatalf("EndBackfill() = %v, want nil", err)
			}
		}
		x.pass(time.Minute)
		b := x.info("e").Backfills[0]
		if b.Ended.IsZero() || b.Enqueued < 3 || b.Enqueued > 100 {
			t.Errorf("the backfill is %+v, want that it ended with what a minute brings", b)
		}
		if err := x.look.EndBackfill(t.Context(), "e", "another", "bob"); !errors.Is(err, periodic.ErrBackfillNotFound) {
			t.Errorf("EndBackfill(another) = %v, want ErrBackfillNotFound", err)
		}
		again, err := x.look.Backfill(t.Context(), "e", periodic.Backfill{From: day.From, To: day.From.Add(time.Minute), Cap: 100})
		if err != nil {
			t.Fatal(err)
		}
		x.pass(time.Minute)
		for _, b := range x.info("e").Backfills {
			if b.ID == again && (b.Ended.IsZero() || b.Enqueued+b.Skipped < 60) {
				t.Errorf("the next is %+v, want that it covers a minute", b)
			}
		}
	})
}

func TestAnEntryThatNobodyRunsAnyMoreIsRemoved(t *testing.T) {
	inBubble(t, func(x *bench) {
		stop := x.schedule(periodic.Config{}, periodic.Entry{Name: "e", Schedule: "@hourly", Type: "t"})
		x.pass(time.Minute)
		if _, ok := errors.AsType[*periodic.SourceError](x.look.Remove(t.Context(), "e", "ann")); !ok {
			t.Error("an entry that is run is removed, or refused without a SourceError")
		}
		stop()
		if err := x.look.Remove(t.Context(), "e", "ann"); err != nil {
			t.Fatalf("Remove() = %v, want nil", err)
		}
		if _, err := x.look.Get(t.Context(), "e"); !errors.Is(err, periodic.ErrEntryNotFound) {
			t.Errorf("Get() = %v, want ErrEntryNotFound", err)
		}
		if err := x.look.Add(t.Context(), periodic.Entry{Name: "e", Schedule: "@daily", Type: "t"}, "ann"); err != nil {
			t.Errorf("Add() of its name = %v, want nil", err)
		}
	})
}
