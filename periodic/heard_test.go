package periodic_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestAnEntryInPlaceOfAStoredOneThatWasRemovedHasMissedNothing(t *testing.T) {
	inBubble(t, func(x *bench) {
		start := time.Now()
		e := every("e", time.Minute, periodic.Allow)
		e.Missed = periodic.RunAll(500, 24*time.Hour)
		if err := x.look.Add(t.Context(), e, "ann"); err != nil {
			t.Fatal(err)
		}
		x.schedule(periodic.Config{}, e)
		x.serve(func(context.Context, *task.Task) error { return nil })
		x.pass(time.Hour + 10*time.Second)
		if err := x.look.Remove(t.Context(), "e", "ann"); err != nil {
			t.Fatal(err)
		}
		x.pass(time.Hour)
		x.wantTicks("e", time.Minute, start, time.Now())
	})
}

// A slowAnswer is a broker whose answers to changes come late.
type slowAnswer struct {
	broker.Broker
	wait atomic.Int64
}

func (s *slowAnswer) Apply(ctx context.Context, now time.Time, c []broker.Change, r broker.LeaseRequest) (broker.Applied, error) {
	done, err := s.Broker.Apply(ctx, now, c, r)
	time.Sleep(time.Duration(s.wait.Load()))
	return done, err
}

func TestWhatIsHeardDuringACommitIsNotForgotten(t *testing.T) {
	inBubble(t, func(x *bench) {
		slow := &slowAnswer{Broker: x.b}
		slow.wait.Store(int64(4 * time.Second))
		x.scheduler(queue.NewClient(slow), periodic.Config{SyncInterval: time.Second}, every("e", 1000*time.Hour, periodic.Allow))
		x.pass(time.Second)
		_, id, err := x.look.RunNow(t.Context(), "e", "ann")
		if err != nil {
			t.Fatal(err)
		}
		x.pass(5 * time.Second)
		slow.wait.Store(0)
		x.pass(time.Minute)
		if got := x.enqueued("e"); len(got) != 1 || got[0] != id {
			t.Errorf("enqueued %v, want %s", got, id)
		}
	})
}
