package workflow_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// dozes is a workflow whose runs take an hour and come to their input.
func dozes() workflow.Workflow[int, int] {
	return dag.New("dozes", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		slept := dag.Sleep(g, time.Hour)
		return dag.Join2(g, in, slept, func(n int, _ workflow.None) int { return n })
	})
}

// enqueueStart enqueues a task that starts a run of dozes.
func enqueueStart(t *testing.T, c *queue.Client, in int, opts ...task.Option) *task.Info {
	t.Helper()
	start, err := dozes().StartTask(in, append(opts, task.Retention(time.Minute))...)
	if err != nil {
		t.Fatal(err)
	}
	info, err := c.Enqueue(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestATaskStartsARunThatHasItsIDAndInput(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, dozes())
		info := enqueueStart(t, c, 7, task.ID("nap"), task.ProcessIn(time.Minute))
		info, err := c.Wait(t.Context(), info)
		if err != nil || string(info.Result) != "nap" {
			t.Fatalf("Wait() = result %q, %v, want the run's id", info.Result, err)
		}
		if out, err := dozes().Open(c, "nap").Result(t.Context()); out != 7 || err != nil {
			t.Errorf("Result() = %d, %v, want 7", out, err)
		}
	})
}

func TestARunIsStartedOnceHoweverOftenItsTaskIsRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, dozes())
		for range 3 {
			if _, err := c.Wait(t.Context(), enqueueStart(t, c, 7, task.ID("nap"))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Minute) // the task is kept for a minute
		}
		if n := len(startedRuns(t, c)); n != 1 {
			t.Errorf("there are %d runs, want 1", n)
		}
		info := enqueueStart(t, c, 8, task.ID("nap"))
		if _, err := c.Wait(t.Context(), info); err == nil {
			t.Error("a start of that id with another input succeeds")
		}
	})
}

func startedRuns(t *testing.T, c *queue.Client) (ids []string) {
	t.Helper()
	page, err := workflow.Runs(t.Context(), c, workflow.RunsRequest{Queue: "default"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Runs {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}

// ofTick returns the headers of a tick.
func ofTick(overlap, cancels string) []task.Option {
	opts := []task.Option{
		task.Header("leat-entry", "nightly"), task.Header("leat-tick", "2000-01-01T02:00:00Z"), task.Header("leat-overlap", overlap),
	}
	if cancels != "" {
		opts = append(opts, task.Header("leat-cancels", cancels))
	}
	return opts
}

func TestTheTaskOfATickThatMayNotOverlapLastsAsLongAsItsRun(t *testing.T) {
	for overlap, lasts := range map[string]bool{"allow": false, "skip": true, "queue": true, "cancel": true} {
		t.Run(overlap, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				c := serve(t, b, dozes())
				began := time.Now()
				info := enqueueStart(t, c, 7, append(ofTick(overlap, ""), task.ID("nap"))...)
				if _, err := c.Wait(t.Context(), info); err != nil {
					t.Fatal(err)
				}
				took := time.Since(began)
				if !lasts && took > time.Minute || lasts && (took < time.Hour || took > time.Hour+time.Minute) {
					t.Errorf("the task took %v; it lasts as long as its run: %v", took, lasts)
				}
			})
		})
	}
}

func TestTheTaskOfABackfillLastsAsLongAsItsRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, dozes())
		began := time.Now()
		info := enqueueStart(t, c, 7, append(ofTick("allow", ""), task.Header("leat-backfill", "b"), task.ID("nap"))...)
		if _, err := c.Wait(t.Context(), info); err != nil || time.Since(began) < time.Hour {
			t.Errorf("the task took %v, %v, want as long as its run", time.Since(began), err)
		}
	})
}

func TestTheRunOfATickIsFoundByItsEntry(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, dozes())
		if _, err := c.Wait(t.Context(), enqueueStart(t, c, 7, append(ofTick("allow", ""), task.ID("nap"))...)); err != nil {
			t.Fatal(err)
		}
		s, err := dozes().Open(c, "nap").Status(t.Context())
		if err != nil || s.Attributes["entry"] != "nightly" || s.Attributes["tick"] != "2000-01-01T02:00:00Z" {
			t.Errorf("Status() = attributes %v, %v, want the entry and the tick", s.Attributes, err)
		}
	})
}

func TestATickThatCancelsAnotherCancelsItsRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, dozes())
		first := enqueueStart(t, c, 1, append(ofTick("cancel", ""), task.ID("one"))...)
		time.Sleep(time.Minute)
		if err := queue.NewInspector(b).Cancel(t.Context(), first.Queue, first.ID); err != nil {
			t.Fatal(err)
		}
		enqueueStart(t, c, 2, append(ofTick("cancel", "one,gone"), task.ID("two"))...)
		err := dozes().Open(c, "one").Wait(t.Context())
		if e, ok := errors.AsType[*workflow.RunError](err); !ok || e.State != workflow.Cancelled {
			t.Errorf("Wait() = %v, want that the run was cancelled", err)
		}
		if out, err := dozes().Open(c, "two").Result(t.Context()); out != 2 || err != nil {
			t.Errorf("Result() = %d, %v, want 2", out, err)
		}
	})
}

func TestAStartTaskWhoseInputIsNoneIsArchived(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		c := serve(t, b, dozes())
		info, err := c.Enqueue(t.Context(), task.New(workflow.StartType("dozes"), []byte("{")))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if info, err = c.Wait(ctx, info); err == nil || info.State != task.Archived {
			t.Errorf("Wait() = %v, %v, want that it is archived", info, err)
		}
		if ids := startedRuns(t, c); len(ids) > 0 {
			t.Errorf("runs %v have begun, want none", ids)
		}
	})
}
