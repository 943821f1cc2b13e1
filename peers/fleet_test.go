package peers

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

const (
	fleetTasks = 20_000
	fleetBatch = 100
)

// A fate is a task of a fleet, and what is to become of it.
type fate struct {
	spec
	fails int    // so many of its first attempts fail
	ends  string // the state it ends in, "" being gone
}

// fleetTask returns the n-th task of those that a fleet runs: each system
// enqueues every other one, and has its share of each kind.
func fleetTask(n int) fate {
	id := strconv.Itoa(n)
	f := fate{spec: spec{ID: id, Type: "t", Queue: "q", Payload: []byte(id), MaxRetry: new(0)}}
	switch n / 2 % 10 {
	case 0:
		f.Retention, f.ends = time.Hour, "completed"
	case 1:
		f.Unique = time.Hour
	case 2:
		f.ProcessIn = time.Second
	case 3:
		f.fails, f.MaxRetry = 1, new(1)
	case 4:
		f.fails, f.MaxRetry = 2, new(25)
		f.Unique, f.Retention, f.ends = time.Hour, time.Hour, "completed"
	case 5:
		f.fails, f.ends = 1, "archived"
	case 6:
		f.fails, f.MaxRetry, f.ends = 2, new(1), "archived"
	}
	return f
}

// runs is how often the task is run.
func (f fate) runs() int {
	if f.ends == "archived" {
		return f.fails
	}
	return f.fails + 1
}

// A tally is what was recorded of a fleet's tasks.
type tally struct {
	processed, failed, completed, archived int
}

func wantedOfTheFleet() (want tally) {
	for n := range fleetTasks {
		f := fleetTask(n)
		want.processed += f.runs()
		want.failed += f.fails
		switch f.ends {
		case "completed":
			want.completed++
		case "archived":
			want.archived++
		}
	}
	return want
}

func TestAMixedFleetRecordsEveryOutcomeOnceOnRedis(t *testing.T) {
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
				ran.Add(1)
				if f := fleetTask(n); int(runs[n].Add(1)) <= f.fails {
					return errAsked
				}
				_, err = r.write([]byte("result of " + r.ID))
				return err
			}))
		}
	}
	want := wantedOfTheFleet()
	began := time.Now()
	produce(x, fleetTasks, fleetTask)
	x.eventually(time.Minute, "all are processed", func() bool {
		time.Sleep(50 * time.Millisecond)
		return x.counts("q").ProcessedTotal >= want.processed
	})
	t.Logf("%d tasks in %v: %d runs by leat, %d by asynq", fleetTasks, time.Since(began).Round(time.Millisecond),
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
		if got, want := int(runs[n].Load()), fleetTask(n).runs(); got != want {
			t.Errorf("task %d ran %d times, want %d", n, got, want)
		}
	}
	wantRecorded(x, want)
	x.advance("q", time.Now())
	x.wantSound()
}

// wantRecorded fails the test unless the figures and what is kept of the fleet's
// tasks are as they should be.
func wantRecorded(x *bench, want tally) {
	x.Helper()
	c := x.counts("q")
	got := tally{processed: c.ProcessedTotal, failed: c.FailedTotal, completed: c.Completed, archived: c.Archived}
	if got != want || c.Size() != want.completed+want.archived {
		x.Errorf("recorded: %+v, and %d are left, want %+v", got, c.Size(), want)
	}
	for _, state := range []task.State{task.Completed, task.Archived} {
		for _, stored := range x.listAll("q", state) {
			n, err := strconv.Atoi(stored.ID)
			if err != nil {
				x.Fatal(err)
			}
			f := fleetTask(n)
			retried, result := f.fails, "result of "+stored.ID
			if f.ends == "archived" {
				retried, result = f.fails-1, ""
			}
			if state.String() != f.ends || stored.Retried != retried || string(stored.Result) != result {
				x.Errorf("task %d is %s with %d retries and the result %q, want %s, %d, %q",
					n, state, stored.Retried, stored.Result, f.ends, retried, result)
			}
		}
	}
	if n := x.redis.Exists(x.Context(), "asynq:{q}:active", "asynq:{q}:lease").Val(); n != 0 {
		x.Errorf("%d of the active list and the leases are left", n)
	}
	if claims := x.redis.Keys(x.Context(), "asynq:{q}:unique:*").Val(); len(claims) > 0 {
		x.Errorf("%d claims are left, such as %s", len(claims), claims[0])
	}
}

// listAll returns the entries of a queue that are in a state.
func (x *bench) listAll(queue string, state task.State) (all []broker.Stored) {
	x.Helper()
	for {
		page, err := x.broker.List(x.Context(), broker.ListRequest{Queue: queue, State: state, Offset: len(all), Limit: 1000})
		if err != nil {
			x.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
	}
}

// produce enqueues the first n of tasks: the even ones with asynq, the odd ones
// with Leat.
func produce(x *bench, n int, task func(int) fate) {
	x.Helper()
	var producers sync.WaitGroup
	for part := range 4 {
		producers.Go(func() {
			for i := 2 * part; i < n; i += 8 {
				x.must(peer.enqueue(x, task(i).spec))
			}
		})
	}
	producers.Go(func() {
		for first := 1; first < n; first += 2 * fleetBatch {
			enqueueBatch(x, first, min(first+2*fleetBatch, n), task)
		}
	})
	producers.Wait()
}

// enqueueBatch enqueues every other one of tasks, from first on, with Leat.
func enqueueBatch(x *bench, first, end int, fleetTask func(int) fate) {
	x.Helper()
	var batch []*task.Task
	for i := first; i < end; i += 2 {
		s := fleetTask(i).spec
		batch = append(batch, task.New(s.Type, s.Payload, s.leat()...))
	}
	for _, e := range x.client.EnqueueMany(x.Context(), batch) {
		x.must(e.Err)
	}
}
