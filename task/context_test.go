package task_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/task"
)

// asked is what the accessors say of a context.
type asked struct {
	ID, Queue                  string
	Retried, MaxRetry, Attempt int
	Known                      [5]bool
}

func ask(ctx context.Context) (a asked) {
	a.ID, a.Known[0] = task.GetID(ctx)
	a.Queue, a.Known[1] = task.GetQueue(ctx)
	a.Retried, a.Known[2] = task.GetRetryCount(ctx)
	a.MaxRetry, a.Known[3] = task.GetMaxRetry(ctx)
	a.Attempt, a.Known[4] = task.GetAttempt(ctx)
	return a
}

func TestAHandlersContextKnowsItsTask(t *testing.T) {
	ctx := task.WithAttempt(t.Context(), task.Attempt{ID: "id-1", Queue: "low", Retried: 2, MaxRetry: 25})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	want := asked{"id-1", "low", 2, 25, 3, [5]bool{true, true, true, true, true}}
	if diff := cmp.Diff(want, ask(ctx)); diff != "" {
		t.Errorf("what the context knows (-want +got):\n%s", diff)
	}
}

func TestTheFirstAttemptIsNumberOne(t *testing.T) {
	got := ask(task.WithAttempt(t.Context(), task.Attempt{ID: "id-1"}))
	if got.Attempt != 1 || got.Retried != 0 {
		t.Errorf("attempt %d after %d retries, want 1 after 0", got.Attempt, got.Retried)
	}
}

func TestAnyOtherContextKnowsNothing(t *testing.T) {
	if diff := cmp.Diff(asked{}, ask(t.Context())); diff != "" {
		t.Errorf("what the context knows (-want +got):\n%s", diff)
	}
}
