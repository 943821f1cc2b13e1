package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leatwork/leat/queue"
	"github.com/leatwork/leat/queue/broker"
	"github.com/leatwork/leat/queue/brokertest"
	"github.com/leatwork/leat/task"
	"github.com/leatwork/leat/workflow"
	"github.com/leatwork/leat/workflow/dag"
)

// serve starts a server on b that carries out the workflows, until the test ends.
func serve(t *testing.T, b broker.Broker, flows ...workflow.Registrable) *queue.Client {
	t.Helper()
	mux := task.NewMux()
	workflow.Register(mux, flows...)
	return serveHandler(t, b, mux)
}

func serveHandler(t *testing.T, b broker.Broker, h task.Handler) *queue.Client {
	t.Helper()
	srv := newServer(t, b)
	if err := srv.Start(h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown() = %v, want nil", err)
		}
	})
	return queue.NewClient(b)
}

func newServer(t *testing.T, b broker.Broker) *queue.Server {
	t.Helper()
	srv, err := queue.NewServer(b, queue.Config{
		Concurrency: 8, Queues: map[string]int{"default": 1, "heavy": 1},
		RetryDelayFunc: func(int, error, *task.Task) time.Duration { return time.Second },
		Logger:         slog.New(slog.DiscardHandler),
		MaxCrashes:     -1, // faults of the broker have leases run out
	})
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// inBubble runs f in fake time with an embedded broker.
func inBubble(t *testing.T, f func(t *testing.T, b broker.Broker)) {
	synctest.Test(t, func(t *testing.T) { f(t, brokertest.NewModel()) })
}

func TestARunComesToTheValueOfItsGraph(t *testing.T) {
	for _, c := range shapeCases {
		t.Run(fmt.Sprintf("%s of %d", c.shape, c.in), func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				w := shapes[c.shape]
				run, err := w.Start(t.Context(), serve(t, b, w), c.in)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour/2)
				defer cancel()
				got, err := run.Result(ctx)
				if got != c.want || err != nil {
					t.Errorf("Result() = %d, %v, want %d", got, err, c.want)
				}
			})
		})
	}
}

func TestAMapKeepsTheOrderOfItsElements(t *testing.T) {
	slow := workflow.NewStep("slow", func(_ context.Context, n int) (string, error) {
		time.Sleep(time.Duration(100-n) * time.Millisecond) // the first takes longest
		return fmt.Sprint(n), nil
	})
	w := dag.New("order", func(g *dag.Graph, in dag.Val[[]int]) dag.Val[[]string] { return dag.Map(g, slow, in) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), []int{5, 4, 3, 2, 1})
		if err != nil {
			t.Fatal(err)
		}
		got, err := run.Result(t.Context())
		if want := []string{"5", "4", "3", "2", "1"}; !slices.Equal(got, want) || err != nil {
			t.Errorf("Result() = %v, %v, want %v", got, err, want)
		}
	})
}

func TestParallelBoundsHowManyItemsAreUnderWay(t *testing.T) {
	var now, most atomic.Int32
	step := workflow.NewStep("busy", func(context.Context, int) (int, error) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(time.Second)
		now.Add(-1)
		return 0, nil
	})
	w := dag.New("window", func(g *dag.Graph, in dag.Val[[]int]) dag.Val[[]int] {
		return dag.Map(g, step, in, dag.Parallel(3))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), make([]int, 20))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := most.Load(); got != 3 {
			t.Errorf("at most %d items ran at a time, want 3", got)
		}
	})
}

// errSome is what failing steps fail with.
var errSome = errors.New("no luck")

