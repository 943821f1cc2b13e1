package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// A diary is what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

// read returns what was noted so far.
func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// keeper returns a step that notes its input and sleeps so many seconds.
func (d *diary) keeper(name string, opts ...task.Option) workflow.Step[int, int] {
	return workflow.NewStep(name, func(_ context.Context, n int) (int, error) {
		time.Sleep(time.Duration(n) * time.Second)
		d.note("%s %d", name, n)
		if n == 13 {
			return 0, fmt.Errorf("%w: %w", errSome, task.SkipRetry)
		}
		return n, nil
	}, opts...)
}

func TestAddedStepsRunBeforeWhatWaitsForTheOneThatAddsThem(t *testing.T) {
	var d diary
	extra, last := d.keeper("extra", task.Queue("heavy")), d.keeper("last")
	fails := true
	adds := workflow.NewStep("adds", func(ctx context.Context, n int) (int, error) {
		err := workflow.Add(ctx, extra.With(3), extra.With(2))
		if fails {
			fails = false
			return 0, errSome // what this attempt has added is not seen
		}
		return n, errors.Join(err, workflow.Add(ctx, extra.With(1)))
	})
	for name, w := range map[string]flow{
		"in the middle": dag.New("middle", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, last, dag.Do(g, adds, in)) }),
		"at the end":    dag.New("end", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, adds, dag.Do(g, last, in)) }),
		"beside another": dag.New("beside", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, last, dag.Join2(g, dag.Do(g, adds, in), dag.Do(g, double, in), func(a, _ int) int { return a }))
		}),
	} {
		t.Run(name, func(t *testing.T) {
			d.lines, fails = nil, true
			inBubble(t, func(t *testing.T, b broker.Broker) {
				run, err := w.Start(t.Context(), serve(t, b, w, extra), 0)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := run.Result(t.Context()); got != 0 || err != nil {
					t.Errorf("Result() = %d, %v, want 0", got, err)
				}
			})
			want := []string{"extra 1", "extra 2", "extra 3", "last 0"}
			if name == "at the end" {
				want = []string{"last 0", "extra 1", "extra 2", "extra 3"}
			}
			if !slices.Equal(d.lines, want) {
				t.Errorf("what ran is %q, want %q", d.lines, want)
			}
		})
	}
}

func TestAnAddedStepThatFailsFailsTheRunAndIsRetriedWithIt(t *testing.T) {
	var d diary
	lucky := false
	extra := workflow.NewStep("extra", func(_ context.Context, n int) (int, error) {
		d.note("extra %d", n)
		if n == 2 && !lucky {
			return 0, fmt.Errorf("%w: %w", errSome, task.SkipRetry)
		}
		return n, nil
	})
	adds := workflow.NewStep("adds", func(ctx context.Context, n int) (int, error) {
		d.note("adds")
		return n, workflow.Add(ctx, extra.With(1), extra.With(2))
	})
	last := d.keeper("last")
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, last, dag.Do(g, adds, in)) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w, extra), 5)
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Result(t.Context())
		if cause, ok := errors.AsType[*workflow.StepError](err); !ok || cause.Step != "adds~+1" || !strings.Contains(cause.Message, "no luck") {
			t.Errorf("Result() = %v, want that step adds~+1 had no luck", err)
		}
		lucky = true
		if err := run.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 5 || err != nil {
			t.Errorf("Result() after a retry = %d, %v, want 5", got, err)
		}
		if n := len(d.lines); d.lines[n-1] != "last 5" || slices.Contains(d.lines[:n-1], "last 5") {
			t.Errorf("what ran is %q, want last 5 once, at the end", d.lines)
		}
	})
}

func TestAddedStepsOfAStepThatFailsAreNotSeen(t *testing.T) {
	var d diary
	extra := d.keeper("extra")
	adds := workflow.NewStep("adds", func(ctx context.Context, _ int) (int, error) {
		return 0, errors.Join(workflow.Add(ctx, extra.With(1)), errSome, task.SkipRetry)
	})
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Pick(g, dag.Try(g, dag.Do(g, adds, in)), mark)
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w, extra), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != -1 || err != nil || len(d.lines) > 0 {
			t.Errorf("Result() = %d, %v, and %q ran, want -1 and nothing", got, err, d.lines)
		}
	})
}

