//go:build unix

package peers

import (
	"context"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// asynqGrace is how much longer than a lease asynq waits until it takes the task
// away. Leat waits as long with those of asynq.
const asynqGrace = 30 * time.Second

// hold returns a handler that says that it runs, and returns when it is let go.
func hold() (h handler, runs chan run, letGo chan struct{}) {
	runs, letGo = make(chan run, 10), make(chan struct{})
	return func(_ context.Context, r run) error {
		runs <- r
		<-letGo
		return nil
	}, runs, letGo
}

// outlast waits until the lease of a task of "q" has run out for side, so that
// it may take the task away.
func outlast(x *bench, id string, s side) {
	x.Helper()
	score := x.redis.ZScore(x.Context(), "asynq:{q}:lease", id).Val()
	if s.name == peer.name { // whose servers look once a minute, and when they start
		time.Sleep(time.Until(time.Unix(int64(score), 0).Add(asynqGrace + 100*time.Millisecond)))
	}
}

// wantTaken fails the test unless the task "a" was taken over by survivor, run
// by it once, and recorded as done once.
func wantTaken(x *bench, survivor side, runs chan run) {
	x.Helper()
	x.wantState("q", "a", "")
	retried, failed := 0, 0
	if survivor.name == peer.name { // to which the loss of a worker is a failure
		retried, failed = 1, 1
	}
	c := x.counts("q")
	if c.ProcessedTotal != 1+failed || c.FailedTotal != failed || c.Size() != 0 {
		x.Errorf("counts = %+v, want it done once, and %d failures", c, failed)
	}
	if r := <-runs; r.Retried != retried || len(runs) > 0 {
		x.Errorf("%s ran it with %d retries used, and %d times more; want %d, 0", survivor.name, r.Retried, len(runs), retried)
	}
	x.wantSound()
}

func TestTheTaskOfAKilledLeatWorkerIsTakenOverOnRedis(t *testing.T) {
	t.Parallel()
	for _, survivor := range sides {
		t.Run("by "+survivor.name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			x.must(leat.enqueue(x, spec{ID: "a", Type: "t", Queue: "q"}))
			w := startWorker(x, leat, dutyHold)
			w.wantSaid("started a")
			w.kill()

			h, runs, letGo := hold()
			close(letGo)
			outlast(x, "a", survivor)
			stop := survivor.serve(x, "q", h)
			wantTaken(x, survivor, runs)
			stop()
		})
	}
}

func TestALeatWorkerThatWakesUpLateRecordsNothingOnRedis(t *testing.T) {
	t.Parallel()
	for _, survivor := range sides {
		t.Run("after "+survivor.name, func(t *testing.T) {
			t.Parallel()
			x := newBench(t)
			x.must(leat.enqueue(x, spec{ID: "a", Type: "t", Queue: "q", Unique: time.Hour}))
			w := startWorker(x, leat, dutyHold)
			w.wantSaid("started a")
			x.must(w.cmd.Process.Signal(syscall.SIGSTOP))

			h, runs, letGo := hold()
			outlast(x, "a", survivor)
			survivor.serve(x, "q", h)
			x.eventually(soon, survivor.name+" runs it", func() bool { return len(runs) == 1 })
			if _, err := io.WriteString(w.in, "go on\n"); err != nil {
				t.Fatal(err)
			}
			x.must(w.cmd.Process.Signal(syscall.SIGCONT))
			w.wantSaid("lost a")
			w.kill() // or it takes part again
			if got := x.state("q", "a"); got != "active" {
				t.Errorf("the task is %q, want active: it is run by %s", got, survivor.name)
			}
			close(letGo)
			wantTaken(x, survivor, runs)
		})
	}
}

func TestTheTaskOfAKilledAsynqWorkerIsTakenOverByLeatOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	x.must(peer.enqueue(x, spec{ID: "a", Type: "t", Queue: "q"}))
	w := startWorker(x, peer, dutyHold)
	w.wantSaid("started a")
	w.kill()

	h, runs, letGo := hold()
	close(letGo)
	leat.serve(x, "q", h)
	// As if the lease, and all but three seconds of the grace, had passed.
	ended := time.Now().Add(3*time.Second - asynqGrace)
	x.must(x.redis.ZAddXX(t.Context(), "asynq:{q}:lease", redis.Z{Member: "a", Score: float64(ended.Unix())}).Err())
	time.Sleep(1500 * time.Millisecond)
	if got := x.state("q", "a"); got != "active" {
		t.Errorf("before its grace has passed, the task is %q, want active", got)
	}
	wantTaken(x, leat, runs)
}
