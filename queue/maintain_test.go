package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
)

func TestADeadWorkersTaskIsRunWithin15SecondsAtNoCost(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a", task.MaxRetry(0), task.Retention(time.Hour))
		x.pass(500 * time.Millisecond)
		// A worker leases the task as servers do, and dies.
		died := time.Now()
		dead, err := x.b.Apply(x.Context(), died, nil, broker.LeaseRequest{
			Queues: []broker.Share{{Queue: "default", First: 1}}, Max: 1, Until: died.Add(10 * time.Second),
		})
		if err != nil || len(dead.Leases) != 1 {
			t.Fatalf("Apply() = %+v, %v, want a lease", dead, err)
		}
		var took time.Duration
		x.serve(func(ctx context.Context, _ *task.Task) error {
			took = time.Since(died)
			if n, _ := task.GetAttempt(ctx); n != 1 {
				t.Errorf("attempt %d, want 1", n)
			}
			return nil
		})
		x.pass(15 * time.Second)
		if s := x.get("a"); s.State != task.Completed || took > 15*time.Second {
			t.Errorf("stored as %s, run after %v, want completed within 15s", s.State, took)
		}
		if c := x.counts("default"); c.Processed != 1 || c.Failed != 0 {
			t.Errorf("%d processed, %d failed, want 1, 0", c.Processed, c.Failed)
		}
		if got := x.seen(queue.EventRecovered); len(got) != 1 || got[0].Count != 1 {
			t.Errorf("observed %+v, want one recovered task", got)
		}
	})
}

func TestCompletedTasksGoWhenTheirRetentionEnds(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.enqueue("a", task.Retention(time.Minute))
		x.serve(idle)
		x.pass(50 * time.Second)
		if s := x.get("a"); s.State != task.Completed {
			t.Errorf("stored as %s, want completed", s.State)
		}
		x.pass(15 * time.Second)
		x.gone("a")
	})
}

func TestManyDueTasksAreAllAdvancedAtOnce(t *testing.T) {
	inBubble(t, func(x *bench) {
		x.fill("default", 1200, task.ProcessIn(time.Minute))
		x.cfg.Concurrency = 100
		x.serve(idle)
		x.pass(61 * time.Second)
		if n := x.counts("default").Processed; n != 1200 {
			t.Errorf("%d tasks processed a second after they were due, want 1200", n)
		}
	})
}
