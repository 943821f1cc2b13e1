package peers

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
)

// Where the two differ: what one of them knows and the other does not.

func TestAsynqSeesFractionsOfASecondRoundedUpOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	whole := time.Now().Add(time.Hour).Truncate(time.Second)
	exact := whole.Add(-750 * time.Millisecond)
	x.must(leat.enqueue(x, spec{
		ID: "a", Type: "t", Queue: "q",
		Timeout: 1500 * time.Millisecond, Deadline: exact, Retention: 250 * time.Millisecond, ProcessAt: exact,
	}))
	info := x.info("q", "a")
	if info.Timeout != 2*time.Second || !info.Deadline.Equal(whole) || info.Retention != time.Second || !info.NextProcessAt.Equal(whole) {
		t.Errorf("asynq sees %+v, want times in whole seconds, rounded up", info)
	}
	stored, err := x.broker.Entry(t.Context(), broker.EntryRef{Queue: "q", ID: "a"})
	if err != nil || stored.Timeout != 1500*time.Millisecond || !stored.Deadline.Equal(exact) ||
		stored.Retention != 250*time.Millisecond || !stored.DueAt.Equal(exact) {
		t.Errorf("Leat sees %+v, %v, want times in milliseconds", stored, err)
	}
}

func TestFractionsOfASecondOutliveAFailureUnderAsynqOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	x.must(leat.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", Timeout: 1500 * time.Millisecond}))
	stop := peer.serve(x, "q", func(context.Context, run) error { return errAsked })
	x.wantState("q", "a", "retry")
	stop()
	left := make(chan time.Duration, 10)
	leat.serve(x, "q", func(_ context.Context, r run) error {
		left <- time.Until(r.Deadline)
		return nil
	})
	if got := <-left; got > 1500*time.Millisecond {
		t.Errorf("Leat gives the handler %v, want at most 1.5s", got)
	}
}

func TestWhatLeatDoesNotAcceptIsArchivedForAsynqOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	s := spec{ID: "a", Type: strings.Repeat("long", 1000), Queue: "q", Retention: time.Hour}
	if err := leat.enqueue(x, s); err == nil {
		t.Error("Leat enqueues a name that it should refuse")
	}
	x.must(peer.enqueue(x, s))
	before := x.redis.HGet(t.Context(), "asynq:{q}:t:a", "msg").Val()
	stop := leat.serve(x, "q", func(context.Context, run) error { return nil })
	x.wantState("q", "a", "archived")
	stop()
	x.wantSound()
	if after := x.redis.HGet(t.Context(), "asynq:{q}:t:a", "msg").Val(); after != before {
		t.Errorf("its message was %q and is %q", before, after)
	}
	x.must(x.inspector.RunTask("q", "a"))
	peer.serve(x, "q", func(context.Context, run) error { return nil })
	x.wantState("q", "a", "completed")
}