func TestAStepThatFailsForGoodFailsTheRun(t *testing.T) {
	var calls atomic.Int32
	bad := workflow.NewStep("bad", func(context.Context, int) (int, error) { calls.Add(1); return 0, errSome }, task.MaxRetry(2))
	after := workflow.NewStep("after", func(_ context.Context, n int) (int, error) {
		t.Error("a step ran after the one that failed")
		return n, nil
	})
	w := dag.New("fails", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, after, dag.Do(g, bad, in)) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1, workflow.RunID("r"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Result(t.Context())
		if !errors.Is(err, workflow.ErrRunFailed) {
			t.Errorf("Result() = %v, want ErrRunFailed", err)
		}
		cause, _ := errors.AsType[*workflow.StepError](err)
		if diff := cmp.Diff(&workflow.StepError{Step: "bad", Item: -1, Message: "no luck"}, cause); diff != "" {
			t.Errorf("the cause (-want +got):\n%s", diff)
		}
		if got := calls.Load(); got != 3 {
			t.Errorf("the step was tried %d times, want 3", got)
		}
	})
}

func TestAFailedItemStopsItsMap(t *testing.T) {
	var calls atomic.Int32
	step := workflow.NewStep("item", func(_ context.Context, n int) (int, error) {
		calls.Add(1)
		time.Sleep(time.Second)
		if n == 1 {
			return 0, fmt.Errorf("%w: %w", errSome, task.SkipRetry)
		}
		return n, nil
	})
	w := dag.New("stops", func(g *dag.Graph, in dag.Val[[]int]) dag.Val[[]int] { return dag.Map(g, step, in, dag.Parallel(3)) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Result(t.Context())
		cause, ok := errors.AsType[*workflow.StepError](err)
		if !ok || cause.Step != "item" || cause.Item != 1 {
			t.Errorf("Result() = %v, want a StepError of item 1", err)
		}
		if got := calls.Load(); got > 5 {
			t.Errorf("%d items ran, want no more than the window and those released before the failure", got)
		}
	})
}

func TestAPanicInAPureFunctionFailsTheRun(t *testing.T) {
	for name, build := range map[string]func(*dag.Graph, dag.Val[int]) dag.Val[int]{
		"before a step":    func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, dag.Pick(g, in, crash)) },
		"after the last":   func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Pick(g, dag.Do(g, double, in), crash) },
		"without any step": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Pick(g, in, crash) },
		"at a map's list": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, sum, dag.Map(g, double, dag.Pick(g, in, crashes)))
		},
		"at a map's output": func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Pick(g, dag.Map(g, double, dag.Do(g, upTo, in)), func(l []int) int { return crash(len(l)) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				w := dag.New("w", build)
				run, err := w.Start(t.Context(), serve(t, b, w), 1)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if _, err := run.Result(ctx); !errors.Is(err, workflow.ErrRunFailed) {
					t.Errorf("Result() = %v, want ErrRunFailed", err)
				}
			})
		})
	}
}

func crash(int) int     { panic("crash") }
func crashes(int) []int { panic("crash") }

func TestTheSameIDIsTheSameRun(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w, other := shapes["chain"], shapes["diamond"]
		c := serve(t, b, w, other)
		first, err := w.Start(t.Context(), c, 1, workflow.RunID("r"))
		if err != nil || first.Existed {
			t.Fatalf("Start() = existed %v, %v, want a new run", first.Existed, err)
		}
		again, err := w.Start(t.Context(), c, 1, workflow.RunID("r"))
		if err != nil || !again.Existed {
			t.Errorf("Start() again = existed %v, %v, want the same run", again.Existed, err)
		}
		if got, err := again.Result(t.Context()); got != 8 || err != nil {
			t.Errorf("Result() = %d, %v, want 8", got, err)
		}
		if again, err = w.Start(t.Context(), c, 1, workflow.RunID("r")); err != nil || !again.Existed {
			t.Errorf("Start() after the end = existed %v, %v, want the same run", again.Existed, err)
		}
		_, err = w.Start(t.Context(), c, 2, workflow.RunID("r"))
		if e, ok := errors.AsType[*workflow.RunExistsError](err); !ok || !e.Input || !errors.Is(err, workflow.ErrRunExists) {
			t.Errorf("Start() with another input = %v, want a RunExistsError of the input", err)
		}
		_, err = other.Start(t.Context(), c, 1, workflow.RunID("r"))
		if e, ok := errors.AsType[*workflow.RunExistsError](err); !ok || e.Workflow != "chain" {
			t.Errorf("Start() of another workflow = %v, want a RunExistsError of chain", err)
		}
	})
}

