package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokerurl"
	"github.com/leatwork/leat/task"
)

// What a worker process is told. It is this test binary, run once more with the
// test that wants it, which calls work first of all.
const (
	workerURL    = "LEAT_TEST_WORKER_URL"    // the broker; set in worker processes alone
	workerLedger = "LEAT_TEST_WORKER_LEDGER" // the file to write its notes to
	workerHolds  = "LEAT_TEST_WORKER_HOLDS"  // if set, no handler returns before its context ends
	workerLease  = "LEAT_TEST_WORKER_LEASE"  // the LeaseDuration, if set
)

// How many tasks a worker runs at a time.
const workerSlots = 8

// An errand is the payload of a task: what its handler does.
type errand struct {
	Takes time.Duration
	Fails fails
}

type fails string

// exitHard is how a process ends that runs an errand which fails hard.
const exitHard = 7

const (
	failsNever  fails = "never"
	failsOnce   fails = "once"
	failsAlways fails = "always"
	failsHard   fails = "hard" // it ends its process
)

var errErrand = errors.New("as it was told to")

// work serves the default queue until the process is told to end, if this is a
// worker process. It reports whether it is.
func work(t *testing.T) bool {
	url := os.Getenv(workerURL)
	if url == "" {
		return false
	}
	go func() { // whoever started this process holds the other end
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // its end is what matters
		os.Exit(3)
	}()
	l, err := openLedger(os.Getenv(workerLedger))
	if err != nil {
		t.Fatal(err)
	}
	b, err := brokerurl.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	lease, _ := time.ParseDuration(os.Getenv(workerLease)) // none is none
	srv, err := queue.NewServer(b, queue.Config{
		Concurrency:    workerSlots,
		LeaseDuration:  lease,
		MaxCrashes:     -1, // workers are killed for no fault of their tasks
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return time.Second },
		Observer:       l.observe,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := queue.SignalContext()
	defer stop()
	if err := srv.Run(ctx, task.HandlerFunc(l.run)); err != nil {
		t.Fatal(err)
	}
	return true
}

// run is the handler of all errands.
func (l *ledger) run(ctx context.Context, t *task.Task) error {
	var e errand
	if err := json.Unmarshal(t.Payload(), &e); err != nil {
		return err
	}
	id, _ := task.GetID(ctx)
	retried, _ := task.GetRetryCount(ctx)
	l.write(note{What: noteStarted, ID: id, Retried: retried})
	err := e.do(ctx, retried)
	result := "nil"
	if err != nil {
		result = err.Error()
	}
	l.write(note{What: noteReturned, ID: id, Word: result})
	return err
}

func (e errand) do(ctx context.Context, retried int) error {
	var elapsed <-chan time.Time
	if os.Getenv(workerHolds) == "" {
		elapsed = time.After(e.Takes)
	}
	select {
	case <-elapsed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if e.Fails == failsHard {
		os.Exit(exitHard)
	}
	if e.Fails == failsAlways || e.Fails == failsOnce && retried == 0 {
		return errErrand
	}
	return nil
}

// observe notes what was recorded of each task.
func (l *ledger) observe(_ context.Context, e queue.Event) {
	switch e.Kind {
	case queue.EventSettled:
		l.write(note{What: noteSettled, ID: e.Entry.ID, Word: e.Outcome.String(), Retried: e.Entry.Retried})
	case queue.EventLeaseLost:
		l.write(note{What: noteLost, ID: e.Entry.ID})
	}
}
