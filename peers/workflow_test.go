package peers

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A workflow that counts up to its input, squares what it has counted and adds
// it up, all in the queue "flow".
func squares(failures *atomic.Int32) workflow.Workflow[int, int] {
	count := workflow.NewStep("count", func(_ context.Context, n int) ([]int, error) {
		if failures.Add(-1) >= 0 {
			return nil, errAsked
		}
		list := make([]int, n)
		for i := range list {
			list[i] = i + 1
		}
		return list, nil
	})
	square := workflow.NewStep("square", func(_ context.Context, n int) (int, error) { return n * n, nil })
	sum := workflow.NewStep("sum", func(_ context.Context, list []int) (total int, err error) {
		for _, n := range list {
			total += n
		}
		return total, nil
	})
	return dag.New("squares", func(g *dag.Graph, n dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, square, dag.Do(g, count, n), dag.Parallel(3)))
	}, workflow.Queue("flow"))
}

// serveFlow starts a server of Leat for a workflow, whose failed steps wait for
// delay.
func serveFlow(x *bench, flow workflow.Registrable, delay time.Duration) (stop func()) {
	x.Helper()
	mux := task.NewMux()
	workflow.Register(mux, flow)
	srv, err := queue.NewServer(x.broker, queue.Config{
		Queues:         map[string]int{"flow": 1},
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return delay },
		Logger:         quiet,
	})
	if err != nil {
		x.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		x.Fatal(err)
	}
	return once(x, func() { x.must(srv.Shutdown(context.Background())) })
}

func TestAWorkflowRunsBesideAsynqOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	var failures, theirs, strangers atomic.Int32
	failures.Store(1)
	flow := squares(&failures)
	stopAsynq := peer.serve(x, "other", func(_ context.Context, r run) error {
		theirs.Add(1)
		if r.Type != "t" {
			strangers.Add(1)
		}
		return nil
	})
	stopLeat := serveFlow(x, flow, retryDelay)

	const tasks, n = 200, 50
	started, err := flow.Start(t.Context(), x.client, n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range tasks {
		x.must(peer.enqueue(x, spec{ID: strconv.Itoa(i), Type: "t", Queue: "other"}))
	}
	if got, err := started.Result(t.Context()); err != nil || got != n*(n+1)*(2*n+1)/6 {
		t.Errorf("the run comes to %d, %v, want %d", got, err, n*(n+1)*(2*n+1)/6)
	}
	x.eventually(soon, "asynq has run its own", func() bool { return x.counts("other").ProcessedTotal == tasks })
	stopLeat()
	stopAsynq()
	if theirs.Load() != tasks || strangers.Load() != 0 {
		t.Errorf("asynq ran %d tasks, %d of them not its own; want %d, 0", theirs.Load(), strangers.Load(), tasks)
	}
	info, err := x.inspector.GetQueueInfo("flow")
	if err != nil || info.Size != 0 || info.FailedTotal != 1 || info.ProcessedTotal < n+3 {
		t.Errorf("GetQueueInfo(flow) = %+v, %v, want at least %d processed, one failed, none left", info, err, n+3)
	}
	if queues, err := x.inspector.Queues(); err != nil || !slices.Contains(queues, "flow") {
		t.Errorf("Queues() = %q, %v, want flow among them", queues, err)
	}
	x.wantSound()
}

// What a step of a run keeps beside asynq's message is not asynq's to lose: its
// tools may send a step that has failed for good back to its queue.
func TestAStepThatAsynqsInspectorSendsBackGoesOnOnRedis(t *testing.T) {
	t.Parallel()
	x := newBench(t)
	var failures atomic.Int32
	failures.Store(1)
	flow := squares(&failures)
	stop := serveFlow(x, flow, time.Hour)
	started, err := flow.Start(t.Context(), x.client, 3)
	if err != nil {
		t.Fatal(err)
	}
	x.eventually(soon, "the first step has failed", func() bool { return x.counts("flow").Retry == 1 })
	if n, err := x.inspector.ArchiveAllRetryTasks("flow"); err != nil || n != 1 {
		t.Fatalf("ArchiveAllRetryTasks() = %d, %v, want 1", n, err)
	}
	if n, err := x.inspector.RunAllArchivedTasks("flow"); err != nil || n != 1 {
		t.Fatalf("RunAllArchivedTasks() = %d, %v, want 1", n, err)
	}
	if got, err := started.Result(t.Context()); err != nil || got != 14 {
		t.Errorf("the run comes to %d, %v, want 14", got, err)
	}
	stop()
	x.advance("flow", time.Now().Add(2*time.Hour))
	x.wantSound()
}
