package peers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

// pauses are both sides' ways to pause a queue and to resume it. pause reports
// whether it was not paused before, resume whether it was.
var pauses = map[string]struct{ pause, resume func(*bench, string) bool }{
	leat.name: {
		func(x *bench, queue string) bool { return x.did(x.ours.Pause(x.Context(), queue)) },
		func(x *bench, queue string) bool { return x.did(x.ours.Resume(x.Context(), queue)) },
	},
	peer.name: {
		func(x *bench, queue string) bool { return x.inspector.PauseQueue(queue) == nil },
		func(x *bench, queue string) bool { return x.inspector.UnpauseQueue(queue) == nil },
	},
}

// did returns what was done, if there was no error.
func (x *bench) did(done bool, err error) bool {
	x.Helper()
	x.must(err)
	return done
}

func TestAQueueThatOnePausedBothLeaveAloneUntilTheOtherResumesItOnRedis(t *testing.T) {
	betweenSides(t, func(x *bench, pauser, resumer side) {
		if !pauses[pauser.name].pause(x, "q") {
			x.Errorf("%s pauses nothing", pauser.name)
		}
		for name, p := range pauses {
			if p.pause(x, "q") {
				x.Errorf("%s pauses a queue that is paused", name)
			}
		}
		ran := make(chan string, 10)
		for _, s := range sides {
			s.serve(x, "q", func(_ context.Context, r run) error {
				ran <- r.ID
				return nil
			})
			x.must(s.enqueue(x, spec{ID: s.name, Type: "t", Queue: "q"}))
		}
		time.Sleep(500 * time.Millisecond)
		if len(ran) > 0 {
			x.Errorf("%d ran while the queue was paused", len(ran))
		}
		info, err := x.inspector.GetQueueInfo("q")
		if c := x.counts("q"); !c.Paused || err != nil || !info.Paused {
			x.Errorf("paused: %v to Leat, %v (%v) to asynq", c.Paused, info.Paused, err)
		}
		if !pauses[resumer.name].resume(x, "q") {
			x.Errorf("%s resumes nothing", resumer.name)
		}
		for name, p := range pauses {
			if p.resume(x, "q") {
				x.Errorf("%s resumes a queue that is not paused", name)
			}
		}
		for _, s := range sides {
			x.wantState("q", s.name, "")
		}
		x.wantSound()
	})
}

// serveCancelled has a side run a task until it is cancelled.
func serveCancelled(x *bench, s side) (cancelled chan error, stop func()) {
	x.Helper()
	started, cancelled := make(chan struct{}, 10), make(chan error, 10)
	stop = s.serve(x, "q", func(ctx context.Context, _ run) error {
		started <- struct{}{}
		<-ctx.Done()
		cancelled <- context.Cause(ctx)
		return errLater
	})
	x.eventually(soon, "it runs", func() bool { return len(started) == 1 })
	return cancelled, stop
}

// wantCancelled fails the test unless the handler's context ends.
func wantCancelled(x *bench, cancelled chan error) {
	x.Helper()
	select {
	case <-cancelled:
	case <-time.After(soon):
		x.Fatal("the handler's context has not ended")
	}
}

// To asynq a task that is cancelled has failed, and is retried.
func TestAsynqsCancelEndsAHandlerOfLeatAsAFailureOnRedis(t *testing.T) {
	t.Parallel()
	for _, producer := range sides {
		t.Run(producer.name+"'s task", func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			x.must(producer.enqueue(x, spec{ID: "a", Type: "t", Queue: "q"}))
			cancelled, stop := serveCancelled(x, leat)
			x.eventually(soon, "Leat hears asynq", func() bool {
				return x.redis.PubSubNumSub(t.Context(), "asynq:cancel").Val()["asynq:cancel"] > 0
			})
			x.must(x.inspector.CancelProcessing("a"))
			wantCancelled(x, cancelled)
			x.wantState("q", "a", "retry")
			stop()
			if info := x.info("q", "a"); info.Retried != 1 || info.LastErr == "" {
				t.Errorf("%d retries used, last error %q; want 1, and an error", info.Retried, info.LastErr)
			}
			x.wantSound()
		})
	}
}

// asynq knows only failures. Leat, when it is next at it, archives what was to be
// cancelled; asynq, if that comes first, runs it once more.
func TestLeatsCancelEndsAHandlerOfAsynqOnRedis(t *testing.T) {
	t.Parallel()
	for _, producer := range sides {
		t.Run(producer.name+"'s task", func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			x.must(producer.enqueue(x, spec{ID: "a", Type: "t", Queue: "q"}))
			cancelled, stop := serveCancelled(x, peer)
			x.eventually(soon, "asynq hears", func() bool {
				return x.redis.PubSubNumSub(t.Context(), "asynq:cancel").Val()["asynq:cancel"] > 0
			})
			// asynq may not have noted the task yet by which it is to be found.
			x.eventually(soon, "the context ends", func() bool {
				if len(cancelled) == 0 && x.state("q", "a") == "active" {
					x.must(x.ours.Cancel(t.Context(), "q", "a"))
				}
				time.Sleep(50 * time.Millisecond)
				return len(cancelled) > 0
			})
			x.wantState("q", "a", "retry")
			stop()
			x.advance("q", time.Now().Add(2*time.Hour))
			x.wantState("q", "a", "archived")
			info, err := x.ours.Get(t.Context(), "q", "a")
			if err != nil || info.End != broker.Cancelled.String() {
				t.Errorf("Get() = %+v, %v; want it %s", info, err, broker.Cancelled)
			}
			x.wantSound()
		})
	}
}

func TestLeatCancelsWhatAsynqLetsWaitOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	s := setStage(x, peer, "q")
	s.end()
	for _, id := range []string{"pending", "scheduled", "retry", "aggregating"} {
		if err := x.ours.Cancel(t.Context(), "q", id); err != nil {
			t.Errorf("cancel %s: %v", id, err)
		}
		info := x.info("q", id)
		if info.State != asynq.TaskStateArchived {
			t.Errorf("asynq says that what was %s is %s, want archived", id, info.State)
		}
	}
	for _, id := range []string{"archived", "completed"} {
		if err := x.ours.Cancel(t.Context(), "q", id); !errors.Is(err, broker.ErrState) {
			t.Errorf("cancel %s: %v, want %v", id, err, broker.ErrState)
		}
	}
	archived := x.listAll("q", task.Archived)
	for _, stored := range archived {
		if want := stored.ID != "archived"; (stored.End == broker.Cancelled) != want {
			t.Errorf("%s ended as %q", stored.ID, stored.End)
		}
	}
	if len(archived) != 5 {
		t.Errorf("%d are archived, want 5", len(archived))
	}
	x.wantSound()
}