func TestAnInvalidRunIDIsRefused(t *testing.T) {
	for _, id := range []string{"", "a b", "a~b", "{a}", "ä", "\n"} {
		_, err := shapes["chain"].Start(t.Context(), queue.NewClient(brokertest.NewModel()), 1, workflow.RunID(id))
		if !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Start(RunID(%q)) = %v, want ErrInvalid", id, err)
		}
	}
}

func TestAValueThatCannotBeStoredIsRefused(t *testing.T) {
	large := workflow.NewStep("large", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil })
	odd := workflow.NewStep("odd", func(_ context.Context, n int) (float64, error) { return math.NaN(), nil })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		toLarge := dag.New("to-large", func(g *dag.Graph, in dag.Val[int]) dag.Val[string] { return dag.Do(g, large, in) })
		toOdd := dag.New("to-odd", func(g *dag.Graph, in dag.Val[int]) dag.Val[float64] { return dag.Do(g, odd, in) })
		echo := dag.New("echo", func(g *dag.Graph, in dag.Val[string]) dag.Val[string] { return in })
		c := serve(t, b, toLarge, toOdd, echo)
		_, err := echo.Start(t.Context(), c, strings.Repeat("x", 9<<20))
		if !errors.Is(err, task.ErrInvalid) || !strings.Contains(err.Error(), "9437186") {
			t.Errorf("Start() with an input of 9 MiB = %v, want ErrInvalid that names the size", err)
		}
		_, err = echo.Start(t.Context(), nil, "x")
		if !errors.Is(err, task.ErrInvalid) {
			t.Errorf("Start() without a client = %v, want ErrInvalid", err)
		}
		run, err := toLarge.Start(t.Context(), c, 9<<20)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Result(t.Context()); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), "9437186") {
			t.Errorf("Result() of a step with an output of 9 MiB = %v, want ErrRunFailed that names the size", err)
		}
		strange, err := toOdd.Start(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := strange.Result(t.Context()); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("Result() of a step that returns NaN = %v, want ErrRunFailed that names it", err)
		}
	})
}

func TestStatusSaysHowFarARunIs(t *testing.T) {
	wait := workflow.NewStep("wait", func(_ context.Context, n int) (int, error) { time.Sleep(time.Minute); return n, nil })
	w := dag.New("status", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		return dag.Do(g, sum, dag.Map(g, wait, dag.Do(g, upTo, in), dag.Parallel(2)))
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		began := time.Now()
		run, err := w.Start(t.Context(), serve(t, b, w), 4, workflow.RunID("r"))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(90 * time.Second)
		got, err := run.Status(t.Context())
		want := workflow.Status{ID: "r", Workflow: "status", State: workflow.Running, Started: began, Steps: []workflow.StepStatus{
			{
				Name: "upto", Kind: "step", State: workflow.StepDone, Runs: "upto", Queue: "default", TaskID: got.Steps[0].TaskID,
				Known: true, Width: 1, Ended: 1, ReadyAt: began, Began: began, EndedAt: began, Tries: 1,
			},
			{
				Name: "wait", Kind: "map", State: workflow.StepRunning, After: []string{"upto"}, Runs: "wait", Queue: "default",
				Known: true, Width: 4, Ended: 2, ReadyAt: began,
			},
			{Name: "sum", Kind: "step", After: []string{"wait"}, Runs: "sum", Queue: "heavy", Known: true, Width: 1},
		}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Status() half way, %v (-want +got):\n%s", err, diff)
		}
		if _, err := run.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err = run.Status(t.Context())
		if got.State != workflow.Done || got.Ended.IsZero() || err != nil {
			t.Errorf("Status() at the end = %+v, %v, want it done", got, err)
		}
	})
}

