package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A shop is a workflow with one of about everything, and what its runs within run.
type shop struct {
	whole, parcel workflow.Workflow[int, int]
	approve       workflow.Signal[string]
	broken        bool // as long as it is, the step label fails
}

func newShop() *shop {
	s := &shop{approve: workflow.NewSignal[string]("approve")}
	plus := func(name string, opts ...task.Option) workflow.Step[int, int] {
		return workflow.NewStep(name, func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Second)
			return n + 1, nil
		}, opts...)
	}
	label := workflow.NewStep("label", func(_ context.Context, n int) (int, error) {
		time.Sleep(time.Second)
		if s.broken {
			return 0, fmt.Errorf("no paper: %w", task.SkipRetry)
		}
		return n + 1, nil
	})
	s.parcel = dag.New("parcel", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, label, dag.Do(g, plus("wrap"), in))
	}, workflow.Queue("parcels"), workflow.FailureRetention(time.Hour))
	s.whole = dag.New("shop", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		picked := dag.Do(g, plus("pick", task.Queue("stock")), in)
		sizes := dag.Map(g, plus("size"), dag.Pick(g, picked, list))
		checked := dag.If(g, dag.Pick(g, picked, func(n int) bool { return n > 0 }),
			func(g *dag.Graph) dag.Val[int] { return dag.Do(g, plus("insure"), picked) },
			func(*dag.Graph) dag.Val[int] { return in }, dag.As("dear"))
		yes := dag.Await(g, s.approve, 0, dag.As("approval"), dag.After(checked))
		parcels := dag.Map(g, s.parcel, sizes, dag.After(yes), dag.As("parcels"))
		return dag.Do(g, s.parcel, dag.Pick(g, parcels, func(l []int) int { return len(l) }), dag.As("last"))
	}, workflow.FailureRetention(time.Hour))
	return s
}

// start starts a run on a model, and returns it as one who does not have the workflow
// knows it.
func (s *shop) start(t *testing.T) (*queue.Client, workflow.Handle) {
	t.Helper()
	c := serveShop(t, s)
	if _, err := s.whole.Start(t.Context(), c, 1, workflow.RunID("r")); err != nil {
		t.Fatal(err)
	}
	return c, workflow.OpenRun(c, "default", "r")
}

func serveShop(t *testing.T, s *shop) *queue.Client {
	t.Helper()
	model := brokertest.NewModel()
	mux := task.NewMux()
	workflow.Register(mux, s.whole)
	srv, err := queue.NewServer(model, queue.Config{Concurrency: 10, Queues: map[string]int{"default": 1, "stock": 1, "parcels": 1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(mux); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
	})
	return queue.NewClient(model)
}

func step(t *testing.T, s workflow.Status, name string) workflow.StepStatus {
	t.Helper()
	i := slices.IndexFunc(s.Steps, func(s workflow.StepStatus) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("the run has no step %s: %v", name, s.Steps)
	}
	return s.Steps[i]
}

func TestStatusTellsWhatAStepWaitsForAndWhatItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h := newShop().start(t)
		time.Sleep(1500 * time.Millisecond)
		began := time.Now().Add(-500 * time.Millisecond)
		s, err := h.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		after := make(map[string]string)
		for _, step := range s.Steps {
			after[step.Name] = strings.Join(step.After, " ")
		}
		want := map[string]string{
			"pick": "", "size": "pick", "dear": "pick", "insure": "pick dear", "approval": "dear insure", "parcels": "size approval", "last": "parcels",
		}
		if diff := cmp.Diff(want, after); diff != "" {
			t.Errorf("what the steps wait for (-want +got):\n%s", diff)
		}
		insure := step(t, s, "insure")
		if insure.Choice != "dear" || insure.Case == "" || insure.State != workflow.StepRunning || insure.TaskState != task.Active {
			t.Errorf("insure is %+v, want it active on the arm of a choice", insure)
		}
		if !insure.ReadyAt.Equal(began) {
			t.Errorf("insure was ready at %v, want %v", insure.ReadyAt, began)
		}
		pick := step(t, s, "pick")
		if pick.Queue != "stock" || !strings.HasPrefix(pick.TaskID, "r~") || !pick.Began.Equal(s.Started) || pick.Runs != "pick" {
			t.Errorf("pick is %+v, want a task in stock that began with the run", pick)
		}
		if last := step(t, s, "last"); last.Child != "" || last.Queue != "parcels" || !last.Workflow || last.Runs != "parcel" {
			t.Errorf("last is %+v, want a run of parcel, not begun", last)
		}
	})
}

func TestATreeHasTheRunsWithinTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		c, h := s.start(t)
		if err := s.approve.Send(t.Context(), h, "yes"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		for most, want := range map[int]string{100: "parcels 0, parcels 1, parcels 2, last -1", 10: "parcels 0, truncated", 0: "truncated", 11: "parcels 0, parcels 1, truncated"} {
			tree, err := h.Tree(t.Context(), most)
			if err != nil {
				t.Fatal(err)
			}
			if got := branches(tree); got != want {
				t.Errorf("Tree(%d) has %q, want %q", most, got, want)
			}
			for _, child := range tree.Children {
				found, err := workflow.OpenRun(c, child.Queue, child.ID).Status(t.Context())
				if diff := cmp.Diff(found, child.Status); diff != "" || err != nil || found.State != workflow.Done {
					t.Errorf("the run %s of step %s, %v (-found +in the tree):\n%s", child.ID, child.Step, err, diff)
				}
			}
		}
	})
}

func branches(tree workflow.Tree) string {
	var all []string
	for _, child := range tree.Children {
		all = append(all, fmt.Sprintf("%s %d", child.Step, child.Item))
	}
	if tree.Truncated {
		all = append(all, "truncated")
	}
	return strings.Join(all, ", ")
}

// TestARetryDoesNotHideWhatStepsRanAs has some of the runs within a run fail, and be run
// again: those of both times are found.
func TestARetryDoesNotHideWhatStepsRanAs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		_, h := s.start(t)
		if err := s.approve.Send(t.Context(), h, "yes"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4500 * time.Millisecond) // the items are done, and the last parcel is not
		s.broken = true
		wantState(t, h, workflow.Failed, time.Hour)
		failed, err := h.Tree(t.Context(), 100)
		if err != nil || branches(failed) != "parcels 0, parcels 1, parcels 2, last -1" {
			t.Errorf("Tree() = %s, %v", branches(failed), err)
		}
		s.broken = false
		if err := h.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantState(t, h, workflow.Done, time.Hour)
		tree, err := h.Tree(t.Context(), 100)
		if err != nil || branches(tree) != "parcels 0, parcels 1, parcels 2, last -1" {
			t.Fatalf("Tree() after the retry = %s, %v", branches(tree), err)
		}
		for i, child := range tree.Children {
			if again := i == 3; again == (child.ID == failed.Children[i].ID) || child.State != workflow.Done {
				t.Errorf("%s %d is run %s, %s, and was run %s before", child.Step, child.Item, child.ID, child.State, failed.Children[i].ID)
			}
		}
		if pick := step(t, tree.Status, "pick"); pick.TaskID == step(t, tree.Status, "last").TaskID || pick.TaskID != step(t, failed.Status, "pick").TaskID {
			t.Errorf("pick is task %s, and was %s", pick.TaskID, step(t, failed.Status, "pick").TaskID)
		}
	})
}

// TestWhatARunCameToIsReadWithoutItsWorkflow reads a run in the middle and at its end.
func TestWhatARunCameToIsReadWithoutItsWorkflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		c, h := s.start(t)
		ctx := t.Context()
		time.Sleep(2500 * time.Millisecond)
		reads := func() map[string]string {
			got := make(map[string]string)
			note := func(what string, b []byte, err error) {
				if got[what] = string(b); err != nil {
					got[what] = err.Error()
				}
			}
			b, err := h.Input(ctx)
			note("input", b, err)
			b, err = h.Outcome(ctx)
			note("outcome", b, err)
			for _, step := range []string{"pick", "size", "dear", "approval", "parcels", "none", "~end"} {
				b, err = h.Output(ctx, step)
				note(step, b, err)
			}
			b, err = h.OutputOf(ctx, "parcels", 1)
			note("parcels 1", b, err)
			b, err = h.OutputOf(ctx, "parcels", 3)
			note("parcels 3", b, err)
			return got
		}
		want := map[string]string{
			"input": "1", "outcome": "result of run r: no output: it is running", "pick": "2", "size": "[3,2,3]", "dear": `"then"`,
			"approval":  "output of step approval of run r: no output: it has not ended",
			"parcels":   "output of step parcels of run r: no output: it has not ended",
			"none":      "output of step none of run r: no such step",
			"~end":      "output of step ~end of run r: no such step",
			"parcels 1": "output of item 1 of step parcels of run r: no such step", "parcels 3": "output of item 3 of step parcels of run r: no such step",
		}
		if diff := cmp.Diff(want, reads()); diff != "" {
			t.Errorf("in the middle (-want +got):\n%s", diff)
		}
		if err := workflow.NewSignal[json.RawMessage]("approve").Send(ctx, h, json.RawMessage(`"yes"`)); err != nil {
			t.Fatal(err)
		}
		wantState(t, h, workflow.Done, time.Hour)
		want["outcome"], want["approval"], want["parcels"], want["parcels 1"] = "5", `"yes"`, "[5,4,5]", "4"
		if diff := cmp.Diff(want, reads()); diff != "" {
			t.Errorf("at the end (-want +got):\n%s", diff)
		}
		if _, err := workflow.OpenRun(c, "default", "none").Outcome(ctx); !errors.Is(err, workflow.ErrRunNotFound) {
			t.Errorf("Outcome() of no run = %v, want ErrRunNotFound", err)
		}
	})
}

