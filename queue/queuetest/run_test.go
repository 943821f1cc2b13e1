package queuetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/queuetest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

const month = 30 * 24 * time.Hour

// soon is how long a test may take whose time is virtual.
const soon = 2 * time.Second

func TestAMonthAndFiveRetriesPassAtOnce(t *testing.T) {
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		rec := queuetest.NewRecorder()
		info := enqueue(t, rec, "reminder", task.ProcessIn(month), task.MaxRetry(5), task.Retention(time.Hour))
		begin, calls := time.Now(), 0
		attempts, err := rec.RunUntilIdle(t.Context(), task.HandlerFunc(func(context.Context, *task.Task) error {
			if calls++; calls <= 5 {
				return errors.New("not yet")
			}
			return nil
		}))
		if err != nil || len(attempts) != 6 || attempts[5].Err != nil {
			t.Fatalf("RunUntilIdle() = %v, %v; want six attempts, the last of which did it", attempts, err)
		}
		if took := time.Since(begin); took < month {
			t.Errorf("it took %v, want a month at least", took)
		}
		got, err := rec.Inspector().Get(t.Context(), info.Queue, info.ID)
		if err != nil || got.State != task.Completed || got.Retried != 5 {
			t.Errorf("Get() = %+v, %v; want it completed after 5 retries", got, err)
		}
	})
	t.Logf("took %v", time.Since(begun))
	if took := time.Since(begun); took > soon {
		t.Errorf("the test took %v, want at most %v", took, soon)
	}
}

func TestAWorkflowThatWaitsForAMonthIsRunAtOnce(t *testing.T) {
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		failed := 0
		var asked time.Time
		ask := workflow.NewStep("ask", func(_ context.Context, in string) (string, error) {
			if asked.IsZero() {
				asked = time.Now()
			}
			if time.Since(asked) < month {
				return "", task.Snooze(month)
			}
			if failed++; failed <= 5 {
				return "", errors.New("nobody answers")
			}
			return in + ", answered", nil
		})
		shout := workflow.NewStep("shout", func(_ context.Context, in string) (string, error) { return in + "!", nil })
		w := dag.New("question", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] { return dag.Do(g, shout, dag.Do(g, ask, in)) })

		rec, mux := queuetest.NewRecorder(), task.NewMux()
		workflow.Register(mux, w)
		run, err := w.Start(t.Context(), rec.Client, "why")
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if _, err := rec.RunUntilIdle(t.Context(), mux); err != nil {
			t.Fatalf("RunUntilIdle() = %v, want nil", err)
		}
		if took := time.Since(begin); took < month {
			t.Errorf("it took %v, want a month at least", took)
		}
		got, err := run.Result(t.Context())
		if want := "why, answered!"; err != nil || got != want {
			t.Errorf("Result() = %q, %v; want %q", got, err, want)
		}
	})
	t.Logf("took %v", time.Since(begun))
	if took := time.Since(begun); took > soon {
		t.Errorf("the test took %v, want at most %v", took, soon)
	}
}

func TestTasksThatHandlersEnqueueAreRunInQueuesThatTheyMake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, ran := queuetest.NewRecorder(), 0
		enqueue(t, rec, "first")
		mux := task.NewMux()
		mux.HandleFunc("first", func(ctx context.Context, _ *task.Task) error {
			_, err := rec.Enqueue(ctx, task.New("second", nil), task.Queue("fresh"), task.ProcessIn(time.Hour))
			return err
		})
		mux.HandleFunc("second", func(context.Context, *task.Task) error {
			ran++
			time.Sleep(20 * time.Minute) // longer than a lease
			return nil
		})
		attempts, err := rec.RunUntilIdle(t.Context(), mux)
		if err != nil || len(attempts) != 2 || ran != 1 {
			t.Errorf("RunUntilIdle() = %v, %v; want two attempts", attempts, err)
		}
	})
}

func TestEachTaskIsRunWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := queuetest.NewRecorder()
		due := map[string]time.Duration{"a": 3 * time.Hour, "b": time.Hour, "c": 2 * time.Hour}
		begin := time.Now()
		for name, d := range due {
			enqueue(t, rec, name, task.Queue(name), task.ProcessIn(d))
		}
		_, err := rec.RunUntilIdle(t.Context(), task.HandlerFunc(func(_ context.Context, tk *task.Task) error {
			if late := time.Since(begin) - due[tk.Type()]; late < 0 || late > time.Second {
				t.Errorf("%s is %v late, want at most a second", tk.Type(), late)
			}
			return nil
		}))
		if err != nil {
			t.Errorf("RunUntilIdle() = %v, want nil", err)
		}
	})
}

func TestPoliciesAreThoseOfTheConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec, seen := queuetest.NewRecorder(), 0
		enqueue(t, rec, "t", task.MaxRetry(2))
		begin := time.Now()
		attempts, err := rec.RunUntilIdle(t.Context(), task.HandlerFunc(func(context.Context, *task.Task) error { return errors.New("no") }), queue.Config{
			RetryDelayFunc: func(int, error, *task.Task) time.Duration { return 7 * time.Second },
			Observer:       func(_ context.Context, e queue.Event) { seen++ },
		})
		if took := time.Since(begin); err != nil || len(attempts) != 3 || took < 14*time.Second || took > 15*time.Second || seen < 6 {
			t.Errorf("RunUntilIdle() = %v, %v in %v, and %d events; want three attempts in 14s, and six", attempts, err, took, seen)
		}
	})
}

func TestATaskWithoutAHandlerIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := queuetest.NewRecorder()
		enqueue(t, rec, "odd")
		if _, err := rec.RunUntilIdle(t.Context(), task.NewMux()); !errors.Is(err, task.ErrHandlerNotFound) {
			t.Errorf("RunUntilIdle() = %v, want ErrHandlerNotFound", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		rec := queuetest.NewRecorder()
		show := workflow.NewStep("show", func(_ context.Context, n int) (int, error) { return n, nil })
		w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[[]int] {
			return dag.Map(g, show, dag.Do(g, workflow.NewStep("list", func(_ context.Context, n int) ([]int, error) { return []int{n}, nil }), in))
		})
		if _, err := w.Start(t.Context(), rec.Client, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := rec.RunUntilIdle(t.Context(), task.NewMux()); !errors.Is(err, task.ErrHandlerNotFound) {
			t.Errorf("RunUntilIdle() without the workflow = %v, want ErrHandlerNotFound", err)
		}
	})
}

func TestTasksThatGoOnForEverAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := queuetest.NewRecorder()
		enqueue(t, rec, "poll")
		attempts, err := rec.RunUntilIdle(t.Context(), task.HandlerFunc(func(ctx context.Context, tk *task.Task) error {
			_, err := rec.Enqueue(ctx, task.New(tk.Type(), nil))
			return err
		}))
		if !errors.Is(err, queuetest.ErrNotIdle) || len(attempts) < queuetest.MaxAttempts {
			t.Errorf("RunUntilIdle() = %d attempts, %v; want %d, ErrNotIdle", len(attempts), err, queuetest.MaxAttempts)
		}
	})
}

func TestRunUntilIdleEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := queuetest.NewRecorder()
		enqueue(t, rec, "t", task.ProcessIn(month))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if attempts, err := rec.RunUntilIdle(ctx, task.NotFoundHandler()); !errors.Is(err, context.DeadlineExceeded) || len(attempts) > 0 {
			t.Errorf("RunUntilIdle() = %v, %v; want DeadlineExceeded", attempts, err)
		}
	})
}

func TestPausedQueuesAndGroupsAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := queuetest.NewRecorder()
		enqueue(t, rec, "t", task.Queue("paused"))
		enqueue(t, rec, "t", task.Queue("paused"), task.ProcessIn(time.Hour))
		enqueue(t, rec, "t", task.Group("g"))
		if _, err := rec.Inspector().Pause(t.Context(), "paused"); err != nil {
			t.Fatal(err)
		}
		if attempts, err := rec.RunUntilIdle(t.Context(), task.NotFoundHandler()); err != nil || len(attempts) > 0 {
			t.Errorf("RunUntilIdle() = %v, %v; want nothing", attempts, err)
		}
	})
}
