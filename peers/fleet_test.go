package peers

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/task"
)

const (
	fleetTasks = 20_000
	fleetBatch = 100
)

// A fleetTask is the n-th task of those that a fleet runs: most of them are
// plain, and some are unique, kept or due a little later.
func fleetTask(n int) spec {
	s := spec{ID: strconv.Itoa(n), Type: "t", Queue: "q", Payload: []byte(strconv.Itoa(n)), MaxRetry: new(0)}
	switch n % 10 {
	case 0:
		s.Retention = time.Hour
	case 1:
		s.Unique = time.Hour
	case 2:
		s.ProcessIn = time.Second
	}
	return s
}

func TestAMixedFleetRunsEveryTaskOnceOnRedis(t *testing.T) {
	x := newBench(t)
	runs := make([]atomic.Int32, fleetTasks)
	byWhom := map[string]*atomic.Int64{}
	var stops []func()
	for _, s := range sides {
		ran := new(atomic.Int64)
		byWhom[s.name] = ran
		for range 2 {
			stops = append(stops, s.serve(x, "q", func(_ context.Context, r run) error {
				n, err := strconv.Atoi(r.ID)
				if err != nil || r.Payload != r.ID {
					return fmt.Errorf("%q has the payload %q", r.ID, r.Payload)
				}
				runs[n].Add(1)
				ran.Add(1)
				return nil
			}))
		}
	}
	began := time.Now()
	produce(x)
	x.eventually(2*time.Minute, "all are processed", func() bool {
		time.Sleep(50 * time.Millisecond)
		return x.counts("q").ProcessedTotal >= fleetTasks
	})
	t.Logf("%d tasks in %v: %d run by leat, %d by asynq", fleetTasks, time.Since(began).Round(time.Millisecond),
		byWhom[leat.name].Load(), byWhom[peer.name].Load())
	for _, stop := range stops {
		stop()
	}
	for _, s := range sides {
		if byWhom[s.name].Load() == 0 {
			t.Errorf("%s ran nothing", s.name)
		}
	}
	for n := range runs {
		if got := runs[n].Load(); got != 1 {
			t.Errorf("task %d ran %d times, want once", n, got)
		}
	}
	c := x.counts("q")
	if c.ProcessedTotal != fleetTasks || c.FailedTotal != 0 || c.Completed != fleetTasks/10 || c.Size() != c.Completed {
		t.Errorf("counts = %+v, want %d processed, none failed, and %d left, completed", c, fleetTasks, fleetTasks/10)
	}
	if n := x.redis.Exists(t.Context(), "asynq:{q}:active", "asynq:{q}:lease").Val(); n != 0 {
		t.Errorf("%d of the active list and the leases are left", n)
	}
	x.advance("q", time.Now())
	x.wantSound()
}

// produce enqueues half of the fleet's tasks with each system, at once.
func produce(x *bench) {
	x.Helper()
	var producers sync.WaitGroup
	for part := range 4 {
		producers.Go(func() {
			for n := part; n < fleetTasks/2; n += 4 {
				x.must(peer.enqueue(x, fleetTask(n)))
			}
		})
	}
	producers.Go(func() {
		for n := fleetTasks / 2; n < fleetTasks; n += fleetBatch {
			batch := make([]*task.Task, fleetBatch)
			for i := range batch {
				s := fleetTask(n + i)
				batch[i] = task.New(s.Type, s.Payload, s.leat()...)
			}
			for _, e := range x.client.EnqueueMany(x.Context(), batch) {
				x.must(e.Err)
			}
		}
	})
	producers.Wait()
}