func TestARunIsForgottenAfterItsRetention(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := dag.New("kept", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) }, workflow.Retention(time.Hour))
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Result(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Minute)
		if got, err := run.Result(t.Context()); got != 2 || err != nil {
			t.Errorf("Result() before the hour is over = %d, %v, want 2", got, err)
		}
		time.Sleep(2 * time.Minute)
		if _, err := run.Result(t.Context()); !errors.Is(err, workflow.ErrRunNotFound) {
			t.Errorf("Result() after it = %v, want ErrRunNotFound", err)
		}
	})
}

func TestAnUnknownRunIsNotFound(t *testing.T) {
	run := shapes["chain"].Open(queue.NewClient(brokertest.NewModel()), "nobody")
	if _, err := run.Result(t.Context()); !errors.Is(err, workflow.ErrRunNotFound) {
		t.Errorf("Result() = %v, want ErrRunNotFound", err)
	}
	if _, err := run.Status(t.Context()); !errors.Is(err, workflow.ErrRunNotFound) {
		t.Errorf("Status() = %v, want ErrRunNotFound", err)
	}
}

func TestWaitingForAResultEndsWithTheContext(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := shapes["chain"].Start(t.Context(), queue.NewClient(b), 1) // nobody serves
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := run.Result(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Result() = %v, want DeadlineExceeded", err)
		}
	})
}

func TestAServerWithAnotherPlanLeavesTheRunToOthers(t *testing.T) {
	triple := workflow.NewStep("triple", func(_ context.Context, n int) (int, error) { return 3 * n, nil })
	old := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, triple, in) })
	changed := dag.New("w", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, in) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := old.Start(t.Context(), serve(t, b, changed), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if s, err := run.Status(t.Context()); s.State != workflow.Running || s.Steps[0].Ended != 0 || err != nil {
			t.Fatalf("Status() = %+v, %v, want an untouched run", s, err)
		}
		serve(t, b, old)
		if got, err := run.Result(t.Context()); got != 3 || err != nil {
			t.Errorf("Result() = %d, %v, want 3", got, err)
		}
	})
}

func TestAStepIsATaskToo(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		w := shapes["chain"]
		c := serve(t, b, w)
		info, err := c.Enqueue(t.Context(), task.New("double", []byte("21")), task.Retention(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		e, err := b.Entry(t.Context(), broker.EntryRef{Queue: info.Queue, ID: info.ID})
		if e.State != task.Completed || string(e.Result) != "42" || err != nil {
			t.Errorf("the task is %v with result %q, %v, want completed with 42", e.State, e.Result, err)
		}
	})
}

func TestAServerWithoutTheWorkflowLeavesItsStepsToOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, b broker.Broker) {
		serve(t, b, shapes["no-steps"]) // serves the queue, and has none of the steps
		run, err := shapes["map"].Start(t.Context(), queue.NewClient(b), 50)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		serve(t, b, shapes["map"])
		if got, err := run.Result(t.Context()); got != 2450 || err != nil {
			t.Errorf("Result() = %d, %v, want 2450", got, err)
		}
	})
}

func TestARunNeverTakesAnEntryOfAnotherForItsOwn(t *testing.T) {
	fail := true
	one := workflow.NewStep("one", func(_ context.Context, n int) (int, error) { return n + 1, nil })
	two := workflow.NewStep("two", func(_ context.Context, n int) (int, error) {
		if fail {
			return 0, task.SkipRetry
		}
		return n + 1, nil
	})
	chain := func(queueName string) workflow.Workflow[int, int] {
		return dag.New("w-"+queueName, func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
			return dag.Do(g, two, dag.Do(g, one, in), dag.With(task.Queue("heavy")))
		}, workflow.Queue(queueName), workflow.FailureRetention(time.Hour))
	}
	a, b := chain("default"), chain("heavy")
	inBubble(t, func(t *testing.T, broker broker.Broker) {
		c := serve(t, broker, a, b)
		for i, w := range []workflow.Workflow[int, int]{a, b, a} {
			if i == 2 {
				time.Sleep(2 * time.Hour) // the first run is forgotten; its failed step lies in the archive
			}
			run, err := w.Start(t.Context(), c, 1, workflow.RunID("monday"))
			if err != nil || run.Existed {
				t.Fatalf("Start() number %d = existed %v, %v, want a new run", i+1, run.Existed, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour/2)
			_, err = run.Result(ctx)
			cancel()
			if want := map[bool]error{true: workflow.ErrRunFailed}[fail]; !errors.Is(err, want) {
				t.Errorf("Result() of run %d = %v, want %v", i+1, err, want)
			}
			fail = i == 0 // the second fails, too; the third does not
		}
	})
}