func TestWhatAddRefuses(t *testing.T) {
	var outside atomic.Pointer[context.Context]
	plain := workflow.NewStep("plain", func(_ context.Context, n int) (int, error) { return n, nil })
	odd := workflow.NewStep("odd", func(_ context.Context, f float64) (int, error) { return int(f), nil })
	text := workflow.NewStep("text", func(_ context.Context, s string) (int, error) { return len(s), nil })
	strange := workflow.NewStep("strange", func(_ context.Context, n int) (int, error) { return n, nil }, task.ProcessIn(time.Hour))
	nested := workflow.NewStep("nested", func(ctx context.Context, n int) (int, error) {
		if err := workflow.Add(ctx, plain.With(1)); !errors.Is(err, workflow.ErrNoStep) {
			t.Errorf("Add() of a step that was added = %v, want ErrNoStep", err)
		}
		return n, nil
	})
	item := workflow.NewStep("item", func(ctx context.Context, n int) (int, error) {
		if err := workflow.Add(ctx, plain.With(1)); !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Add() of an item = %v, want ErrInvalid", err)
		}
		return n, nil
	})
	many := func(n int) []workflow.Addition { return slices.Repeat([]workflow.Addition{plain.With(1)}, n) }
	adds := workflow.NewStep("adds", func(ctx context.Context, n int) (int, error) {
		outside.Store(&ctx)
		for name, steps := range map[string][]workflow.Addition{
			"more than there may be":    many(workflow.MaxAdditions + 1),
			"what cannot be stored":     {odd.With(nan())},
			"what is too large":         {text.With(strings.Repeat("x", workflow.DefaultMaxOutput))},
			"options of no step":        {strange.With(1)},
			"a good one beside another": {plain.With(1), strange.With(1)},
		} {
			if err := workflow.Add(ctx, steps...); err == nil {
				t.Errorf("Add() of %s = nil, want an error", name)
			}
		}
		return n, errors.Join(workflow.Add(ctx, nested.With(1)), workflow.Add(ctx, many(workflow.MaxAdditions-1)...))
	})
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		looped := dag.Until(g, item, in, func(int) bool { return true }, 1, dag.As("round"))
		return dag.Do(g, sum, dag.Map(g, item, dag.Do(g, upTo, dag.Do(g, adds, looped))))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w, plain, nested), 2)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 1 || err != nil {
			t.Errorf("Result() = %d, %v, want 1", got, err)
		}
		for name, ctx := range map[string]context.Context{"no step": t.Context(), "a step that has returned": *outside.Load()} {
			if err := workflow.Add(ctx, plain.With(1)); !errors.Is(err, workflow.ErrNoStep) {
				t.Errorf("Add() of %s = %v, want ErrNoStep", name, err)
			}
		}
	})
}

func TestAnAddedStepThatIsLostFailsTheRun(t *testing.T) {
	adds := workflow.NewStep("adds", func(ctx context.Context, n int) (int, error) { return n, workflow.Add(ctx, asleep.With(1)) })
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, adds, in) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		lose(t, b, broker.Delete)
		_, err = run.Result(t.Context())
		if cause, ok := errors.AsType[*workflow.StepError](err); !ok || cause.Step != "adds~+0" || cause.Message != "was deleted before it was done" {
			t.Errorf("Result() = %v, want that adds~+0 was deleted", err)
		}
	})
}

func TestWhatAStepAddsInARunThatClosesIsNotForgotten(t *testing.T) {
	var added atomic.Int32
	extra := workflow.NewStep("extra", func(context.Context, int) (int, error) { added.Add(1); return 0, nil })
	adder := workflow.NewStep("adder", func(ctx context.Context, n int) (int, error) {
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
		}
		return n, workflow.Add(ctx, extra.With(1))
	})
	w := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, dag.Do(g, adder, in)) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w, extra), 1)
		time.Sleep(time.Second)
		if err := errors.Join(err, run.Cancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err := run.Wait(t.Context()); !errors.Is(err, workflow.ErrRunFailed) {
			t.Fatalf("Wait() = %v, want that it was cancelled", err)
		}
		if err := run.Retry(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 2 || err != nil || added.Load() != 1 {
			t.Errorf("Result() = %d, %v, and what was added ran %d times, want 2 and once", got, err, added.Load())
		}
	})
}
