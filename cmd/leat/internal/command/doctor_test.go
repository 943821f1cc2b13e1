package command_test

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/leatwork/leat/periodic"
	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

func init() {
	fillings["orphan"] = fillOrphan
	fillings["late"] = fillLate
	fillings["stuck"] = fillStuck
}

// fillOrphan has an active task in the queue lonely whose worker is lost.
func fillOrphan(ctx context.Context, b broker.Broker) error {
	if _, err := queue.NewClient(b).Enqueue(ctx, task.New("any", nil), task.Queue("lonely")); err != nil {
		return err
	}
	before := time.Now().Add(-time.Hour)
	got, err := b.Apply(ctx, before, nil, broker.LeaseRequest{Queues: []broker.Share{{Queue: "lonely"}}, Max: 1, Until: before.Add(time.Minute)})
	if err == nil && len(got.Leases) != 1 {
		err = errors.New("nothing was leased")
	}
	return err
}

// fillLate stores the entry sleepy, which a scheduler says to run that does not, and
// returns once it is late.
func fillLate(ctx context.Context, b broker.Broker) error {
	i := periodic.NewInspector(b)
	if err := i.Add(ctx, periodic.Entry{Name: "sleepy", Schedule: "@every 1s", Type: "any", Window: time.Millisecond}, "me"); err != nil {
		return err
	}
	told := broker.Scheduler{ID: uuid.NewString(), Host: "host", PID: 1, Entries: []broker.PeriodicEntry{{ID: "sleepy", Spec: "@every 1s", Type: "any"}}}
	if err := b.BeatScheduler(ctx, time.Now(), told); err != nil {
		return err
	}
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(5 * time.Millisecond) {
		if info, err := i.Get(ctx, "sleepy"); err != nil || info.Late {
			return err
		}
	}
	return errors.New("sleepy is not late")
}

// fillStuck has a run of the queue orders that could not be undone, on a server that
// goes on.
func fillStuck(ctx context.Context, b broker.Broker) error {
	book := workflow.NewStep("book", func(_ context.Context, n int) (int, error) { return n, nil })
	unbook := workflow.NewStep("unbook", func(context.Context, workflow.Undo[int, int]) (workflow.None, error) {
		return workflow.None{}, task.SkipRetry
	})
	fail := workflow.NewStep("fail", func(context.Context, int) (int, error) { return 0, task.SkipRetry })
	trip := dag.New("trip", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, fail, dag.Do(g, workflow.Reversible(book, unbook), in))
	}, workflow.Queue("orders"))
	mux := task.NewMux()
	workflow.Register(mux, trip)
	if err := serve(ctx, b, mux); err != nil {
		return err
	}
	run, err := trip.Start(ctx, queue.NewClient(b), 1, workflow.RunID("stuck"))
	if err != nil {
		return err
	}
	if err := run.Wait(ctx); !errors.Is(err, workflow.ErrRunFailed) {
		return errors.Join(errors.New("the run is not stuck"), err)
	}
	return nil
}
