package workflow_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

func TestAStatusTellsWhatAStepHasAdded(t *testing.T) {
	var d diary
	extra := d.keeper("extra", task.Queue("heavy"))
	adds := workflow.NewStep("adds", func(ctx context.Context, n int) (int, error) {
		return n, workflow.Add(ctx, extra.With(1), extra.With(13))
	})
	w := dag.New("adding", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, d.keeper("last"), dag.Do(g, adds, in))
	}, workflow.FailureRetention(time.Hour))
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w, extra), 0)
		if err != nil {
			t.Fatal(err)
		}
		look := func() (states []string) {
			synctest.Wait()
			s, err := run.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range s.Steps[0].Added {
				if a.Runs != "extra" || a.Queue != "heavy" || !cmp.Equal(a.After, []string{"adds"}) || a.TaskID == "" || a.ReadyAt.IsZero() {
					t.Errorf("what was added is told as %+v", a)
				}
				states = append(states, a.Name+" "+a.State.String())
			}
			return states
		}
		time.Sleep(2 * time.Second)
		if diff := cmp.Diff([]string{"adds~+0 done", "adds~+1 running"}, look()); diff != "" {
			t.Errorf("after two seconds (-want +got):\n%s", diff)
		}
		if b, err := run.Output(t.Context(), "adds~+0"); string(b) != "1" || err != nil {
			t.Errorf("what a step has given that was added is %s, %v", b, err)
		}
		for step, want := range map[string]error{"adds~+1": workflow.ErrNoOutput, "adds~+2": workflow.ErrNoOutput, "adds~2": workflow.ErrStepNotFound, "none~+0": workflow.ErrStepNotFound} {
			if _, err := run.Output(t.Context(), step); !errors.Is(err, want) {
				t.Errorf("the output of %s is refused with %v, want %v", step, err, want)
			}
		}
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"adds~+0 done", "adds~+1 failed"}, look()); diff != "" {
			t.Errorf("in the end (-want +got):\n%s", diff)
		}
	})
}

func TestARunOfWhichOnlyTheNumberOfAddedStepsIsNotedGoesOn(t *testing.T) {
	var d diary
	extra := d.keeper("extra")
	adds := workflow.NewStep("adds", func(ctx context.Context, n int) (int, error) {
		return n, workflow.Add(ctx, extra.With(1), extra.With(13))
	})
	w := dag.New("adding", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, adds, in) }, workflow.FailureRetention(time.Hour))
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w, extra), 0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		_, err = b.Apply(t.Context(), time.Now(), []broker.Change{{
			Home: broker.Home{Queue: run.Queue(), ID: run.ID}, Put: []broker.Put{{Key: "~adds~adds", Body: []byte("2"), If: broker.AnyVersion}},
		}}, broker.LeaseRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range [][]workflow.StepState{{workflow.StepDone, workflow.StepWaiting}, {workflow.StepDone, workflow.StepFailed}} {
			s, err := run.Status(t.Context())
			if err != nil || len(s.Steps[0].Added) != 2 || s.Steps[0].Added[0].State != want[0] || s.Steps[0].Added[1].State != want[1] {
				t.Errorf("Status() = %+v, %v; want that the added steps are %v", s.Steps, err, want)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if err := run.Wait(t.Context()); err == nil {
			t.Error("the run has not failed")
		}
	})
}

func TestWhatWaitsForAStepIsReadyOnceWhatThatHasAddedHasEnded(t *testing.T) {
	var d diary
	extra := d.keeper("extra")
	adds := workflow.NewStep("adds", func(ctx context.Context, n int) (int, error) {
		return n, workflow.Add(ctx, extra.With(4), extra.With(2))
	})
	w := dag.New("adding", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, extra, dag.Do(g, adds, in), dag.As("last"))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w, extra), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, seconds := range []int{3, 5} {
			time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Duration(seconds) * time.Second)))
			s, err := run.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want := time.Time{}
			if seconds == 5 {
				want = s.Steps[0].Added[0].EndedAt
			}
			if got := s.Steps[1].ReadyAt; !got.Equal(want) || seconds == 5 && want.IsZero() {
				t.Errorf("after %d seconds, the last step was ready at %v, want %v", seconds, got, want)
			}
		}
	})
}

func TestAStatusTellsWhenANarrowMapBeganAndEnded(t *testing.T) {
	var d diary
	item := d.keeper("item")
	for name, width := range map[string]int{"narrow": 3, "wide": 101} {
		w := dag.New(name, func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			all := dag.Map(g, item, dag.Pick(g, in, func(int) []int { return append(make([]int, width-1), 5) }))
			return dag.Do(g, item, dag.Pick(g, all, func([]int) int { return 20 }), dag.As("last"))
		})
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				run, err := w.Start(t.Context(), serve(t, b, w), 0)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(15 * time.Second)
				s, err := run.Status(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				m, last := s.Steps[0], s.Steps[1]
				if m.State != workflow.StepDone {
					t.Fatalf("the map is %v", m.State)
				}
				if took := m.EndedAt.Sub(m.Began).Round(time.Second); name == "narrow" && (took != 5*time.Second || !last.ReadyAt.Equal(m.EndedAt)) {
					t.Errorf("a map of three items that took five seconds took %v, and what follows was ready at %v, want %v", took, last.ReadyAt, m.EndedAt)
				}
				if name == "wide" && (!m.EndedAt.IsZero() || !m.Began.IsZero()) {
					t.Errorf("when a map of many items ended is not looked for, and told as %v", m.EndedAt)
				}
			})
		})
	}
}
