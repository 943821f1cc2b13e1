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
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
)

func TestRunEndsSoonAlthoughAFunctionBlocks(t *testing.T) {
	inBubble(t, func(x *bench) {
		release := make(chan struct{})
		defer close(release)
		e := every("e", time.Minute, periodic.Allow)
		e.Payload = periodic.Func(func(periodic.Tick) ([]byte, error) { <-release; return nil, nil })
		stop := x.schedule(periodic.Config{OnError: func(context.Context, periodic.Tick, error) { <-release }}, e)
		time.Sleep(61 * time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("Run() returned %v after its context had ended", took)
		}
		if words := x.told("e"); len(words) > 0 {
			t.Errorf("the tick was %v, want that it is left to others", words)
		}
	})
}

// An apart is a broker that keeps queues apart.
type apart struct{ broker.Broker }

func (a apart) Apply(ctx context.Context, now time.Time, changes []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	for _, c := range changes {
		for _, e := range slices.Concat(c.Enqueue, c.Drain) {
			if e.Queue != c.Home.Queue {
				return broker.Applied{Outcomes: []error{&broker.ApartError{One: c.Home.String(), Other: e.Queue + "/" + e.ID, Rule: "queue"}}}, nil
			}
		}
	}
	return a.Broker.Apply(ctx, now, changes, want)
}

func TestThatAStorageKeepsQueuesApartIsTold(t *testing.T) {
	inBubble(t, func(x *bench) {
		var told []error
		cfg := periodic.Config{OnError: func(_ context.Context, _ periodic.Tick, err error) { told = append(told, err) }}
		x.scheduler(queue.NewClient(apart{x.b}), cfg, every("e", time.Minute, periodic.Allow))
		x.pass(70 * time.Second)
		if len(told) != periodic.Attempts || !errors.Is(told[0], broker.ErrApart) {
			t.Errorf("OnError is told %v, want an ApartError each time", told)
		}
		if words := x.told("e"); !slices.Equal(words, []string{"failed"}) {
			t.Errorf("the tick was %v, want failed", words)
		}
	})
}

// An outage is a broker that refuses all changes while it is down.
type outage struct {
	broker.Broker
	down atomic.Bool
}

func (o *outage) Apply(ctx context.Context, now time.Time, c []broker.Change, want broker.LeaseRequest) (broker.Applied, error) {
	if o.down.Load() {
		return broker.Applied{}, errFault
	}
	return o.Broker.Apply(ctx, now, c, want)
}

func TestThatTheStorageDoesNotAnswerIsToldNowAndThen(t *testing.T) {
	inBubble(t, func(x *bench) {
		var told []error
		b := &outage{Broker: x.b}
		cfg := periodic.Config{OnError: func(_ context.Context, tick periodic.Tick, err error) {
			if told = append(told, err); tick.Entry != "e" {
				t.Errorf("OnError is told of %q", tick.Entry)
			}
		}}
		x.scheduler(queue.NewClient(b), cfg, every("e", time.Minute, periodic.Allow))
		start := time.Now()
		x.pass(30 * time.Second)
		b.down.Store(true)
		x.pass(50 * time.Second)
		b.down.Store(false)
		x.pass(10 * time.Second)
		if len(told) == 0 || len(told) > 5 || !errors.Is(told[0], errFault) {
			t.Errorf("OnError is told %v, want the fault a few times", told)
		}
		x.wantTicks("e", time.Minute, start, time.Now())
	})
}

func TestLongReasonsAreCut(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.schedule(periodic.Config{}, every("e", time.Hour, periodic.Allow))
		x.pass(time.Second)
		long := strings.Repeat("x", 1<<20)
		if err := x.look.Pause(t.Context(), "e", long, long); err != nil {
			t.Fatal(err)
		}
		if p := x.info("e").Paused; len(p.By) > 210 || len(p.Why) > 210 {
			t.Errorf("%d and %d bytes are kept", len(p.By), len(p.Why))
		}
	})
}

func TestABackfillOfManyTicksGoesOnStepByStep(t *testing.T) {
	inBubble(t, func(x *bench) {
		s, _ := x.scheduler(x.client, periodic.Config{}, every("e", time.Second, periodic.Allow))
		x.pass(10 * time.Second)
		start := time.Now()
		fill := periodic.Backfill{From: start.AddDate(-1, 0, 0), To: start, Cap: 1}
		for range 2 { // what the first one covers the second one leaves out
			if _, err := s.Inspector().Backfill(t.Context(), "e", fill); err != nil {
				t.Fatal(err)
			}
		}
		x.pass(20 * time.Millisecond)
		all := int(fill.To.Sub(fill.From).Seconds())
		if skipped := x.info("e").Backfills[1].Skipped; skipped == 0 || skipped > all/2 {
			t.Errorf("%d of %d ticks are looked at, want some", skipped, all)
		}
	})
}