func TestAMiddlewareThatDropsAStepsErrorDoesNotMakeItASuccess(t *testing.T) {
	bad := workflow.NewStep("bad", func(context.Context, int) (int, error) { return 0, errSome })
	w := dag.New("dropped", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, double, dag.Do(g, bad, in)) })
	inBubble(t, func(t *testing.T, b broker.Broker) {
		mux := task.NewMux()
		workflow.Register(mux, w)
		mux.Use(func(h task.Handler) task.Handler {
			return task.HandlerFunc(func(ctx context.Context, t *task.Task) error {
				_ = h.ProcessTask(ctx, t)
				return nil
			})
		})
		c := serveHandler(t, b, mux)
		run, err := w.Start(t.Context(), c, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Result(t.Context()); !errors.Is(err, workflow.ErrRunFailed) || !strings.Contains(err.Error(), "no luck") {
			t.Errorf("Result() = %v, want ErrRunFailed with the step's error", err)
		}
	})
}

func TestAValueMayBeTakenManyTimes(t *testing.T) {
	w := dag.New("many", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] {
		v := dag.Do(g, double, in)
		for range 60 {
			v = dag.Join2(g, v, v, func(a, b int) int { return (a + b) % 1000 })
		}
		return v
	})
	inBubble(t, func(t *testing.T, b broker.Broker) {
		run, err := w.Start(t.Context(), serve(t, b, w), 1)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run.Result(t.Context()); got != 952 || err != nil {
			t.Errorf("Result() = %d, %v, want 952", got, err)
		}
	})
}

func TestRegisterRefusesTwoOfOneName(t *testing.T) {
	other := workflow.NewStep("double", func(_ context.Context, n int) (int, error) { return n, nil })
	for name, flows := range map[string][]workflow.Registrable{
		"steps":    {shapes["chain"], dag.New("x", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return dag.Do(g, other, in) })},
		"workflow": {shapes["chain"], dag.New("double", func(g *dag.Graph, in dag.Val[int]) dag.Val[int] { return in })},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), name) || !strings.Contains(fmt.Sprint(p), "called") {
					t.Errorf("got panic %v, want one about %s", p, name)
				}
			}()
			workflow.Register(task.NewMux(), flows...)
		})
	}
}

func TestAServerThatDoesNotServeTheDecidesLeavesTheRunToOthers(t *testing.T) {
	for name, wrap := range map[string]func(*task.Mux) task.Handler{
		"registered late": func(mux *task.Mux) task.Handler { return mux },
		"wrapped": func(mux *task.Mux) task.Handler {
			workflow.Register(mux, shapes["map"])
			return task.HandlerFunc(mux.ProcessTask)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b broker.Broker) {
				mux := task.NewMux()
				serveHandler(t, b, wrap(mux))
				if name == "registered late" {
					workflow.Register(mux, shapes["map"])
				}
				run, err := shapes["map"].Start(t.Context(), queue.NewClient(b), 5)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
				var reasons []string
				for _, state := range []task.State{task.Pending, task.Active, task.Retry} { // it comes and goes
					found, err := b.List(t.Context(), broker.ListRequest{Queue: "default", State: state, Limit: 10})
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range found {
						reasons = append(reasons, e.LastErr)
					}
				}
				if len(reasons) != 1 || !strings.Contains(reasons[0], "map~decide") {
					t.Errorf("tasks wait for the reasons %q, want one that names map~decide", reasons)
				}
				serve(t, b, shapes["map"])
				if got, err := run.Result(t.Context()); got != 20 || err != nil {
					t.Errorf("Result() = %d, %v, want 20", got, err)
				}
			})
		})
	}
}
