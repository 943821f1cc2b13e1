package workflow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// asleep is a step in a queue that nobody serves.
var asleep = workflow.NewStep("asleep", func(context.Context, int) (int, error) { return 0, nil }, task.Queue("asleep"))

var (
	sleeps = dag.New("sleeps", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, asleep, in) })
	naps   = dag.New("naps", func(g *dag.Graph, in dag.Val[[]int]) dag.Val[[]int] { return dag.Map(g, asleep, in) })
)

// lose does act to the first entry that waits in the queue asleep.
func lose(t *testing.T, b broker.Broker, act broker.Act) {
	t.Helper()
	waiting, err := b.List(t.Context(), broker.ListRequest{Queue: "asleep", State: task.Pending, Limit: 1})
	if err != nil || len(waiting) != 1 {
		t.Fatalf("List(asleep) = %v, %v, want an entry", waiting, err)
	}
	move(t, b, waiting[0].EntryRef, act)
}

func move(t *testing.T, b broker.Broker, ref broker.EntryRef, act broker.Act) {
	t.Helper()
	c := broker.Change{Move: []broker.Move{{EntryRef: ref, Do: act}}}
	applied, err := b.Apply(t.Context(), time.Now(), []broker.Change{c}, broker.LeaseRequest{})
	if err != nil || applied.Outcomes[0] != nil {
		t.Fatalf("%s %s: %v, %v", act, ref, applied.Outcomes, err)
	}
}

// wantFailure demands that a run ends because of a step, for a reason.
func wantFailure[Out any](t *testing.T, run workflow.Run[Out], item int, reason string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := run.Result(ctx)
	step, ok := errors.AsType[*workflow.StepError](err)
	if !ok || step.Step != "asleep" || step.Item != item || step.Message != reason {
		t.Errorf("Result() = %v, want that step asleep, item %d, %s", err, item, reason)
	}
}

var losses = map[broker.Act]string{
	broker.Delete:  "was deleted before it was done",
	broker.Archive: "was archived by hand",
	broker.Cancel:  "was cancelled",
}

// loseSteps has runs lose steps that wait, in every way.
func loseSteps(t *testing.T, b broker.Broker) {
	c := serve(t, b, sleeps, naps)
	for act, reason := range losses {
		t.Run(act.String(), func(t *testing.T) {
			run, err := sleeps.Start(t.Context(), c, 1)
			if err != nil {
				t.Fatal(err)
			}
			lose(t, b, act)
			wantFailure(t, run, -1, reason)
			if act == broker.Delete {
				return
			}
			archived, err := b.List(t.Context(), broker.ListRequest{Queue: "asleep", State: task.Archived, Limit: 10})
			if err != nil || len(archived) != 1 {
				t.Fatalf("%d archived, %v, want 1", len(archived), err)
			}
			move(t, b, archived[0].EntryRef, broker.Delete)
		})
	}
	t.Run("an item of a map", func(t *testing.T) {
		run, err := naps.Start(t.Context(), c, []int{1})
		if err != nil {
			t.Fatal(err)
		}
		for {
			n, err := b.Counts(t.Context(), time.Now(), "asleep")
			if err != nil {
				t.Fatal(err)
			}
			if n[0].Pending == 1 {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		lose(t, b, broker.Delete)
		wantFailure(t, run, 0, "was deleted before it was done")
	})
}

func TestAStepThatIsLostFailsItsRunOnTheModel(t *testing.T) {
	loseSteps(t, brokertest.NewModel())
}

func TestAStepThatIsLostFailsItsRunOnEveryBroker(t *testing.T) {
	for name, open := range brokers {
		t.Run(name, func(t *testing.T) {
			b, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			loseSteps(t, b)
		})
	}
}

func TestAStepThatIsCancelledWhileItRunsFailsItsRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		stubborn := workflow.NewStep("asleep", func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, context.Cause(ctx)
		})
		w := dag.New("stubborn", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, stubborn, in) })
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		running, err := b.List(t.Context(), broker.ListRequest{Queue: "default", State: task.Active, Limit: 1})
		if err != nil || len(running) != 1 {
			t.Fatalf("%d run, %v, want 1", len(running), err)
		}
		move(t, b, running[0].EntryRef, broker.Cancel)
		wantFailure(t, run, -1, "was cancelled")
	})
}

func TestADecideThatIsLostFailsItsRun(t *testing.T) {
	b := brokertest.NewModel()
	run, err := naps.Start(t.Context(), queue.NewClient(b), []int{1})
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := b.List(t.Context(), broker.ListRequest{Queue: "naps~decide", State: task.Pending, Limit: 1})
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%v wait, %v, want a decide", waiting, err)
	}
	move(t, b, waiting[0].EntryRef, broker.Delete)
	serve(t, b, sleeps, naps)
	wantFailure(t, run, -1, "was deleted before it was done")
}

func TestAStepThatIsRunAgainBeforeItsLossIsSeenIsNotLost(t *testing.T) {
	b := brokertest.NewModel()
	run, err := shapes["chain"].Start(t.Context(), queue.NewClient(b), 1)
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := b.List(t.Context(), broker.ListRequest{Queue: "default", State: task.Pending, Limit: 1})
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%v wait, %v, want one", waiting, err)
	}
	move(t, b, waiting[0].EntryRef, broker.Archive)
	move(t, b, waiting[0].EntryRef, broker.Run)
	serve(t, b, shapes["chain"])
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if got, err := run.Result(ctx); got != 8 || err != nil {
		t.Errorf("Result() = %d, %v, want 8, nil", got, err)
	}
}