func TestASignalThatARunNeverAwaitsIsRefusedWithoutItsWorkflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, h := newShop().start(t)
		err := workflow.NewSignal[json.RawMessage]("aprove").Send(t.Context(), h, json.RawMessage("1"))
		if !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Send() = %v, want ErrInvalid", err)
		}
	})
}

// TestARunIsLookedAfterWithoutItsWorkflow does all that can be done to a run.
func TestARunIsLookedAfterWithoutItsWorkflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop()
		_, h := s.start(t)
		ctx := t.Context()
		do := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s = %v, want nil", what, err)
			}
		}
		do("Pause", h.Pause(ctx))
		do("Resume", h.Resume(ctx))
		time.Sleep(3 * time.Second)
		do("Skip", h.Skip(ctx, "approval", []byte(`"skipped"`)))
		s.broken = true
		wantState(t, h, workflow.Failed, time.Hour)
		s.broken = false
		do("Retry", h.Retry(ctx))
		wantState(t, h, workflow.Done, time.Hour)
		do("RetryFrom", h.RetryFrom(ctx, "size"))
		do("Cancel", h.Cancel(ctx))
		wantState(t, h, workflow.Cancelled, time.Hour)
		if history, err := h.History(ctx); len(history) < 8 || err != nil {
			t.Errorf("History() = %v, %v, want at least what was done", history, err)
		}
		do("Delete", h.Delete(ctx))
	})
}

// TestAStatusTakesFewTrips counts the calls of the storage for a run of 249 steps, which are as many as there may be.
func TestAStatusTakesFewTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plus := workflow.NewStep("plus", func(_ context.Context, n int) (int, error) { return n + 1, nil })
		w := dag.New("long", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			for range 200 {
				in = dag.Do(g, plus, in)
			}
			for range 49 {
				items := dag.Map(g, plus, dag.Pick(g, in, func(int) []int { return []int{1, 2} }))
				in = dag.Pick(g, items, func(l []int) int { return len(l) })
			}
			return in
		})
		model, calls := brokertest.NewModel(), 0
		c := queue.NewClient(brokertest.Faulty(model, func(int, string) brokertest.Fault { calls++; return brokertest.Fault{} }))
		run, err := w.Start(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		check := func(when string) {
			calls = 0
			s, err := run.Status(t.Context())
			if calls > 4 || len(s.Steps) != 249 || err != nil {
				t.Errorf("Status() of %d steps %s, %v, took %d calls, want at most 4", len(s.Steps), when, err, calls)
			}
		}
		check("that wait")
		serve(t, model, w)
		wantState(t, run.Handle, workflow.Done, time.Hour)
		check("that are done")
	})
}

// TestAHistoryTellsAFailureBeforeWhatFollowedFromIt gives the history what happened within one millisecond.
func TestAHistoryTellsAFailureBeforeWhatFollowedFromIt(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	s := workflow.Status{
		State: workflow.Failed, Started: at, Ended: at.Add(900 * time.Microsecond),
		Events: []workflow.Event{{At: at.Add(400 * time.Microsecond), What: "closing"}},
		Steps: []workflow.StepStatus{
			{Name: "debit", State: workflow.StepFailed, EndedAt: at},
			{Name: "check", State: workflow.StepDone, EndedAt: at, Added: []workflow.StepStatus{{Name: "check~+0", State: workflow.StepDone, EndedAt: at}}},
		},
	}
	var got []string
	for _, h := range s.History() {
		got = append(got, strings.TrimSpace(h.What+" "+h.Step))
	}
	want := []string{"started", "failed debit", "done check", "done check~+0", "closing", "failed"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("History() error (-want +got):\n%s", diff)
	}
}
